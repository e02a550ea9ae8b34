"""Vectors that nobody embedded, with the spectrum that embeddings have: to measure at any size.

A picture's vector is a mean that all share, a topic that some share, and what is its own, each
drawn with a variance that falls off as a power law, along directions that are no axes. A text has
another mean, and says less of what it is about: it is far from all pictures, as text queries are.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from retrievals_serving.vectors import Float32

TOPICS = 400
BLOCK = 16_384  # vectors drawn at a time, from a seed of their own
DECAY = 0.5  # the length along the i-th direction falls off as i ** -DECAY
# Shares of the squared length: of the mean, of the topic, of what is the vector's own.
PICTURE = (0.3, 0.3, 0.4)
TEXT = (0.3, 0.2, 0.5)
TEXT_FROM_ELSEWHERE = (0.3, 0.0, 0.7)


@dataclass(frozen=True)
class Simulation:
    """A collection of vectors of `dimension` numbers: the same for the same `seed`, everywhere."""

    dimension: int
    seed: int = 0

    def pictures(self, count: int) -> Iterator[Float32]:
        """Yield vectors of `count` pictures, float32 (n, dimension), n at most `BLOCK`."""
        return self._drawn(count, PICTURE, mean=self._means[0], stream=1)

    def texts(self, count: int) -> Iterator[Float32]:
        """Yield vectors of `count` texts about such pictures, float32 (n, dimension)."""
        return self._drawn(count, TEXT, mean=self._means[1], stream=2)

    def texts_from_elsewhere(self, count: int) -> Iterator[Float32]:
        """Yield vectors of `count` texts that are about no such picture: they have no topic."""
        return self._drawn(count, TEXT_FROM_ELSEWHERE, mean=self._means[1], stream=3)

    def _drawn(
        self, count: int, shares: Sequence[float], *, mean: Float32, stream: int
    ) -> Iterator[Float32]:
        """Yield unit rows of which each part has its share of the squared length."""
        for number, start in enumerate(range(0, count, BLOCK)):
            chance = np.random.default_rng([self.seed, stream, number])
            topics = self._topics[chance.integers(TOPICS, size=BLOCK)]
            parts = (mean, topics, self._along_the_spectrum(chance, BLOCK))
            whole = sum(np.sqrt(share) * part for share, part in zip(shares, parts, strict=True))
            yield _unit(np.asarray(whole, np.float32))[: count - start]

    def _along_the_spectrum(self, chance: np.random.Generator, count: int) -> Float32:
        lengths = np.arange(1, self.dimension + 1, dtype=np.float32) ** -DECAY
        drawn = chance.standard_normal((count, self.dimension), dtype=np.float32) * lengths
        return _unit(drawn @ self._rotation)

    @cached_property
    def _rotation(self) -> Float32:
        """Directions at random: without it each of the vectors' numbers would have its own size."""
        chance = np.random.default_rng([self.seed, 0])
        rotation, _ = np.linalg.qr(chance.standard_normal((self.dimension, self.dimension)))
        return rotation.astype(np.float32)

    @cached_property
    def _topics(self) -> Float32:
        return self._along_the_spectrum(np.random.default_rng([self.seed, 3]), TOPICS)

    @cached_property
    def _means(self) -> Float32:
        return self._along_the_spectrum(np.random.default_rng([self.seed, 4]), 2)


def _unit(vectors: Float32) -> Float32:
    unit: Float32 = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit
