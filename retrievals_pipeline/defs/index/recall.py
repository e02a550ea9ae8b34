"""How much of the exact answer an index finds, for queries of which the exact answer is known."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from retrievals_pipeline.defs.index.blocks import blocks
from retrievals_serving.models import truncate
from retrievals_serving.vectors import Float32, Int32, Int64, VectorSearch

DEPTHS = (10, 80, 256)  # a first look, what is reranked, what can be paged to
NOISE = 2e-6  # in a score: the same products, summed in another order
PICTURES = 1_000  # queries


@dataclass(frozen=True)
class Queries:
    """What is asked.

    Attributes:
        kind: What the queries are the vectors of.
        vectors: float32 (nq, dimension), unit rows.
        own: int64 (nq,), the row that a query is the vector of, which is no answer to it; -1 where
            it is of no row.
    """

    kind: Literal["pictures", "texts"]
    vectors: Float32
    own: Int64


def picture_queries(vectors: np.ndarray) -> Queries:
    """Return as queries works spread evenly over `vectors`, float16 (n, dimension)."""
    own = np.linspace(0, len(vectors) - 1, min(PICTURES, len(vectors))).astype(np.int64)
    asked = vectors[own].astype(np.float32)
    return Queries("pictures", asked / np.linalg.norm(asked, axis=1, keepdims=True), own)


def text_queries(native: np.ndarray, dimension: int) -> Queries:
    """Return the vectors of texts, (nq, native dimension), as queries of `dimension`."""
    vectors = truncate(native.astype(np.float32), dimension)
    return Queries("texts", vectors, np.full(len(vectors), -1, np.int64))


@dataclass(frozen=True)
class Probes:
    """Queries, and the scores of the best works for each.

    Attributes:
        queries: What is asked.
        best: float32 (nq, k), the best scores that there are, in order.
        rows: int32, the rows that a filter keeps, in order; None without one.
    """

    queries: Queries
    best: Float32
    rows: Int32 | None = None

    def recall(self, index: VectorSearch) -> dict[int, float]:
        """Return the share of the best works that `index` finds, by how many are asked for.

        Of works that score the same either is as good.
        """
        recalls = {}
        for depth in DEPTHS:
            k = min(depth, self.best.shape[1])
            scores, rows = index.search(self.queries.vectors, k + 1, self.rows)
            scores = _without_own(scores, rows, self.queries.own)
            recalls[depth] = float((scores >= self.best[:, k - 1 : k] - NOISE).mean()) if k else 1.0
        return recalls


def probes(queries: Queries, vectors: np.ndarray, rows: Int32 | None = None) -> Probes:
    """Search `vectors`, float16 (n, dimension), or some of its `rows`, exactly.

    It is made on a GPU where FAISS has one.
    """
    from faiss import METRIC_INNER_PRODUCT
    from faiss.contrib.exhaustive_search import knn_ground_truth

    searched = vectors if rows is None else vectors[rows]
    k = min(max(DEPTHS) + 1, len(searched))
    scores, found = knn_ground_truth(queries.vectors, blocks(searched), k, METRIC_INNER_PRODUCT)
    found = found if rows is None else rows[found]
    return Probes(queries, _without_own(scores, found, queries.own), rows)


def _without_own(scores: Float32, rows: Int64, own: Int64) -> Float32:
    """Return `scores` (nq, k + 1) without that of the query's own row, or without the last."""
    scores = np.where(rows == own[:, np.newaxis], np.inf, scores)
    rest: Float32 = -np.sort(-scores, axis=1)
    has_own = np.isinf(rest[:, :1])
    return np.where(has_own, rest[:, 1:], rest[:, :-1])
