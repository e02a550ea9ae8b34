"""`records/artworks.parquet`: the works that may be shown, from a museum's CSV files."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
from duckdb.sqltypes import BIGINT, VARCHAR

from retrievals_pipeline.defs.records.paths import ARTWORKS
from retrievals_pipeline.defs.records.tables import NEEDED_COLUMNS, fetch_tables, read_header
from retrievals_pipeline.defs.records.urls import artwork_url, image_url
from retrievals_serving.errors import SourceError
from retrievals_serving.store import Store, file_sha256

SQL = Path(__file__).with_name("artworks.sql")
ALL_ROWS = 2**62


@dataclass(frozen=True)
class ArtworksSummary:
    """What one reading of the records gave.

    Attributes:
        works: Rows of the table.
        objects: How many objects the records name.
        open_objects: How many of them may be shown; more than `works` where a limit is set.
        dropped: How many rows of the files were left out, by reason.
        columns: The table's columns (name → type).
        sha256: Hash of the table's bytes.
    """

    works: int
    objects: int
    open_objects: int
    dropped: dict[str, int]
    columns: dict[str, str]
    sha256: str


def build_artworks(
    tables: str,
    store: Store,
    *,
    source: str,
    page: str,
    box: int,
    limit: int | None,
    contact: str | None = None,
) -> ArtworksSummary:
    """Read a museum's records and put `records/artworks.parquet` in place of the last one.

    The same records give the same bytes.

    Args:
        tables: Folder or URL that holds the CSV files.
        store: Where the table is put.
        source: First part of the works' ids.
        page: Address of a work's page, with `{}` for the object id.
        box: Side in pixels of the square that pictures are fetched to fit.
        limit: Keep only the first works in the order of their ids.
        contact: Address of whoever runs this, for the user agent.

    Raises:
        SourceError: A file cannot be read or lacks a column, or no work may be shown. The last
            good table stays.
    """
    paths = fetch_tables(tables, store, contact=contact)
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        connection.create_function(
            "image_url", lambda iiif_url: image_url(iiif_url, box), [VARCHAR], VARCHAR
        )
        connection.create_function(
            "artwork_url", lambda object_id: artwork_url(page, object_id), [BIGINT], VARCHAR
        )
        connection.execute("set variable source = ?", [source])
        connection.execute("set variable row_limit = ?", [limit or ALL_ROWS])
        for table, path in paths.items():
            _load(connection, table, path, origin=f"{tables}/{table}.csv")
        connection.execute(SQL.read_text(encoding="utf-8"))
        return write_artworks(
            connection, store, nothing=f"{tables} holds no work with an open primary image"
        )


def write_artworks(
    connection: duckdb.DuckDBPyConnection, store: Store, *, nothing: str
) -> ArtworksSummary:
    """Write the table `artworks` of `connection`.

    Its table `offered` says of how many objects they are, `dropped` counts what is not in it.

    Raises:
        SourceError: It is empty, which `nothing` says. The last good table stays.
    """
    works = connection.sql("from artworks").count("*").fetchall()[0][0]
    if works == 0:
        raise SourceError(f"{nothing}; the last good table is kept.")
    ((objects, open_objects),) = connection.sql("from offered").fetchall()
    with store.replacing(ARTWORKS) as partial:
        connection.sql("from artworks").write_parquet(str(partial), compression="zstd")
    return ArtworksSummary(
        works=works,
        objects=objects,
        open_objects=open_objects,
        dropped=dict(connection.sql("from dropped").fetchall()),
        columns={row[0]: row[1] for row in connection.sql("describe artworks").fetchall()},
        sha256=file_sha256(store.path(ARTWORKS)),
    )


def _load(connection: duckdb.DuckDBPyConnection, table: str, path: Path, origin: str) -> None:
    """Create `table` from a CSV file: the needed columns, and `openaccess` where it may lack."""
    header = read_header(path)
    columns = [f'"{column}"' for column in NEEDED_COLUMNS[table]]
    if table == "published_images":
        # A blank field is read as null; a column that lacks is null in every row.
        columns.append(
            "coalesce(trim(openaccess), '') as openaccess"
            if "openaccess" in header
            else "null::varchar as openaccess"
        )
    read_csv(connection, table, path, header=header, select=", ".join(columns), origin=origin)


def read_csv(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    path: Path,
    *,
    header: Sequence[str],
    select: str,
    origin: str,
) -> None:
    """Create the temporary `table` of what `select` takes of a CSV file; all columns are texts.

    Args:
        connection: Where the table is made.
        table: Its name.
        path: The file, of UTF-8, with a header.
        header: What to call its columns, in their order.
        select: Expressions over the columns, in SQL.
        origin: Where the file is from, for messages.

    Raises:
        SourceError: It is not well formed.
    """
    try:
        connection.execute(
            f"create temp table {table} as select {select} from read_csv("  # noqa: S608
            # Looking at every row first is what finds a quote that is never closed.
            "$path, columns = $columns, header = true, delim = ',', quote = '\"', escape = '\"', "
            "strict_mode = true, sample_size = -1, parallel = false, max_line_size = 16_777_216)",
            {"path": str(path), "columns": dict.fromkeys(header, "varchar")},
        )
    except duckdb.Error as error:
        raise SourceError(
            f"{origin} is not a well-formed CSV file: {str(error).splitlines()[0]} "
            "The last good table is kept."
        ) from error
