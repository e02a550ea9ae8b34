"""Run every benchmark and write `docs/benchmarks.md`: `python -m benchmarks`."""

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from benchmarks import build

REPORT = Path(__file__).parents[1] / "docs" / "benchmarks.md"
LIBRARIES = ("torch", "transformers", "dagster", "duckdb", "numpy")


def main() -> None:
    """Measure, print and write."""
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    report = "\n".join(
        [
            "# Benchmarks\n",
            "Written by `make bench`; figures are min / median / max over the runs named.\n",
            (
                f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, {platform.machine()}, "
                f"Python {platform.python_version()}, {libraries}.\n"
            ),
            build.report(),
        ]
    )
    print(report)
    REPORT.write_text(report, encoding="utf-8")


if __name__ == "__main__":
    main()
