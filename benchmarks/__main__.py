"""Take every benchmark and write `docs/benchmarks.md`: `python -m benchmarks`.

`python -m benchmarks embedding` takes the named ones and leaves the other sections as they stand.
"""

import argparse
import re
from collections.abc import Callable
from pathlib import Path

from benchmarks import build, embedding, reranking

REPORT = Path(__file__).parents[1] / "docs" / "benchmarks.md"
HEAD = """# Benchmarks

Written by `make bench`; figures are min / median / max over the runs named.
"""
BENCHMARKS: dict[str, Callable[[], str]] = {
    "build": build.report,
    "embedding": embedding.report,
    "reranking": reranking.report,
}


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("names", nargs="*", metavar="name", help=f"of {', '.join(BENCHMARKS)}")
    names = parser.parse_args().names or list(BENCHMARKS)
    if unknown := set(names) - set(BENCHMARKS):
        parser.error(f"no benchmark {', '.join(sorted(unknown))}: choose {', '.join(BENCHMARKS)}")
    for name in names:
        section = BENCHMARKS[name]()
        print(section)
        text = REPORT.read_text(encoding="utf-8") if REPORT.exists() else HEAD
        REPORT.write_text(replaced(text, section), encoding="utf-8")


def replaced(text: str, section: str) -> str:
    """Return the report with a section in the place of the one of its title, else at the end."""
    head, *sections = re.split(r"^(?=## )", text, flags=re.MULTILINE)
    by_title = {each.splitlines()[0]: each for each in sections}
    by_title[section.splitlines()[0]] = section
    return "\n\n".join(part.strip() for part in (head, *by_title.values())) + "\n"


if __name__ == "__main__":
    main()
