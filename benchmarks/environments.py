"""Environments of their own, for what is measured against and is not to be installed here."""

import subprocess
import sys
from pathlib import Path

PYTHON = Path("bin/python")
SECONDS_TO_INSTALL = 900


def installed(folder: Path, *requirements: str) -> Path:
    """Return the Python of an environment that has `requirements`, made when it is not there.

    Raises:
        LookupError: They cannot be installed; says why.
    """
    python = folder / PYTHON
    marker = folder / "installed.txt"
    wanted = "\n".join(requirements)
    if marker.exists() and marker.read_text(encoding="utf-8") == wanted:
        return python
    commands = (
        [sys.executable, "-m", "venv", "--clear", folder],
        [python, "-m", "pip", "install", "--quiet", *requirements],
    )
    for command in commands:
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=SECONDS_TO_INSTALL)
        except subprocess.TimeoutExpired as error:
            raise LookupError(f"not installed within {SECONDS_TO_INSTALL} s") from error
        except subprocess.CalledProcessError as error:
            said = error.stderr.decode(errors="replace").strip().splitlines()
            raise LookupError(said[-1] if said else str(error)) from error
    marker.write_text(wanted, encoding="utf-8")
    return python
