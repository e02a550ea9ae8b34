"""The Dagster code location that turns a museum's open records and pictures into a release."""

from pathlib import Path


def project_file(name: str) -> Path:
    """Return the path of `dagster.yaml` or `workspace.yaml`: a wheel has them in the package."""
    package = Path(__file__).parent
    carried = package / name
    return carried if carried.exists() else package.parent / name
