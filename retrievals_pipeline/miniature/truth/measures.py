"""How good a ranking is, measured against graded relevance."""

from collections.abc import Sequence

import numpy as np


def ndcg(ranked: Sequence[int], ideal: Sequence[int], k: int = 10) -> float:
    """Return the normalised discounted cumulative gain of the first `k`, 0 to 1.

    Args:
        ranked: Grades, 0 to 3, in the order of the ranking; a grade g gains 2^g − 1.
        ideal: Grades of the whole collection, in any order, one above 0.
        k: How many count.
    """
    return _dcg(ranked[:k]) / _dcg(sorted(ideal, reverse=True)[:k])


def _dcg(grades: Sequence[int]) -> float:
    gains = 2.0 ** np.asarray(grades, float) - 1
    return float((gains / np.log2(np.arange(len(gains)) + 2)).sum())
