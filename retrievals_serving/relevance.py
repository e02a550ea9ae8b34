"""Whether the best works of an answer fit its text better than chance would have it.

    scores.npy    float32 (1 + dimension, dimension): the mean m of all vectors, their covariance C

The cosines of a query q with all works of a release have a mean and a standard deviation, which
follow exactly from those of the vectors: `q·m`, and the root of `qᵀCq`. Two numbers tell of the
best work: its cosine, and by how many deviations it is above the mean. A text that says much finds
works far out, of no high cosine; one that many works fit finds high cosines, not far out. How much
each tells hangs on the model and on the collection: it is learned when the release is built, from
texts of the collection and from texts about what no museum shows.
"""

import math
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from retrievals_serving.errors import ReleaseDamaged
from retrievals_serving.vectors import Float32, Float64

LEAST_VARIANCE = 1e-9  # of cosines; less is rounding
Relevance = Literal["strong", "weak", "nothing"]


class Fit(BaseModel):
    """What the best work tells: `cosine · its cosine + deviations · how far out it is`.

    Attributes:
        cosine: Weight of the cosine.
        deviations: Weight of the standard deviations above the mean.
        weak: From where on an answer is no longer `nothing`.
        strong: From where on it is more than `weak`.
    """

    model_config = ConfigDict(frozen=True)

    cosine: float
    deviations: float
    weak: float
    strong: float

    def relevance(self, cosine: float, deviations: float) -> Relevance:
        """Judge an answer by its best work."""
        fit = self.cosine * cosine + self.deviations * deviations
        if fit < self.weak:
            return "nothing"
        return "strong" if fit >= self.strong else "weak"


class ScoreDistribution:
    """The distribution of any query's cosines with all works of a release.

    Attributes:
        dimension: Width of the vectors.
    """

    def __init__(self, moments: Float32) -> None:
        """Take the mean of the vectors, and below it their covariance: (1 + dimension, dimension).

        Raises:
            ValueError: They have not that shape, or are no finite numbers.
        """
        if moments.ndim != 2 or moments.shape[0] != moments.shape[1] + 1:
            raise ValueError(f"it has the shape {moments.shape}, not (1 + dimension, dimension)")
        if moments.dtype != np.float32 or not np.isfinite(moments).all():
            raise ValueError("it has other numbers than finite ones of 32 bits")
        self.dimension: int = moments.shape[1]
        self._mean, self._covariance = moments[0], moments[1:]

    @classmethod
    def read(cls, path: Path) -> "ScoreDistribution":
        """Read the file at `path`.

        Raises:
            ReleaseDamaged: It is no such file.
        """
        try:
            return cls(np.load(path, allow_pickle=False))
        except (OSError, EOFError, ValueError) as error:
            raise ReleaseDamaged(
                f"{path} cannot be read as mean and covariance of a release's vectors: {error}. "
                "Build it again."
            ) from error

    def mean_differs(self, mean: Float64) -> float:
        """Return the distance of `mean`, (dimension,), from the mean that is kept."""
        return float(np.linalg.norm(mean - self._mean))

    def deviations(self, query: Float32, cosine: float) -> float:
        """Return how many standard deviations `cosine` is above the mean of those of `query`.

        `query` is float32 (dimension,). Where all cosines are one and the same it is 0.
        """
        # Not by BLAS, whose threads spin on for milliseconds, in the way of the next search.
        variance = float(np.einsum("ij,j->i", self._covariance, query) @ query)
        if variance < LEAST_VARIANCE:
            return 0.0
        return (cosine - float(query @ self._mean)) / math.sqrt(variance)
