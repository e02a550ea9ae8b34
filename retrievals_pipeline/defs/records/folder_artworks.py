"""`records/artworks.parquet` from a folder of pictures, and what `metadata.csv` says of them.

What the columns mean is said in `folder_artworks.sql`.
"""

import logging
from collections import Counter
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from retrievals_pipeline.defs.records.artworks import (
    ALL_ROWS,
    ArtworksSummary,
    read_csv,
    write_artworks,
)
from retrievals_pipeline.defs.records.folder_listing import (
    METADATA_CSV,
    SUFFIXES,
    UNREADABLE,
    Listed,
    list_files,
)
from retrievals_pipeline.defs.records.paths import ARTWORKS, REMARKS
from retrievals_pipeline.defs.records.tables import read_header
from retrievals_pipeline.defs.records.urls import WEB_ADDRESS
from retrievals_pipeline.progress import track
from retrievals_serving.errors import SourceError
from retrievals_serving.store import Store

logger = logging.getLogger(__name__)

SQL = Path(__file__).with_name("folder_artworks.sql")
TOLD = "select remark, concat_ws(': ', file, value) from remarks"
REMARKED = "select file, concat_ws(': ', remark, value) as remark from remarks"
FILENAME = "filename"
COLUMNS = (
    FILENAME, "title", "artist", "date", "begin_year", "end_year", "medium", "classification",
    "credit", "artwork_url", "description",
)  # fmt: skip
KEPT = "kept as it was when it could be read"
EXAMPLES = 5  # of the files of one remark, in the log


def build_folder_artworks(
    root: Path, store: Store, *, source: str, box: int, limit: int | None
) -> ArtworksSummary:
    """List the pictures below `root` and put `records/artworks.parquet` in place of the last one.

    What is worth telling of single files is put beside it. A work of which the folder cannot be
    read stays as it was: that it cannot be seen does not say that it is gone.

    Args:
        root: The folder.
        store: Where the tables are put.
        source: First part of the works' ids.
        box: Side in pixels of the square that pictures are made to fit.
        limit: Keep only the first works in the order of their ids.

    Raises:
        SourceError: The folder or its `metadata.csv` cannot be read, or there is no picture. The
            last good table stays.
    """
    with track("records", 1) as advance, duckdb.connect() as connection:
        listed = list_files(root, leave_out=store.root)
        _load_files(connection, listed, _unseen(listed, store))
        _load_rows(connection, root / METADATA_CSV)
        connection.execute("set variable source = ?", [source])
        connection.execute("set variable box = ?", [box])
        connection.execute("set variable web_address = ?", [WEB_ADDRESS])
        connection.execute("set variable row_limit = ?", [limit or ALL_ROWS])
        connection.execute(SQL.read_text(encoding="utf-8"))
        _tell(root, connection.sql(TOLD).fetchall())
        with store.replacing(REMARKS) as partial:
            connection.sql(REMARKED).write_parquet(str(partial), compression="zstd")
        summary = write_artworks(
            connection, store, nothing=f"{root} holds no picture ({', '.join(sorted(SUFFIXES))})"
        )
        advance(1)
        return summary


def _unseen(listed: Sequence[Listed], store: Store) -> list[Listed]:
    """Return the files of the last table that are, or lie below, what may not be read now."""
    closed = tuple(f"{file.path}/" for file in listed if file.left_out == UNREADABLE)
    if not closed or not store.exists(ARTWORKS):
        return []
    last = pq.read_table(store.path(ARTWORKS), columns=["image_url", "image_modified"]).to_pylist()
    return [
        Listed(row["image_url"], version=row["image_modified"].rpartition("-")[0])
        for row in last
        if f"{row['image_url']}/".startswith(closed)
    ]


def _load_files(
    connection: duckdb.DuckDBPyConnection, listed: Sequence[Listed], unseen: Sequence[Listed]
) -> None:
    """Create the tables `files`, with those that are kept `unseen`, and `told`."""
    pictures = [*(file for file in listed if not file.left_out), *unseen]
    told = [(file.path, file.left_out) for file in listed if file.left_out]
    told += [(file.path, KEPT) for file in unseen]
    tables = {
        "files": {
            "path": [file.path for file in pictures],
            "stem": [PurePosixPath(file.path).stem for file in pictures],
            "version": [file.version for file in pictures],
        },
        "told": {
            "file": [file for file, _ in told],
            "remark": [remark for _, remark in told],
        },
    }
    for name, columns in tables.items():
        arrays = {column: pa.array(values, pa.string()) for column, values in columns.items()}
        connection.register(name, pa.table(arrays))


def _load_rows(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Create the table `rows` of `metadata.csv`, empty where there is none.

    Raises:
        SourceError: It is not well formed, or lacks the column `filename`.
    """
    is_described = path.is_file()
    connection.execute("set variable is_described = ?", [is_described])
    if not is_described:
        columns = ", ".join(f"null::varchar as {column}" for column in COLUMNS)
        connection.execute(f"create temp table rows as select {columns} limit 0")
        return
    header = _header(path)
    select = ", ".join(
        column if column in header else f"null::varchar as {column}" for column in COLUMNS
    )
    read_csv(connection, "rows", path, header=header, select=select, origin=str(path))


def _header(path: Path) -> list[str]:
    """Return the names of the columns: those that are not used are called by their place.

    Raises:
        SourceError: `filename` is not among them, or one is there twice.
    """
    written = read_header(path)
    names = [name.strip().lower() for name in written]
    if FILENAME not in names:
        raise SourceError(
            f"{path} lacks the column {FILENAME}, the path of a picture in the folder; its first "
            f"line, which must name the columns with commas between, has {', '.join(written)}. "
            "The last good table is kept."
        )
    if repeated := [name for name, count in Counter(names).items() if name and count > 1]:
        raise SourceError(
            f"{path} has the column{'s' if len(repeated) > 1 else ''} {', '.join(repeated)} more "
            "than once; the last good table is kept."
        )
    if unused := [name for name in names if name and name not in COLUMNS]:
        logger.warning(
            "%s: %s not used; the columns that are: %s",
            path, ", ".join(unused), ", ".join(COLUMNS),
        )  # fmt: skip
    return [name if name in COLUMNS else f"#{place}" for place, name in enumerate(names)]


def _tell(root: Path, remarks: Sequence[tuple[str, str]]) -> None:
    """Log each remark with how many files it is of, and name some."""
    files: dict[str, list[str]] = {}
    for remark, file in remarks:
        files.setdefault(remark, []).append(file)
    for remark, named in sorted(files.items()):
        more = ", …" if len(named) > EXAMPLES else ""
        logger.warning(
            "%s: %d × %s: %s%s", root, len(named), remark, ", ".join(named[:EXAMPLES]), more
        )
