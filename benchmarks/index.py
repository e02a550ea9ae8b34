"""Every kind of index at one size: what it takes to build, what it finds, how long a query takes.

python -m benchmarks.index
python -m benchmarks.index --works 1000000 --kinds flat pq4 ivf-pq4:nprobe=128 --rivals

The vectors are simulated, see `retrievals_pipeline.simulation`. Each kind is built as a release has
it, and searched from its file, mapped.
"""

import argparse
import logging
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import faiss
import numpy as np

from benchmarks import index_theirs
from benchmarks.environments import installed
from benchmarks.index_queries import DEPTHS, Asked, measured
from benchmarks.machine import machine
from benchmarks.processes import run
from retrievals_pipeline.defs.index.building import build
from retrievals_pipeline.defs.index.kinds import recipes
from retrievals_pipeline.defs.index.recall import Queries, probes
from retrievals_pipeline.simulation.vectors import Simulation
from retrievals_serving.vectors.faiss_index import FaissIndex

logger = logging.getLogger(__name__)

WORKS, DIMENSION = 68_816, 1024
QUERIES = 1_000  # of each kind
KINDS = (
    *("flat", "flat-float32", "sq8", "pq4", "pq4:k_factor=16", "ivf-flat", "ivf-flat:nprobe=512"),
    *("ivf-pq4:nprobe=128", "ivf-pq4:nprobe=512", "hnsw", "hnsw:m=32,ef_search=512"),
)
RIVALS = ("hnswlib", "usearch:f16", "usearch:i8")
ENVIRONMENT = Path(".retrievals/bench-index")
ROWS_AT_A_TIME = 65_536


def report(arguments: Sequence[str] = ()) -> str:
    """Measure, and return a section in Markdown."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.index")
    parser.add_argument("--works", type=int, default=WORKS)
    parser.add_argument("--dimension", type=int, default=DIMENSION)
    parser.add_argument("--kinds", nargs="*", default=KINDS)
    parser.add_argument("--rivals", nargs="*", default=RIVALS)
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        asked = ask(folder, chosen.works, chosen.dimension)
        rows = [ours(setting, asked, folder / "ours") for setting in chosen.kinds]
        for rival in chosen.rivals:
            python = installed(ENVIRONMENT, *index_theirs.REQUIREMENTS)
            command = [python, "-m", "benchmarks.index_theirs", folder, rival]
            rows += run(command).output["rows"]
    columns = ["index", "built, s", "MiB"]
    for depth in DEPTHS:
        columns += [f"recall@{depth}", f"{depth}: p50 / p99, ms"]
    columns.append(f"{DEPTHS[0]}: queries a second")
    command_line = " ".join(["python -m benchmarks.index", *arguments])
    lines = [
        f"## The index at {chosen.works:,} works\n",
        f"{machine('numpy')} FAISS {faiss.__version__}. `{command_line}`.\n",
        said(chosen.dimension),
        f"| {' | '.join(columns)} |",
        "|---" * len(columns) + "|",
        *map(line, rows),
    ]
    return "\n".join(lines) + "\n"


def said(dimension: int) -> str:
    """Return what the table is of, as a paragraph."""
    theirs = ", ".join(index_theirs.REQUIREMENTS)
    return (
        f"{dimension} numbers a vector, simulated. {QUERIES:,} works that are none of the "
        f"collection's and {QUERIES:,} texts are the queries: recall of either. Times of one "
        f"query alone, and of all at once. {theirs} with M {index_theirs.M} and "
        f"{index_theirs.CONSTRUCTION} candidates at insertion; their searches keep more and more "
        f"candidates until they find {index_theirs.ENOUGH:.1%}.\n"
    )


def ask(folder: Path, works: int, dimension: int) -> Asked:
    """Simulate a collection and queries, search it exactly, and write all into `folder`."""
    simulation = Simulation(dimension)
    vectors = np.empty((works + QUERIES, dimension), np.float16)
    start = 0
    for block in simulation.pictures(len(vectors)):
        vectors[start : start + len(block)] = block
        start += len(block)
    vectors, others = vectors[:works], vectors[works:].astype(np.float32)
    others /= np.linalg.norm(others, axis=1, keepdims=True)
    queries = np.concatenate([others, *simulation.texts(QUERIES)])
    of_no_row = np.full(len(queries), -1, np.int64)
    started = time.perf_counter()
    best = probes(Queries("texts", queries, of_no_row), vectors).best
    logger.info("exact search of %d queries: %.1f s", len(queries), time.perf_counter() - started)
    Asked(vectors, queries, best).write(folder)
    return Asked.read(folder)


def ours(setting: str, asked: Asked, path: Path) -> dict[str, Any]:
    """Build the index that `setting` names at `path`, and return what was measured of it."""
    (recipe,) = recipes(setting, *asked.vectors.shape)
    started = time.perf_counter()
    faiss.write_index(build(recipe, asked.vectors), str(path))
    seconds = time.perf_counter() - started
    index = FaissIndex(path, recipe.search)
    figures = measured(lambda queries, k: index.search(queries, k)[1], asked)
    row = {"title": f"`{recipe}`", "build": seconds, "bytes": path.stat().st_size, **figures}
    logger.info("%s", row)
    return row


def line(row: Mapping[str, Any]) -> str:
    """Return `row` as a line of the table."""
    cells = [row["title"], f"{row['build']:.0f}", f"{row['bytes'] / 2**20:,.0f}"]
    for depth in DEPTHS:
        found = (row[f"recall@{depth}, {kind}"] for kind in ("pictures", "texts"))
        cells.append(" / ".join(f"{each:.4f}" for each in found))
        cells.append(" / ".join(f"{row[f'{name}@{depth}']:.2f}" for name in ("p50", "p99")))
    cells.append(f"{row['a second']:,.0f}")
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, stream=sys.stderr)
    print(report(sys.argv[1:]))
