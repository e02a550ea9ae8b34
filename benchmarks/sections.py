"""The report `docs/benchmarks.md`, a section for each benchmark."""

import re
from pathlib import Path

REPORT = Path(__file__).parents[1] / "docs" / "benchmarks.md"
HEAD = """# Benchmarks

Written by `make bench`, a section for each benchmark.
"""


def write(section: str) -> None:
    """Put a section into the report."""
    text = REPORT.read_text(encoding="utf-8") if REPORT.exists() else HEAD
    REPORT.write_text(replaced(text, section), encoding="utf-8")


def replaced(text: str, section: str) -> str:
    """Return the report with a section in the place of the one of its title, else at the end."""
    head, *sections = re.split(r"^(?=## )", text, flags=re.MULTILINE)
    by_title = {each.splitlines()[0]: each for each in sections}
    by_title[section.splitlines()[0]] = section
    return "\n\n".join(part.strip() for part in (head, *by_title.values())) + "\n"
