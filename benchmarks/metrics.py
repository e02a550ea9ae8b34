"""Measures of a ranking against graded relevance, and how sure their means are.

A work is relevant from grade 2 on: all that was asked, or nearly.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

RELEVANT = 2
RESAMPLES = 2000

Values = Sequence[float] | NDArray[np.float64]
Interval = tuple[float, float]


def reciprocal_rank(ranked: Sequence[int]) -> float:
    """Return 1 / rank of the first relevant work, 0 where there is none."""
    return next((1 / rank for rank, grade in enumerate(ranked, 1) if grade >= RELEVANT), 0.0)


def precision(ranked: Sequence[int], k: int = 10) -> float:
    """Return the share of relevant works among the first `k`."""
    return sum(grade >= RELEVANT for grade in ranked[:k]) / k


def attained(ranked: Sequence[int], ideal: Sequence[int], k: int = 10) -> float:
    """Return the precision as a share of that of the best ranking, 0 to 1.

    Args:
        ranked: Grades in the order of the ranking.
        ideal: Grades of the whole collection, in any order, one of them relevant.
        k: How many count.
    """
    return precision(ranked, k) / precision(sorted(ideal, reverse=True), k)


def recall(found: Sequence[int], exact: Sequence[int]) -> float:
    """Return the share of the exact neighbours that were found."""
    return len(set(found) & set(exact)) / len(exact)


def bootstrap(values: Values, *, seed: int = 0) -> Interval:
    """Return the 95 % confidence interval of the mean of `values`, which are resampled."""
    sample = np.asarray(values, float)
    drawn = np.random.default_rng(seed).integers(len(sample), size=(RESAMPLES, len(sample)))
    low, high = np.percentile(sample[drawn].mean(axis=1), (2.5, 97.5))
    return float(low), float(high)
