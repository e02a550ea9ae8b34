"""The pipeline: records, downloads beside img2dataset, and a refresh after a small change.

python -m benchmarks.pipeline
python -m benchmarks.pipeline --objects 20000 --pictures 150 --works 150 --rounds 1

The miniature model embeds what is refreshed; no other part has a model.
"""

import argparse
import sys
from collections.abc import Sequence

from benchmarks import downloads, records, refresh
from benchmarks.machine import machine

LIBRARIES = ("dagster", "duckdb", "pyarrow", "pillow", "requests", "torch")
DEFAULTS = {"objects": 130_000, "pictures": 1000, "works": 5000, "rounds": 5}
HELP = {
    "objects": "of the records; of ten objects there are a little fewer than eight images",
    "pictures": "that are downloaded in a round",
    "works": "of the museum that is refreshed",
    "rounds": "of the records and of the downloads",
}
IMAGES = 10 / 13  # for each object


def report(arguments: Sequence[str] = ()) -> str:
    """Measure, and return a section in Markdown."""
    chosen = options(arguments)
    flags = " ".join(f"--{name} {value}" for name, value in vars(chosen).items())
    return "\n".join(
        [
            "## The pipeline\n",
            f"{machine(*LIBRARIES)} `python -m benchmarks.pipeline {flags}`.\n",
            *records.measured(chosen.objects, round(chosen.objects * IMAGES), chosen.rounds),
            *downloads.measured(chosen.pictures, chosen.rounds),
            *refresh.measured(chosen.works),
        ]
    )


def options(arguments: Sequence[str]) -> argparse.Namespace:
    """Read a command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pipeline")
    for name, default in DEFAULTS.items():
        parser.add_argument(
            f"--{name}", type=int, default=default, help=f"{HELP[name]}; default {default}"
        )
    chosen = parser.parse_args(arguments)
    if chosen.pictures <= downloads.FEW:
        parser.error(f"--pictures {chosen.pictures}: take more than {downloads.FEW}")
    return chosen


if __name__ == "__main__":
    print(report(sys.argv[1:]))
