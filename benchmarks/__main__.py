"""Take every benchmark and write `docs/benchmarks.md`: `python -m benchmarks`.

`python -m benchmarks embedding` takes the named ones and leaves the other sections as they stand.
"""

import argparse
from collections.abc import Callable

from benchmarks import (
    build,
    embedding,
    filtering,
    index,
    opening,
    page,
    pipeline,
    quality,
    reranking,
    serving,
)
from benchmarks.sections import write

BENCHMARKS: dict[str, Callable[[], str]] = {
    "build": build.report,
    "pipeline": pipeline.report,
    "opening": opening.report,
    "index": index.report,
    "filtering": filtering.report,
    "embedding": embedding.report,
    "reranking": reranking.report,
    "quality": quality.report,
    "serving": serving.report,
    "page": page.report,
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
        write(section)


if __name__ == "__main__":
    main()
