"""`scores.npy`, mean and covariance of a release's vectors, and what the best of an answer tells.

See `retrievals_serving.relevance`.
"""

import numpy as np

from retrievals_pipeline.defs.index.blocks import blocks
from retrievals_pipeline.defs.index.recall import Probes
from retrievals_serving.relevance import Fit, ScoreDistribution
from retrievals_serving.vectors import Float32, Float64

# Of the collection's own texts so many are found to have an answer, and of texts from elsewhere so
# many are not found to have a good one.
SURE = 95  # %
TELLING = 0.5  # standard deviations that the means of the two kinds must be apart
RIDGE = 1e-6  # where all texts of a kind find the same


def moments(vectors: np.ndarray) -> Float32:
    """Return the mean of `vectors`, (n, dimension), and their covariance below it.

    Float32 (1 + dimension, dimension): products of a block in float32, their sum in float64.
    """
    dimension = vectors.shape[1]
    total, products = np.zeros(dimension), np.zeros((dimension, dimension))
    for block in blocks(vectors):
        total += block.sum(axis=0, dtype=np.float64)
        products += block.T @ block
    mean = total / len(vectors)
    covariance = products / len(vectors) - np.outer(mean, mean)
    return np.concatenate([mean[np.newaxis], covariance]).astype(np.float32)


def learn_fit(distribution: ScoreDistribution, own: Probes, elsewhere: Probes) -> Fit | None:
    """Learn to tell what texts of the collection find from what texts from `elsewhere` find.

    The weights are Fisher's linear discriminant (1936). Where the two kinds overlap, what lies
    between is `weak`; where they do not, what neither reaches. None where the collection's own
    texts find nothing better than the others do, as where titles are the names of files.
    """
    found, by_chance = (_best(distribution, each) for each in (own, elsewhere))
    weights = _discriminant(found, by_chance)
    good, bad = found @ weights, by_chance @ weights
    spread = np.sqrt((good.var() + bad.var()) / 2)
    if not weights.any() or good.mean() - bad.mean() < TELLING * spread:
        return None
    weak, strong = sorted((float(np.percentile(bad, SURE)), float(np.percentile(good, 100 - SURE))))
    cosine, deviations = map(float, weights)
    return Fit(cosine=cosine, deviations=deviations, weak=weak, strong=strong)


def _discriminant(found: Float64, by_chance: Float64) -> Float64:
    """Return the weights, (2,), by which the two kinds differ most; none is negative.

    A work of a higher cosine, or farther out, never fits worse: what speaks against that is noise,
    and its weight is 0.
    """
    apart = found.mean(axis=0) - by_chance.mean(axis=0)
    scatter = np.cov(found.T, bias=True) + np.cov(by_chance.T, bias=True) + RIDGE * np.eye(2)
    weights: Float64 = np.linalg.solve(scatter, apart)
    if (weights < 0).any():
        alone = apart / np.diag(scatter)
        weights = np.where(alone == alone.max(), np.maximum(alone, 0), 0)
    return weights


def _best(distribution: ScoreDistribution, asked: Probes) -> Float64:
    """Return of the best work of each query its cosine, and how far out it is: (nq, 2)."""
    if asked.best.shape[1] == 0:
        return np.zeros((len(asked.best), 2))  # of a single work nothing can be told
    cosines: list[float] = np.clip(asked.best[:, 0], 0, 1).tolist()  # as serving has it
    return np.array(
        [
            (cosine, distribution.deviations(query, cosine))
            for query, cosine in zip(asked.queries.vectors, cosines, strict=True)
        ]
    )
