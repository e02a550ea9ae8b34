"""`artworks` on records of the size of the NGA's, in a process of its own.

The tables are the miniature museum's, with the NGA's columns and its dirt, cut to a given size.
"""

import json
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict
from itertools import count, islice
from pathlib import Path

from benchmarks.machine import spread
from benchmarks.processes import Run, run
from retrievals_pipeline.defs.records.artworks import build_artworks
from retrievals_pipeline.defs.records.paths import ARTWORKS
from retrievals_pipeline.miniature.catalogue import as_csv, image_rows, object_rows, term_rows
from retrievals_pipeline.miniature.works import View, Work, views_at, works_at
from retrievals_serving.store import Store


def measured(objects: int, images: int, rounds: int) -> Iterator[str]:
    """Measure, and yield a paragraph."""
    with tempfile.TemporaryDirectory() as name:
        tables = Path(name) / "tables"
        write_tables(tables, objects, images)
        rows = {path.stem: sum(1 for _ in path.open("rb")) - 1 for path in tables.iterdir()}
        megabytes = sum(path.stat().st_size for path in tables.iterdir()) / 1e6
        runs = []
        for turn in range(rounds):
            command = [sys.executable, "-m", "benchmarks.records", tables, Path(name) / str(turn)]
            runs.append(run(command))
    yield "**Records**\n"
    yield paragraph(runs, objects, images, rows["objects_terms"], megabytes)


def paragraph(runs: list[Run], objects: int, images: int, term_lines: int, megabytes: float) -> str:
    """Say what the runs came to."""
    last = runs[-1].output
    return (
        f"`artworks` from {objects:,} objects, {images:,} images and {term_lines:,} lines of terms "
        f"({megabytes:.0f} MB of CSV): {last['works']:,} works, {last['bytes'] / 1e6:.1f} MB of "
        f"Parquet. {spread([each.output['seconds'] for each in runs])} seconds; peak memory of the "
        f"process {spread([each.peak_mib for each in runs], 0)} MiB.\n"
    )


def write_tables(folder: Path, objects: int, images: int) -> None:
    """Write the three CSV files; their objects and images are those of the first works."""
    folder.mkdir(parents=True)
    works = list(islice(_works(), objects))
    views = list(islice(_views(), images))
    tables = {
        "objects.csv": object_rows(works),
        "published_images.csv": image_rows(views),
        "objects_terms.csv": term_rows(works),
    }
    for name, rows in tables.items():
        (folder / name).write_bytes(as_csv(name, rows))


def _works() -> Iterator[Work]:
    return (work for number in count() for work in works_at(0, number))


def _views() -> Iterator[View]:
    return (view for number in count() for view in views_at(0, number))


def timed_artworks(tables: Path, home: Path) -> dict[str, float]:
    """Read the tables, and return what was made and the seconds that it took."""
    store = Store(home)
    started = time.perf_counter()
    summary = build_artworks(
        str(tables), store, source="nga", page="https://www.nga.gov/{}", box=1024, limit=None
    )
    seconds = time.perf_counter() - started
    return asdict(summary) | {"seconds": seconds, "bytes": store.path(ARTWORKS).stat().st_size}


if __name__ == "__main__":
    print(json.dumps(timed_artworks(Path(sys.argv[1]), Path(sys.argv[2]))))
