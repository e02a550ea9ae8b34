"""hnswlib and usearch: an environment of their own, and what comes of each, by its Python.

Nothing here imports the project, which is not installed there.
"""

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.index_queries import Asked, Search, measured

REQUIREMENTS = ("hnswlib==0.8.0", "usearch==2.21.0", "numpy")
CONSTRUCTION = 200  # candidates that are kept when a vector is inserted
# Candidates that a search keeps: the first that finds enough is the one to compare with.
SEARCH = (256, 512, 1024)
M = 32  # neighbours of a vector
ENOUGH = 0.999


def hnswlib(vectors: np.ndarray, path: Path) -> Iterator[tuple[str, float, Search]]:
    """Yield what was searched, how long its index took to build, and its search."""
    from hnswlib import Index

    index = Index(space="ip", dim=vectors.shape[1])
    index.init_index(max_elements=len(vectors), M=M, ef_construction=CONSTRUCTION)
    started = time.perf_counter()
    for start in range(0, len(vectors), 65_536):
        index.add_items(vectors[start : start + 65_536].astype(np.float32))
    seconds = time.perf_counter() - started
    index.save_index(str(path))

    def search(queries: np.ndarray, k: int) -> np.ndarray:
        rows: np.ndarray = index.knn_query(queries, k=k)[0]
        return rows.astype(np.int64)

    for ef in SEARCH:
        index.set_ef(ef)
        yield f"hnswlib, float32, M {M}, ef {ef}", seconds, search


def usearch(vectors: np.ndarray, dtype: str, path: Path) -> Iterator[tuple[str, float, Search]]:
    """Yield what was searched, how long its index took to build, and its search."""
    from usearch.index import Index

    index = Index(
        ndim=vectors.shape[1], metric="ip", dtype=dtype, connectivity=M, expansion_add=CONSTRUCTION
    )
    started = time.perf_counter()
    for start in range(0, len(vectors), 65_536):
        block = vectors[start : start + 65_536]
        index.add(np.arange(start, start + len(block)), block.astype(np.float32))
    seconds = time.perf_counter() - started
    index.save(str(path))

    def search(queries: np.ndarray, k: int) -> np.ndarray:
        keys = index.search(np.ascontiguousarray(queries), k).keys.astype(np.int64)
        return keys.reshape(len(queries), -1)

    for ef in SEARCH:
        index.expansion_search = ef
        yield f"usearch, {dtype}, M {M}, ef {ef}", seconds, search


def main(folder: Path, name: str) -> None:
    """Measure one of them, and print a list of figures."""
    asked = Asked.read(folder)
    path = folder / "theirs"
    library, _, dtype = name.partition(":")
    sides = (
        usearch(asked.vectors, dtype, path)
        if library == "usearch"
        else hnswlib(asked.vectors, path)
    )
    rows = []
    for title, seconds, search in sides:
        figures = measured(search, asked)
        rows.append({"title": title, "build": seconds, "bytes": path.stat().st_size, **figures})
        if min(found for name, found in figures.items() if name.startswith("recall")) >= ENOUGH:
            break
    print(json.dumps({"rows": rows}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
