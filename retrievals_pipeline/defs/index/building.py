"""How an index is built of vectors, with FAISS: the same vectors give the same file.

Its k-means is seeded, and sums in an order that does not depend on the threads. A graph does depend
on the order in which threads come to insert: it is built by one.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from retrievals_pipeline.defs.index.blocks import blocks
from retrievals_pipeline.defs.index.kinds import Recipe
from retrievals_pipeline.progress import track

TRAINED_ON = 65_536  # vectors at least, spread evenly
FOR_EACH_LIST = 64  # vectors to place the centroid of an inverted list by


def build(recipe: Recipe, vectors: np.ndarray) -> Any:
    """Return the FAISS index of `recipe` over `vectors`, float16 (n, dimension), unit rows."""
    import faiss

    index = faiss.index_factory(vectors.shape[1], recipe.key, faiss.METRIC_INNER_PRODUCT)
    base = faiss.downcast_index(getattr(index, "base_index", index))
    if isinstance(base, faiss.IndexIVF):
        base.cp.max_points_per_centroid = FOR_EACH_LIST
        base.by_residual = False  # a list holds what it is given, not what is left of it
        if faiss.get_num_gpus():
            # FAISS keeps no reference: this one lasts until the index is trained.
            on_gpus = faiss.index_cpu_to_all_gpus(faiss.IndexFlatIP(base.d))
            base.clustering_index = on_gpus
    if isinstance(base, faiss.IndexHNSW):
        base.hnsw.efConstruction = recipe.build["ef_construction"]
    sample = max(TRAINED_ON, FOR_EACH_LIST * recipe.build.get("lists", 0))
    index.train(evenly(vectors, sample).astype(np.float32))
    if isinstance(base, faiss.IndexIVF):
        base.clustering_index = None  # type: ignore[assignment] # as it is before
    with track(f"index {recipe.kind}", len(vectors)) as advance, _threads(base):
        for block in blocks(vectors):
            index.add(block)
            advance(len(block))
    if isinstance(index, faiss.IndexIVF):
        index.make_direct_map()  # finds the vector of a row among the lists
    return index


def evenly(vectors: np.ndarray, count: int) -> np.ndarray:
    """Return `count` rows of `vectors` spread evenly over them, or all if they are no more."""
    if len(vectors) <= count:
        return vectors
    return vectors[np.linspace(0, len(vectors) - 1, count).astype(np.int64)]


@contextmanager
def _threads(base: Any) -> Iterator[None]:
    """Let one thread insert into a graph, and all of them elsewhere."""
    import faiss

    usual = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1 if isinstance(base, faiss.IndexHNSW) else usual)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(usual)
