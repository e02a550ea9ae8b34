"""Vector search behind one small interface, so that the engine knows no index library."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Bool = NDArray[np.bool_]
Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]


@dataclass(frozen=True)
class SearchParameters:
    """How thoroughly an approximate index is searched; a kind without a use for one ignores it.

    Attributes:
        k_factor: Candidates that are given their exact score, for each result that is asked for.
        nprobe: Inverted lists that are looked through.
        ef_search: Candidates that a walk through a graph keeps, at least as many as it is to find.
    """

    k_factor: float = 1.0
    nprobe: int = 1
    ef_search: int = 16


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

        Scores are exact. An approximate index may overlook a vector that belongs in the answer, one
        of several equal ones too; it gives the same answer to the same question every time.

        Args:
            queries: float32 (nq, dimension), unit rows.
            k: How many to find, at least 1.
            rows: Search these rows only; sorted, without repeats. All when None. Few are searched
                exactly, most of all as well as all are.
        """
        ...

    def vector(self, row: int) -> Float32:
        """Return the stored vector of `row`: float32 (dimension,)."""
        ...
