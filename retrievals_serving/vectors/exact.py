"""Exact search over the vectors themselves, which every index file holds once.

They are a flat store, float16 as a rule, beside or below an approximate index; or the inverted
lists of an index that keeps whole vectors in them. The store refines, answers filters and gives
single vectors. The pages of the file are mapped: nothing is copied but what is searched alone.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from retrievals_serving.errors import ReleaseDamaged, SettingsError
from retrievals_serving.vectors import Bool, Float32, Int32, Int64

# Up to this share of all rows their vectors are copied and searched alone; above it all rows are
# passed and the others skipped. One query, one core, 1024 numbers, min / median ms:
#     rows         of 68,816 copied    skipped
#        6         0.010               0.130
#      688         0.172 / 0.175       0.211 / 0.216
#    2,064         0.62 / 1.53         0.38 / 0.65
FEW = 1 / 64

Found = tuple[Float32, Int64]
Search = Callable[[Float32, int], Found]


class ExactVectors:
    """The vectors of an index file, searched exactly."""

    def __init__(self, store: Any) -> None:
        """Take the vectors of `store`, a FAISS index.

        Raises:
            ReleaseDamaged: It does not keep them whole.
        """
        faiss = load_faiss()
        quantizer = getattr(store, "sq", None)
        is_float16 = quantizer is not None and quantizer.qtype == faiss.ScalarQuantizer.QT_fp16
        if not (is_float16 or isinstance(store, faiss.IndexFlat)):
            raise ReleaseDamaged(
                f"a {type(store).__name__} keeps no whole vectors; build the release again."
            )
        self._store = store
        self._lists: int | None = store.nlist if isinstance(store, faiss.IndexIVF) else None
        if self._lists is None:
            size = store.ntotal * store.code_size
            codes = faiss.rev_swig_ptr(store.codes.data(), size)
            self._codes = codes.reshape(store.ntotal, store.code_size)

    def search(self, queries: Float32, k: int, rows: Int32 | None = None) -> Found:
        """Return the scores and rows, each (nq, k), of the best of `rows`; see `VectorSearch`.

        `k` is at most their number, and at least 1.
        """
        available = self._store.ntotal if rows is None else len(rows)
        search = self._searching(rows)
        # FAISS keeps any of several vectors that tie for the last place. One more than asked for
        # shows whether they do; then more are fetched until the tie ends inside the answer.
        fetched = min(k + 1, available)
        while True:
            scores, found = search(queries, fetched)
            if fetched == available or (scores[:, -1] < scores[:, k - 1]).all():
                return in_order(scores, found, k)
            fetched = min(4 * fetched, available)

    def vector(self, row: int) -> Float32:
        """Return the vector of `row`: float32 (dimension,)."""
        vector: Float32 = self._store.reconstruct(row)
        return vector

    def _searching(self, rows: Int32 | None) -> Search:
        """Return the way to search `rows`."""
        if rows is None:
            return lambda queries, k: self._store.search(queries, k, params=self._all())
        if self._lists is None and len(rows) <= FEW * self._store.ntotal:
            alone = self._alone(rows)

            def search(queries: Float32, k: int) -> Found:
                scores, places = alone.search(queries, k)
                return scores, rows[places].astype(np.int64)

            return search
        only = self._all(sel=_selector(rows, self._store.ntotal))
        return lambda queries, k: self._store.search(queries, k, params=only)

    def _alone(self, rows: Int32) -> Any:
        """Return an index of copies of the vectors of `rows`, which scores them to the same bit."""
        faiss = load_faiss()
        if isinstance(self._store, faiss.IndexFlat):
            index: Any = faiss.IndexFlatIP(self._store.d)
        else:
            index = faiss.IndexScalarQuantizer(
                self._store.d, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT
            )
        index.add_sa_codes(self._codes[rows])
        return index

    def _all(self, **selection: Any) -> Any:
        """Return FAISS's parameters of a search that passes over no vector of `selection`."""
        faiss = load_faiss()
        if self._lists is None:
            return faiss.SearchParameters(**selection)
        return faiss.SearchParametersIVF(nprobe=self._lists, **selection)


def load_faiss() -> Any:
    """Return the module `faiss`, untyped: its stubs know nothing of what its Python adds.

    Raises:
        SettingsError: It is not installed.
    """
    try:
        import faiss
    except ImportError as error:
        raise SettingsError(
            f"the module faiss cannot be imported ({error}): pip install 'retrievals[cpu]', "
            "or [gpu] on a machine with CUDA."
        ) from error
    return faiss


def in_order(scores: Float32, found: Int64, k: int) -> Found:
    """Return the `k` best of each query, (nq, k), equal scores in the order of their rows."""
    order = np.lexsort((found, -scores), axis=-1)[:, :k]
    return np.take_along_axis(scores, order, axis=1), np.take_along_axis(found, order, axis=1)


def membership(rows: Int32, count: int) -> Bool:
    """Return which of `count` rows are in `rows`: bool (count,)."""
    wanted = np.zeros(count, dtype=bool)
    wanted[rows] = True
    return wanted


def _selector(rows: Int32, count: int) -> Any:
    """Return FAISS's selector of `rows`."""
    faiss = load_faiss()
    bits = np.packbits(membership(rows, count), bitorder="little")
    return faiss.IDSelectorBitmap(bits)
