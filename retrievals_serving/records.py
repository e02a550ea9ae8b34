"""The records of a release as they are shown: `records.arrow`, mapped, row i that of work i.

An Arrow IPC file is read where it lies: what a page shows is copied out of it, and nothing else.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import fields
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from retrievals_serving.errors import ReleaseDamaged, ReleaseError, UnknownArtwork
from retrievals_serving.pages import Artwork

if TYPE_CHECKING:
    import pyarrow as pa

# The address of the thumbnail follows from the picture's hash.
COLUMNS = tuple(
    "image_sha256" if field.name == "thumbnail_url" else field.name for field in fields(Artwork)
)

BATCH = 4096  # works whose texts are Python's at once

Rows = Sequence[int] | NDArray[np.integer[Any]]


class Records:
    """What a release shows of each work, found by row, from any thread."""

    def __init__(self, path: Path) -> None:
        """Map the file at `path`.

        Raises:
            ReleaseDamaged: It is no Arrow file, or has not the columns that are shown.
        """
        self._table: pa.Table | None = read_table(path)
        self.count: int = self._shown.num_rows

    def close(self) -> None:
        """Let go of the file; to ask afterwards is a ReleaseError."""
        self._table = None

    def at(self, rows: Rows) -> list[dict[str, Any]]:
        """Return the records of `rows`, in their order; each has the fields of `pages.Artwork`."""
        records: list[dict[str, Any]] = self._shown.take(_indices(rows)).to_pylist()
        for record in records:
            record["thumbnail_url"] = f"/thumbnails/{record.pop('image_sha256')}"
        return records

    def picture_hashes(self, rows: Rows) -> list[str]:
        """Return the sha256 of the pictures of `rows`, in their order."""
        hashes: list[str] = self._shown["image_sha256"].take(_indices(rows)).to_pylist()
        return hashes

    def picture_addresses(self, rows: Rows) -> list[str]:
        """Return where the pictures of `rows` came from, as `Artwork.image_url`, in their order."""
        addresses: list[str] = self._shown["image_url"].take(_indices(rows)).to_pylist()
        return addresses

    def texts(self, names: Sequence[str]) -> Iterator[tuple[str, ...]]:
        """Return an iterator over the columns `names` of all works, in the order of their rows."""
        batches = self._shown.select(names).to_batches(max_chunksize=BATCH)
        return chain.from_iterable(
            zip(*(column.to_pylist() for column in batch.columns), strict=True) for batch in batches
        )

    def row_of(self, artwork_id: str) -> int:
        """Return the row of the work `artwork_id`; the rows are in the order of the ids.

        Raises:
            UnknownArtwork: It is not in the release.
        """
        ids = self._shown["id"]
        row = bisect_left(range(self.count), artwork_id, key=lambda row: ids[row].as_py())
        if row == self.count or ids[row].as_py() != artwork_id:
            raise UnknownArtwork(
                f"no work of this release has the id {artwork_id!r}; ids look like 'nga:46569'."
            )
        return row

    @property
    def _shown(self) -> "pa.Table":
        if self._table is None:
            raise ReleaseError("the engine was closed: open another one.")
        return self._table


def _indices(rows: Rows) -> "pa.Array":
    """Return `rows` as Arrow takes them; made of the bytes, since `pa.array` would load pandas."""
    import pyarrow as pa

    numbers = np.ascontiguousarray(rows, np.int64)
    return pa.Array.from_buffers(pa.int64(), len(numbers), [None, pa.py_buffer(numbers)])


def write_table(table: "pa.Table", path: Path) -> None:
    """Write the records in `table`, of which row i is that of work i, to `path`."""
    import pyarrow as pa

    # In one piece each column is found without a search; `combine_chunks` splits what is too large.
    whole = table.select(COLUMNS).combine_chunks()
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, whole.schema) as writer:
        writer.write_table(whole)


def read_table(path: Path) -> "pa.Table":
    """Return what `write_table` wrote, mapped.

    Raises:
        ReleaseDamaged: It cannot be read.
    """
    import pyarrow as pa
    import pyarrow.compute  # which the first `take` would load, while a visitor waits

    try:
        table = pa.ipc.open_file(pa.memory_map(str(path))).read_all()
        table.validate(full=True)  # else a damaged one would be read out of its bounds
        return table.select(COLUMNS)
    except (pa.ArrowException, OSError, LookupError) as error:
        raise ReleaseDamaged(
            f"{path} cannot be read as the records of a release: {error}. Build it again."
        ) from error
