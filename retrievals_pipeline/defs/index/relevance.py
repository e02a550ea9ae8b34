"""`scores.npy`, mean and covariance of a release's vectors, and what the best of an answer tells.

See `retrievals_serving.relevance`.
"""

from collections.abc import Sequence

import numpy as np

from retrievals_pipeline.defs.index.blocks import blocks
from retrievals_pipeline.defs.index.recall import Probes
from retrievals_serving.relevance import Fit, ScoreDistribution
from retrievals_serving.vectors import Float32, Float64

# Of the collection's own texts so many are found to have an answer, and of texts from elsewhere so
# many are not found to have a good one.
SURE = 95  # %
RIDGE = 1e-6  # where all texts find the same


def moments(vectors: np.ndarray) -> Float32:
    """Return the mean of `vectors`, (n, dimension), and their covariance below it.

    Float32 (1 + dimension, dimension), summed in float64 over blocks.
    """
    dimension = vectors.shape[1]
    total, products = np.zeros(dimension), np.zeros((dimension, dimension))
    for block in blocks(vectors):
        total += block.sum(axis=0, dtype=np.float64)
        products += block.T @ block
    mean = total / len(vectors)
    covariance = products / len(vectors) - np.outer(mean, mean)
    return np.concatenate([mean[np.newaxis], covariance]).astype(np.float32)


def learn_fit(distribution: ScoreDistribution, own: Probes, elsewhere: Probes) -> Fit:
    """Learn to tell what texts of the collection find from what texts from `elsewhere` find.

    The weights are Fisher's linear discriminant (1936). Where the two kinds overlap, what lies
    between is `weak`; where they do not, what neither reaches.
    """
    found, by_chance = (_best(distribution, each) for each in (own, elsewhere))
    scatter = np.cov(found.T, bias=True) + np.cov(by_chance.T, bias=True) + RIDGE * np.eye(2)
    weights = np.linalg.solve(scatter, found.mean(axis=0) - by_chance.mean(axis=0))
    weak, strong = sorted(
        (
            float(np.percentile(by_chance @ weights, SURE)),
            float(np.percentile(found @ weights, 100 - SURE)),
        )
    )
    cosine, deviations = map(float, weights)
    return Fit(cosine=cosine, deviations=deviations, weak=weak, strong=strong)


def _best(distribution: ScoreDistribution, asked: Probes) -> Float64:
    """Return of the best work of each query its cosine, and how far out it is: (nq, 2)."""
    if asked.best.shape[1] == 0:
        return np.zeros((len(asked.best), 2))  # a single work is the best whatever is asked
    cosines: Sequence[float] = asked.best[:, 0].tolist()
    return np.array(
        [
            (cosine, distribution.deviations(query, cosine))
            for query, cosine in zip(asked.queries.vectors, cosines, strict=True)
        ]
    )
