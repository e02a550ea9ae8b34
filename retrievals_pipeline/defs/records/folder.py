"""`records/artworks.parquet` from a folder of pictures, and what `metadata.csv` says of them.

What the columns mean is said in `folder.sql`.
"""

import logging
from collections import Counter
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import duckdb
import pyarrow as pa

from retrievals_pipeline.defs.records.artworks import (
    ALL_ROWS,
    ArtworksSummary,
    read_csv,
    write_artworks,
)
from retrievals_pipeline.defs.records.files import METADATA_CSV, SUFFIXES, Listed, list_files
from retrievals_pipeline.defs.records.paths import REMARKS
from retrievals_pipeline.defs.records.tables import read_header
from retrievals_pipeline.progress import track
from retrievals_serving.errors import SourceError
from retrievals_serving.store import Store

logger = logging.getLogger(__name__)

SQL = Path(__file__).with_name("folder.sql")
FILENAME = "filename"
COLUMNS = (
    FILENAME, "title", "artist", "date", "begin_year", "end_year", "medium", "classification",
    "credit", "artwork_url", "description",
)  # fmt: skip
EXAMPLES = 5  # of the files of one remark, in the log


def build_folder_artworks(
    root: Path, store: Store, *, source: str, box: int, limit: int | None
) -> ArtworksSummary:
    """List the pictures below `root` and put `records/artworks.parquet` in place of the last one.

    What is worth telling of single files is put beside it.

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
        _load_files(connection, list_files(root, leave_out=store.root))
        _load_rows(connection, root / METADATA_CSV)
        connection.execute("set variable source = ?", [source])
        connection.execute("set variable box = ?", [box])
        connection.execute("set variable row_limit = ?", [limit or ALL_ROWS])
        connection.execute(SQL.read_text(encoding="utf-8"))
        _tell(root, connection.sql("select remark, file from remarks").fetchall())
        with store.replacing(REMARKS) as partial:
            connection.sql("from remarks").write_parquet(str(partial), compression="zstd")
        summary = write_artworks(
            connection, store, nothing=f"{root} holds no picture ({', '.join(sorted(SUFFIXES))})"
        )
        advance(1)
        return summary


def _load_files(connection: duckdb.DuckDBPyConnection, files: Sequence[Listed]) -> None:
    """Create the tables `files` and `left_out`."""
    pictures = [file for file in files if not file.left_out]
    others = [file for file in files if file.left_out]
    tables = {
        "files": {
            "path": [file.path for file in pictures],
            "stem": [PurePosixPath(file.path).stem for file in pictures],
            "version": [file.version for file in pictures],
        },
        "left_out": {
            "path": [file.path for file in others],
            "reason": [file.left_out for file in others],
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
