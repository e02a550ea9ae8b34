"""The certificate of an index: its recall against exact search, and the time that it takes."""

import os
import platform
from collections.abc import Iterator, Sequence
from time import perf_counter

import numpy as np

from retrievals_pipeline.defs.index.recall import DEPTHS, Probes, probes
from retrievals_pipeline.progress import track
from retrievals_serving.certificate import Certificate, Measure
from retrievals_serving.vectors import Float64, VectorSearch

FILTERS = (0.1, 0.01, 0.001)  # shares of the works that they keep
TIMED = 200  # queries


def certify(index: VectorSearch, vectors: np.ndarray, asked: Sequence[Probes]) -> Certificate:
    """Measure `index`, of `vectors`, float16 (n, dimension), for what is `asked` without a filter.

    The rows that a filter keeps are drawn from a seed; a filter keeps one at least.
    """
    measures = []
    with track("certificate", len(asked) * (1 + len(FILTERS))) as advance:
        for kept, each in _filtered(vectors, asked):
            recall = each.recall(index)  # first: it also brings the pages of the file into memory
            median, slow = np.percentile(_times(index, each), (50, 99))
            measures.append(
                Measure(
                    queries=each.queries.kind,
                    kept=kept,
                    count=len(each.queries.vectors),
                    recall=recall,
                    p50_ms=round(float(median), 4),
                    p99_ms=round(float(slow), 4),
                )
            )
            advance(1)
    return Certificate(
        measures=tuple(measures), machine=f"{os.cpu_count()} cores, {platform.machine()}"
    )


def _filtered(vectors: np.ndarray, asked: Sequence[Probes]) -> Iterator[tuple[float, Probes]]:
    """Yield what is asked, without a filter and with each."""
    for each in asked:
        yield 1.0, each
        for kept in FILTERS:
            chance = np.random.default_rng(0)
            size = max(1, round(kept * len(vectors)))
            rows = np.sort(chance.choice(len(vectors), size, replace=False)).astype(np.int32)
            yield kept, probes(each.queries, vectors, rows)


def _times(index: VectorSearch, each: Probes) -> Float64:
    """Return the time that each of some queries takes alone, ms."""
    times = []
    for query in each.queries.vectors[:TIMED, np.newaxis]:
        started = perf_counter()
        index.search(query, max(DEPTHS), each.rows)
        times.append(1000 * (perf_counter() - started))
    return np.array(times)
