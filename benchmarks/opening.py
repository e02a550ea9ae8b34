"""Opening a release: the time to its first answer without a model, and the memory that it takes.

python -m benchmarks.opening
python -m benchmarks.opening --works 2000 --dimension 256

The release is sealed by the pipeline, of records of the miniature museum and random unit vectors.
"""

import argparse
import dataclasses
import hashlib
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import faiss
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.machine import machine, spread
from benchmarks.processes import run
from benchmarks.records import write_tables
from retrievals_pipeline.defs.embeddings.golden import golden_name
from retrievals_pipeline.defs.embeddings.vectors import VectorShard
from retrievals_pipeline.defs.index.faiss_index import build_index
from retrievals_pipeline.defs.index.kinds import recipes
from retrievals_pipeline.defs.index.metadata_db import build_metadata
from retrievals_pipeline.defs.index.plan import ReleasePlan
from retrievals_pipeline.defs.records.artworks import build_artworks
from retrievals_pipeline.defs.records.paths import ARTWORKS
from retrievals_pipeline.defs.release.candidate import seal_candidate
from retrievals_serving import SearchEngine
from retrievals_serving.collection_map import CollectionMap, write_map
from retrievals_serving.golden import Golden, GoldenItem, write_golden
from retrievals_serving.models import describe_checkpoint
from retrievals_serving.promotion import promote
from retrievals_serving.release import (
    INDEX,
    MAP,
    REQUIRED_CHECKS,
    GoldenEntry,
    Release,
    open_release,
    record_check,
)
from retrievals_serving.settings import Settings
from retrievals_serving.store import Store

DEFAULTS = {"works": 68_816, "dimension": 1024, "rounds": 5}
SHARD = "0-of-1"
GOAL = 500  # ms


def report(arguments: Sequence[str] = ()) -> str:
    """Measure, and return a section in Markdown."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.opening")
    for name, default in DEFAULTS.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    chosen = parser.parse_args(arguments)
    flags = " ".join(f"--{name} {value}" for name, value in vars(chosen).items())
    with tempfile.TemporaryDirectory() as folder:
        release = make(Store(Path(folder)), chosen.works, chosen.dimension)
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
        f"{libraries} `python -m benchmarks.opening {flags}`.\n",
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


def make(store: Store, works: int, dimension: int) -> Release:
    """Seal a release of `works` works with verdicts that let it be promoted."""
    write_tables(store.path("tables"), objects=2 * works, images=2 * works)
    build_artworks(
        str(store.path("tables")),
        store,
        source="nga",
        page="https://www.nga.gov/{}",
        box=1024,
        limit=works,
    )
    records = pq.read_table(store.path(ARTWORKS), columns=["id", "record_sha256", "modified"])
    ids = sorted(records["id"].to_pylist())
    if len(ids) != works:
        raise LookupError(f"the records have {len(ids)} works, not {works}.")
    pictures = [hashlib.sha256(id_.encode()).hexdigest() for id_ in ids]
    model = describe_checkpoint("miniature")
    description = dataclasses.replace(model, dimension=dimension, is_matryoshka=True)
    vectors = unit(np.random.default_rng(0), works, dimension)
    VectorShard(store, description.corpus_contract.digest, SHARD).append(
        list(zip(ids, pictures, strict=True)), vectors
    )
    texts = tuple(GoldenItem(f"text {number}", text=f"boat {number}") for number in range(12))
    made_on = GoldenEntry(device="cpu", dtype="float32", libraries={})
    golden = Golden(texts, unit(np.random.default_rng(1), len(texts), dimension), made_on)
    with store.replacing(golden_name(description)) as partial:
        write_golden(golden, partial)
    none = pa.nulls(works, pa.string())
    plan = ReleasePlan(
        release_id="20260101T000000Z-0123456789ab",
        works=pa.table(
            {
                "row": pa.array(range(works), pa.int32()),
                "id": ids,
                "image_sha256": pictures,
                "width": pa.array([1024] * works, pa.int32()),
                "height": pa.array([768] * works, pa.int32()),
                "color": ["#a86845"] * works,
            }
        ),
        offered=pa.table({"id": ids, "image_sha256": pictures, "missing": none, "detail": none}),
        shards=[SHARD],
        left_out={},
        as_of=datetime(2026, 1, 1, tzinfo=UTC),
        description=description,
        dimension=dimension,
        recipes=recipes("auto", works, dimension),
    )
    build_index(store, plan)
    build_metadata(store, plan)
    places = np.random.default_rng(2).integers(-5000, 5000, (works, 2), np.int16)
    with store.replacing(f"{plan.staging}/{MAP}") as partial:
        write_map(CollectionMap(ids, places, {}), partial)
    release, _ = seal_candidate(store, plan, limit=None)
    for check in REQUIRED_CHECKS:
        record_check(store, release.release_id, check, passed=True, details={})
    return release


def unit(chance: np.random.Generator, count: int, dimension: int) -> np.ndarray:
    """Return random unit rows: float32 (count, dimension)."""
    vectors = chance.standard_normal((count, dimension), dtype=np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors


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
    first = pq.read_table(settings.store.path(ARTWORKS), columns=["id"])["id"][0].as_py()
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


def memory() -> dict[str, float]:
    """Return the resident memory of this process by its kind, MiB."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
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
