"""What an index is asked in the benchmark, and what comes of it: recall, and time.

Nothing here imports the project: the rivals' environment, which has no more than numpy and them,
runs it as well.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

NOISE = 2e-6  # in a score: the same products, summed in another order
DEPTHS = (80, 256)  # what is reranked, and what can be paged to
ALONE = 400  # queries that are asked one at a time
Search = Callable[[np.ndarray, int], np.ndarray]


class Asked(NamedTuple):
    """A collection, queries, and what exact search finds for them.

    Attributes:
        vectors: float16 (n, dimension), unit rows, of a mapped file.
        queries: float32 (nq, dimension): pictures, then as many texts.
        best: float32 (nq, 256), the best scores in order.
    """

    vectors: np.ndarray
    queries: np.ndarray
    best: np.ndarray

    @classmethod
    def read(cls, folder: Path) -> "Asked":
        """Read what `write` wrote."""
        return cls(*(np.load(folder / f"{name}.npy", mmap_mode="r") for name in cls._fields))

    def write(self, folder: Path) -> None:
        """Write it as three files into `folder`."""
        for name, array in self._asdict().items():
            np.save(folder / f"{name}.npy", array)


def measured(search: Search, asked: Asked) -> dict[str, float]:
    """Return what `search`, (queries, k) → rows (nq, k), finds for what is asked, and its times.

    `recall@k` are shares, of pictures and of texts; `p50@k` and `p99@k` are ms of one query alone;
    `a second` are queries for 80 that are asked at once.
    """
    figures = {}
    half = len(asked.queries) // 2
    for depth in DEPTHS:
        found = _found(search, asked, depth)
        figures[f"recall@{depth}, pictures"] = float(found[:half].mean())
        figures[f"recall@{depth}, texts"] = float(found[half:].mean())
    for depth in DEPTHS:
        times = []
        for query in asked.queries[half - ALONE // 2 : half + ALONE // 2, np.newaxis]:
            started = time.perf_counter()
            search(query, depth)
            times.append(1000 * (time.perf_counter() - started))
        figures[f"p50@{depth}"], figures[f"p99@{depth}"] = map(
            float, np.percentile(times, (50, 99))
        )
    started = time.perf_counter()
    search(asked.queries, DEPTHS[0])
    figures["a second"] = len(asked.queries) / (time.perf_counter() - started)
    return figures


def _found(search: Search, asked: Asked, depth: int) -> np.ndarray:
    """Return which of the works that `search` finds are of the best: bool (nq, depth)."""
    found = []
    for query, best in zip(asked.queries, asked.best, strict=True):
        rows = search(query[np.newaxis], depth)[0]
        scores = np.full(depth, -np.inf)
        known = np.unique(rows[rows >= 0])
        scores[: len(known)] = asked.vectors[known].astype(np.float32) @ query
        found.append(scores >= best[depth - 1] - NOISE)
    return np.array(found)
