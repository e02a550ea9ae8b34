"""Many vectors a part at a time, so that a copy of them in float32 need not fit in memory."""

from collections.abc import Iterator

import numpy as np

from retrievals_serving.vectors import Float32

BLOCK = 65_536  # vectors


def blocks(vectors: np.ndarray) -> Iterator[Float32]:
    """Yield `vectors`, (n, dimension) of any float type, in order: float32, up to 65,536 rows."""
    for start in range(0, len(vectors), BLOCK):
        yield vectors[start : start + BLOCK].astype(np.float32)
