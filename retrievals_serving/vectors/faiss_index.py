"""Vector search with FAISS over the index file of a release, of whichever kind it is.

    flat, flat-float32     a flat store, float16 or float32: exact
    sq8, pq4               codes of 8 bits for a number, or of 4 bits for two, over a float16 store
    ivf-pq4, hnsw          inverted lists, or a graph, of such codes, over a float16 store
    ivf-flat               inverted lists of whole vectors, float16

Codes find candidates, which are given their exact scores from the store.
"""

from pathlib import Path
from typing import Any

import numpy as np

from retrievals_serving.errors import ReleaseDamaged
from retrievals_serving.release import INDEX, Release
from retrievals_serving.vectors import Float32, Int32, SearchParameters
from retrievals_serving.vectors.exact import ExactVectors, Found, in_order, load_faiss, membership

# What a filter costs, in exact scores of one vector: of rows that are searched exactly, their
# number; by the index, PASS for each vector that it holds and CANDIDATE for each candidate. Where a
# filter keeps a share of the rows, 1 / share times as many are fetched, and some more by MARGIN. By
# this the index is taken where it keeps 0.17 of them for 80, 0.24 for 256. One query, one core,
# 68,816 x 1024, codes of 4 bits, k_factor 4, shortest of 20, ms:
#     share    exact    80 by the index    256 by the index
#     0.1       2.3           2.8                6.7
#     0.2       5.8           2.5                5.1
#     0.3       8.6           2.0                2.8
#     0.9      10.5           1.1                1.7
PASS, CANDIDATE = 1 / 16, 2
MARGIN = 1.3
ALWAYS_EXACT = 4096  # rows: under a millisecond
MORE = 32  # vectors are fetched than asked for: ties end among them, and few have candidates enough

USUAL = SearchParameters()


class FaissIndex:
    """A FAISS index of inner products, opened memory-mapped; see `VectorSearch`.

    The pages of the file are shared by all processes that serve it, but for the 4-bit codes, which
    are copied: of 68,816 x 1024 numbers 18 MB. FAISS releases the GIL while it searches.
    """

    def __init__(self, path: Path, parameters: SearchParameters = USUAL) -> None:
        """Open the index file at `path`, to be searched by `parameters`.

        Raises:
            ReleaseDamaged: The file is no FAISS index, not one of inner products, or not one that
                keeps whole vectors.
            SettingsError: FAISS is not installed.
        """
        faiss = load_faiss()
        try:
            index = faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC)
        except RuntimeError as error:
            raise ReleaseDamaged(
                f"{path} cannot be read as a FAISS index: {error}. Build the release again."
            ) from error
        if index.metric_type != faiss.METRIC_INNER_PRODUCT:
            raise ReleaseDamaged(
                f"{path} is of FAISS metric {index.metric_type}, not of inner products; "
                "build the release again."
            )
        self.count: int = index.ntotal
        self.dimension: int = index.d
        self._index = index
        refined = isinstance(index, faiss.IndexRefine)
        self._exact = ExactVectors(faiss.downcast_index(index.refine_index) if refined else index)
        self._is_approximate = refined or isinstance(index, faiss.IndexIVF)
        self._k_factor = parameters.k_factor
        self._parameters = _faiss_parameters(index, parameters)

    def search(self, queries: Float32, k: int, rows: Int32 | None = None) -> Found:
        """Return the scores and rows, each (nq, k'), of the `k` best vectors for each query."""
        available = self.count if rows is None else len(rows)
        k = min(k, available)
        if k == 0:
            nothing = (len(queries), 0)
            return np.empty(nothing, np.float32), np.empty(nothing, np.int64)
        fetched = self._to_fetch(k, rows) if self._is_approximate else None
        if fetched is None:
            return self._exact.search(queries, k, rows)
        scores, found = self._index.search(queries, fetched, params=self._parameters)
        lowest = scores[:, -1].copy()
        scores[found < 0] = -np.inf
        if rows is not None:
            scores[~membership(rows, self.count)[found]] = -np.inf
        scores, found = in_order(scores, found, k)
        # The others found too few, or the last place is a tie that goes on behind what was fetched.
        settled = np.isfinite(scores[:, -1]) & (lowest < scores[:, -1])
        if not settled.all():
            scores[~settled], found[~settled] = self._exact.search(queries[~settled], k, rows)
        return scores, found

    def vector(self, row: int) -> Float32:
        """Return the stored vector of `row`: float32 (dimension,)."""
        return self._exact.vector(row)

    def _to_fetch(self, k: int, rows: Int32 | None) -> int | None:
        """Return how many of all vectors to fetch for the `k` best of `rows`.

        None where an exact search costs less, or where it is all of them.
        """
        fetched = k + MORE
        if rows is not None:
            fetched = int(MARGIN * fetched * self.count / len(rows))
            by_the_index = PASS * self.count + CANDIDATE * self._k_factor * fetched
            if len(rows) <= max(ALWAYS_EXACT, by_the_index):
                return None
        return fetched if fetched < self.count else None


def open_index(release: Release) -> FaissIndex:
    """Open the index of `release`, to be searched as its manifest says.

    Raises:
        ReleaseDamaged, SettingsError: As for `FaissIndex`.
    """
    return FaissIndex(release.path(INDEX), release.manifest.index.search)


def _faiss_parameters(index: Any, parameters: SearchParameters) -> Any:
    """Return `parameters` as FAISS takes them for `index`."""
    faiss = load_faiss()
    if isinstance(index, faiss.IndexRefine):
        base = _faiss_parameters(faiss.downcast_index(index.base_index), parameters)
        return faiss.IndexRefineSearchParameters(
            k_factor=parameters.k_factor, base_index_params=base
        )
    if isinstance(index, faiss.IndexIVF):
        return faiss.SearchParametersIVF(nprobe=parameters.nprobe)
    if isinstance(index, faiss.IndexHNSW):
        return faiss.SearchParametersHNSW(efSearch=parameters.ef_search)
    return None
