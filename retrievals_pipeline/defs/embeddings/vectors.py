"""The stored vectors of one shard under one corpus contract.

    embeddings/<corpus contract>/<shard>/part-<number>.parquet    id, image_sha256, embedding

A part is written for each batch, so that a kill loses one batch; a finished shard is compacted
into one part. A vector belongs to a picture, not to a work: it is found by the picture's hash.
"""

from collections.abc import Collection, Container, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path, PurePosixPath

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from retrievals_pipeline.damage import using
from retrievals_serving.store import Store

REMEDY = "Remove it: its pictures are then embedded again."
TOLERANCE = 1e-2  # in a length; float16 keeps it to 5e-4


def are_unit(vectors: np.ndarray) -> np.ndarray:
    """Tell of each row of `vectors` (n, dimension) whether it is finite and of length 1: bool (n,).

    What is not cannot be compared with the others, and would be found for every query or for none.
    """
    with np.errstate(over="ignore"):
        lengths = np.linalg.norm(vectors.astype(np.float32), axis=1)
    unit: np.ndarray = np.abs(lengths - 1) < TOLERANCE  # NaN is not
    return unit


class VectorShard:
    """The parts of one shard.

    Its methods raise a ShardError that names the file when a part cannot be read or written.
    """

    def __init__(self, store: Store, corpus_contract: str, shard: str) -> None:
        self.store = store
        self.folder = f"embeddings/{corpus_contract}/{shard}"

    def parts(self) -> list[str]:
        """Return the names of the parts, oldest first."""
        return self.store.names(f"{self.folder}/part-*.parquet")

    def pairs(self) -> set[tuple[str, str]]:
        """Return the (work id, picture hash) pairs that have a vector, which is not read.

        Checksums are seen only of what is read: see `verify`.
        """
        pairs: set[tuple[str, str]] = set()
        for _, table in self._read("id", "image_sha256"):
            pairs.update(zip(*(column.to_pylist() for column in table.columns), strict=True))
        return pairs

    def verify(self) -> None:
        """Read every part whole, and with it all checksums, once in this process."""
        for part in self.parts():
            path = self.store.path(part)
            with using(path, REMEDY):
                state = path.stat()
                _verify(path, state.st_mtime_ns, state.st_size)

    def vectors(self) -> dict[str, np.ndarray]:
        """Return the vectors by picture hash, each float16 (native dimension,)."""
        vectors: dict[str, np.ndarray] = {}
        for _, table in self._read("image_sha256", "embedding"):
            hashes = table["image_sha256"].to_pylist()
            if hashes:
                flat = table["embedding"].chunk(0).flatten().to_numpy()
                vectors.update(zip(hashes, flat.reshape(len(hashes), -1), strict=True))
        return vectors

    def append(self, pairs: Sequence[tuple[str, str]], vectors: np.ndarray) -> None:
        """Write a part: `vectors` (n, native dimension) of n (work id, picture hash) pairs."""
        parts = self.parts()
        number = 1 + int(PurePosixPath(parts[-1]).stem.removeprefix("part-")) if parts else 0
        flat = pa.array(np.ascontiguousarray(vectors, np.float16).reshape(-1))
        table = pa.table(
            {
                "id": pa.array([id_ for id_, _ in pairs], pa.string()),
                "image_sha256": pa.array([sha for _, sha in pairs], pa.string()),
                "embedding": pa.FixedSizeListArray.from_arrays(flat, vectors.shape[1]),
            }
        )
        self._write(f"{self.folder}/part-{number:06d}.parquet", table)

    def compact(self, wanted: Mapping[str, str]) -> None:
        """Leave one part, sorted by id, in which each of `wanted` (work id → picture hash) is.

        No vector is dropped: what is not wanted now, after a smaller build or a bad day of the
        museum's files, costs no forward when it is wanted again. `keep` drops vectors.
        """
        parts, pairs = self.parts(), self.pairs()
        known = {sha for _, sha in pairs}
        whole = pairs | {(id_, sha) for id_, sha in wanted.items() if sha in known}
        if len(parts) <= 1 and whole == pairs:
            return
        vectors = self.vectors()
        ordered = sorted(whole)
        self.append(ordered, np.stack([vectors[sha] for _, sha in ordered]))
        for part in parts:
            self.store.remove(part)

    def keep(self, pictures: Container[str]) -> None:
        """Drop the vectors of all pictures but these, part by part."""
        for part, table in self._read():
            shas = table["image_sha256"].to_pylist()
            kept = table.filter(pa.array([sha in pictures for sha in shas], pa.bool_()))
            if kept.num_rows == 0:
                self.store.remove(part)
            elif kept.num_rows < table.num_rows:
                self._write(part, kept)

    def _read(self, *columns: str) -> Iterator[tuple[str, pa.Table]]:
        """Yield the name of each part and these of its columns, or all, in one chunk."""
        for part in self.parts():
            path = self.store.path(part)
            with using(path, REMEDY):
                table = pq.read_table(
                    path, columns=[*columns] or None, page_checksum_verification=True
                )
            yield part, table.combine_chunks()

    def _write(self, part: str, table: pa.Table) -> None:
        with using(self.store.path(part), REMEDY), self.store.replacing(part) as partial:
            # What hardly repeats gains nothing from a dictionary, and is read in a quarter of the
            # time without.
            pq.write_table(
                table, partial, use_dictionary=False, compression="none", write_page_checksum=True
            )


@cache
def _verify(path: Path, modified_ns: int, size: int) -> None:  # noqa: ARG001 - another file then
    pq.read_table(path, columns=["embedding"], page_checksum_verification=True)


def vector_shards(
    store: Store, corpus_contract: str = "*", *, without: Collection[str] = ()
) -> list[VectorShard]:
    """Return the shards that have parts of vectors, of any number of shards, besides those named.

    By default of every model.
    """
    parts = set(store.names(f"embeddings/{corpus_contract}/*/part-*.parquet")).difference(without)
    folders = sorted({PurePosixPath(part).parent for part in parts})
    return [VectorShard(store, folder.parent.name, folder.name) for folder in folders]
