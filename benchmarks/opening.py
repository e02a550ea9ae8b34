"""Opening a release: the time to its first answer without a model, and the memory that it takes.

python -m benchmarks.opening
python -m benchmarks.opening --works 2000 --dimension 256

The release is a simulated one, see `retrievals_pipeline.simulation`.
"""

import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import duckdb
import faiss
import numpy as np

from benchmarks import options
from benchmarks.machine import machine, spread
from benchmarks.processes import run
from retrievals_pipeline.simulation.release import simulate_release
from retrievals_serving import SearchEngine
from retrievals_serving.promotion import promote
from retrievals_serving.release import INDEX, METADATA, Release, open_release
from retrievals_serving.settings import Settings

DEFAULTS = {"works": 68_816, "dimension": 1024, "rounds": 5}
GOAL = 500  # ms


def report(arguments: Sequence[str] = ()) -> str:
    """Measure, and return a section in Markdown."""
    chosen, command_line = options.numbers("python -m benchmarks.opening", DEFAULTS, arguments)
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings.load(
            home=folder, dimension=chosen.dimension, reranker="none", secret="benchmark"
        )
        release = simulate_release(settings, chosen.works)
        sizes = {entry.name: entry.bytes / 2**20 for entry in release.manifest.files}
        started = time.perf_counter()
        promote(release.store, release.release_id)
        promoted = time.perf_counter() - started
        command = [sys.executable, "-m", "benchmarks.opening", "--measure", folder]
        measured = {"not in memory": [], "in memory": []}
        for _ in range(chosen.rounds):
            evict(release)
            for runs in measured.values():  # the second run finds what the first one has read
                runs.append(run(command).output)
    files = ", ".join(f"{name} {size:.1f} MiB" for name, size in sizes.items())
    paragraph = (
        f"{chosen.works:,} works of {chosen.dimension} numbers: {files}. No model; the first "
        "answer is that of `similar`, which compares all vectors. Min / median / max of "
        f"{chosen.rounds} processes; goal under {GOAL} ms. A promotion, which reads every byte "
        f"against its sha256, took {promoted:.2f} s.\n"
    )
    columns = (
        *("the files are", "open, ms", "first answer, ms", "both, ms", "second answer, ms"),
        *("memory of its own, MiB", "of mapped files, MiB", "of them the index, MiB"),
    )
    libraries = f"{machine('duckdb', 'numpy')} FAISS {faiss.__version__}."
    lines = [
        "## Opening a release\n",
        f"{libraries} `{command_line}`.\n",
        paragraph,
        f"| {' | '.join(columns)} |",
        "|---" * len(columns) + "|",
    ]
    for state, runs in measured.items():
        cells = [spread([each[name] for each in runs], 1) for name in runs[0]]
        lines.append(f"| {' | '.join((state, *cells))} |")
    both = statistics.median(each["both"] for each in measured["not in memory"])
    lines.append(f"\nThe goal is {'met' if both < GOAL else 'missed'}.\n")
    return "\n".join(lines)


def evict(release: Release) -> None:
    """Let the kernel forget the pages of the release's files."""
    for entry in release.manifest.files:
        with release.path(entry.name).open("rb") as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def opened(home: Path) -> dict[str, float]:
    """Open the release and answer, in this process, which has imported all; return ms and MiB."""
    settings = Settings.load(home=home, reranker="none", secret="benchmark")
    release = open_release(settings.store)
    with duckdb.connect(str(release.path(METADATA)), read_only=True) as connection:
        ((first,),) = connection.execute("select id from artworks where row = 0").fetchall()
    before = memory()
    moments = [time.perf_counter()]
    engine = SearchEngine.open(settings=settings)
    moments.append(time.perf_counter())
    for _ in range(2):
        engine.similar(first)
        moments.append(time.perf_counter())
    after = memory()
    open_, answer, again = 1000 * np.diff(moments)
    return {
        "open": open_,
        "first": answer,
        "both": open_ + answer,
        "second": again,
        "own": after["RssAnon"] - before["RssAnon"],
        "mapped": after["RssFile"] - before["RssFile"],
        "index": mapped(release.path(INDEX)),
    }


def memory(process: str = "self") -> dict[str, float]:
    """Return the resident memory of this process, or of the one of an id, by its kind, MiB."""
    lines = Path(f"/proc/{process}/status").read_text(encoding="utf-8").splitlines()
    return {
        name: int(value.split()[0]) / 1024
        for name, _, value in (line.partition(":") for line in lines)
        if name in ("RssAnon", "RssFile")
    }


def mapped(path: Path) -> float:
    """Return how much of the file at `path` this process has touched through its map, MiB."""
    resident, is_its = 0.0, False
    for line in Path("/proc/self/smaps").read_text(encoding="utf-8").splitlines():
        name, *values = line.split()
        if "-" in name:
            is_its = values[-1] == str(path)
        elif is_its and name == "Rss:":
            resident += int(values[0]) / 1024
    return resident


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        print(json.dumps(opened(Path(sys.argv[2]))))
    else:
        print(report(sys.argv[1:]))
