"""Searching under a filter: the time of its SQL, and of the vector search over what it keeps.

python -m benchmarks.filtering
python -m benchmarks.filtering --works 1000000

The release is a simulated one, see `retrievals_pipeline.simulation`: each of its categories keeps
half as many works as the one before.
"""

import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from typing import Any

import faiss
import numpy as np

from benchmarks import options
from benchmarks.machine import machine
from retrievals_pipeline.simulation.records import CATEGORIES
from retrievals_pipeline.simulation.release import simulate_release
from retrievals_pipeline.simulation.vectors import Simulation
from retrievals_serving.opened import OpenRelease
from retrievals_serving.settings import Settings

DEFAULTS = {"works": 68_816, "dimension": 1024, "queries": 200}
FILTERS: Mapping[str, Mapping[str, Any]] = {
    "a category": {"classification": CATEGORIES[-1]},
    "a common one": {"classification": CATEGORIES[0]},
    "fifty artists": {"artist": [f"Artist {number}" for number in range(50)]},
    "two categories, 50 years": {
        "classification": list(CATEGORIES[3:5]),
        "begin_year": {"gte": 1800, "lt": 1850},
    },
    "words of a title": {"title": {"contains": "work 77"}},
}
DEPTH = 80
NOISE = 2e-6  # in a score: the same products, summed in another order


def report(arguments: Sequence[str] = ()) -> str:
    """Measure, and return a section in Markdown."""
    chosen, command_line = options.numbers("python -m benchmarks.filtering", DEFAULTS, arguments)
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings.load(home=folder, dimension=chosen.dimension, reranker="none")
        opened = OpenRelease(simulate_release(settings, chosen.works))
        queries = np.concatenate([*Simulation(chosen.dimension).texts(chosen.queries)])
        rows = [measured(opened, asked, queries) for asked in FILTERS.values()]
        kind = opened.release.manifest.index.kind
        opened.close()
    libraries = f"{machine('duckdb', 'numpy')} FAISS {faiss.__version__}."
    said = (
        f"{chosen.dimension} numbers a vector, index `{kind}`; {chosen.queries} texts, one at a "
        f"time, the best {DEPTH} of what the filter keeps: median / 99th percentile, ms. Recall "
        "is against the scores of all rows that match.\n"
    )
    lines = [
        f"## Filters at {chosen.works:,} works\n",
        f"{libraries} `{command_line}`.\n",
        said,
        f"| filter | kept | SQL | search | both | recall@{DEPTH} |",
        "|---|---|---|---|---|---|",
        *(f"| {name} | {row} |" for name, row in zip(FILTERS, rows, strict=True)),
    ]
    return "\n".join(lines) + "\n"


def measured(opened: OpenRelease, filters: Mapping[str, Any], queries: np.ndarray) -> str:
    """Return what was measured of `filters`, as cells."""
    index, metadata = opened.index, opened.metadata
    kept = metadata.rows_matching(filters)
    stored = np.empty((len(kept), index.dimension), np.float32)
    for place, row in enumerate(kept.tolist()):
        stored[place] = index.vector(row)
    times, recall = [], []
    depth = min(DEPTH, len(kept))
    # Not by BLAS, whose threads spin on for a while, in the way of what is timed.
    lowest = [np.sort(np.einsum("ij,j->i", stored, query))[-depth:][:1] for query in queries]
    for query, last in zip(queries[:, np.newaxis], lowest, strict=True):
        moments = [time.perf_counter()]
        rows = metadata.rows_matching(filters)
        moments.append(time.perf_counter())
        scores, _ = index.search(query, DEPTH, rows)
        moments.append(time.perf_counter())
        times.append(1000 * np.diff(moments))
        recall.append(float((scores[0] >= last - NOISE).mean()) if len(kept) else 1.0)
    sql, search = np.transpose(times)
    ms = [
        " / ".join(f"{part:.2f}" for part in np.percentile(each, (50, 99)))
        for each in (sql, search, sql + search)
    ]
    return " | ".join([f"{len(kept) / index.count:.2%}", *ms, f"{np.mean(recall):.4f}"])


if __name__ == "__main__":
    print(report(sys.argv[1:]))
