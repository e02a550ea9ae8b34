"""How much of the exact answer an index finds, for queries of which the exact answer is known."""

from dataclasses import dataclass

import numpy as np

from retrievals_pipeline.defs.index.blocks import blocks
from retrievals_serving.vectors import Float32, Int64, VectorSearch

DEPTHS = (10, 80, 256)  # a first look, what is reranked, what can be paged to
NOISE = 2e-6  # in a score: the same products, summed in another order
PICTURES = 1_000  # queries


@dataclass(frozen=True)
class Probes:
    """Queries, and the scores of the best works for each.

    Attributes:
        queries: float32 (nq, dimension), unit rows.
        own: int64 (nq,), the row that a query is the vector of, which is no answer to it.
        best: float32 (nq, k), the best scores that there are, in order.
    """

    queries: Float32
    own: Int64
    best: Float32

    def recall(self, index: VectorSearch) -> dict[int, float]:
        """Return the share of the best works that `index` finds, by how many are asked for.

        Of works that score the same either is as good.
        """
        recalls = {}
        for depth in DEPTHS:
            k = min(depth, self.best.shape[1])
            scores, rows = index.search(self.queries, k + 1)
            scores = _without_own(scores, rows, self.own)
            recalls[depth] = float((scores >= self.best[:, k - 1 : k] - NOISE).mean()) if k else 1.0
        return recalls


def picture_probes(vectors: np.ndarray) -> Probes:
    """Return the vectors of works spread evenly over `vectors` as queries, each without itself.

    `vectors` are float16 (n, dimension). The exact answers are found on a GPU where FAISS has one.
    """
    from faiss import METRIC_INNER_PRODUCT
    from faiss.contrib.exhaustive_search import knn_ground_truth

    own = np.linspace(0, len(vectors) - 1, min(PICTURES, len(vectors))).astype(np.int64)
    queries = vectors[own].astype(np.float32)
    queries /= np.linalg.norm(queries, axis=1, keepdims=True)
    k = min(max(DEPTHS) + 1, len(vectors))
    scores, rows = knn_ground_truth(queries, blocks(vectors), k, METRIC_INNER_PRODUCT)
    return Probes(queries, own, _without_own(scores, rows, own))


def _without_own(scores: Float32, rows: Int64, own: Int64) -> Float32:
    """Return `scores` (nq, k + 1) without that of the query's own row, or without the last."""
    scores = np.where(rows == own[:, np.newaxis], np.inf, scores)
    rest: Float32 = -np.sort(-scores, axis=1)
    has_own = np.isinf(rest[:, :1])
    return np.where(has_own, rest[:, 1:], rest[:, :-1])
