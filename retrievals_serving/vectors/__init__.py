"""Vector search behind one small interface, so that the engine knows no index library."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Bool = NDArray[np.bool_]
Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]


class VectorSearch(Protocol):
    """The vectors of a release, searchable from any thread.

    Attributes:
        count: How many vectors there are; rows run from 0 to `count` - 1.
        dimension: Width of each.
    """

    count: int
    dimension: int

    def search(self, queries: Float32, k: int, rows: Int32 | None = None) -> tuple[Float32, Int64]:
        """Return the scores and rows, each (nq, k'), of the `k` best vectors for each query.

        The best come first, equal scores in the order of their rows. k' is the smaller of `k` and
        the number of vectors searched.

        Args:
            queries: float32 (nq, dimension), unit rows.
            k: How many to find, at least 1.
            rows: Search these rows only, exactly; sorted, without repeats. All when None.
        """
        ...

    def vector(self, row: int) -> Float32:
        """Return the stored vector of `row`: float32 (dimension,)."""
        ...
