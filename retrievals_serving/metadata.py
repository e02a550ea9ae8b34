"""The works of a release by what is said of them: `artworks.duckdb`, from any thread."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import duckdb
import numpy as np

from retrievals_serving.errors import QueryError, ReleaseDamaged
from retrievals_serving.filters import EXPRESSIONS, FACETS, LISTS, Filters, parse_filters
from retrievals_serving.records import Rows
from retrievals_serving.vectors import Int32


class Metadata:
    """Finds the rows of a release that match a filter, and counts what its records say."""

    def __init__(self, path: Path) -> None:
        """Open the DuckDB file at `path`.

        Raises:
            ReleaseDamaged: It is no DuckDB file, or has no table of artworks.
        """
        try:
            self._connection = duckdb.connect(str(path), read_only=True)
            # A query takes a few ms of one core: cores are for searches at once, not parts of one.
            self._connection.execute("set threads = 1")
            ((self.count,),) = self._query("select count(*) from artworks").fetchall()
        except duckdb.Error as error:
            raise ReleaseDamaged(
                f"{path} cannot be read as the metadata of a release: {error}. Build it again."
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file; nothing can be asked afterwards."""
        self._connection.close()

    def rows_matching(self, filters: Filters) -> Int32:
        """Return the rows of the works that match `filters`, sorted.

        Raises:
            QueryError: As for `parse_filters`.
        """
        condition, values = parse_filters(filters)
        sql = f"select row from artworks where {condition}"  # noqa: S608 - see `filters`
        rows = np.asarray(self._query(sql, values).fetchnumpy()["row"], dtype=np.int32)
        rows.sort()  # they nearly are: DuckDB would take a fifth of the query to sort them
        return rows

    def facet(
        self,
        field: str,
        *,
        filters: Filters | None = None,
        rows: Rows | None = None,
        most: int,
    ) -> dict[str, int]:
        """Return how many works have each value of `field`, the `most` frequent values first.

        Of a list of texts each element counts; a missing or empty value does not. Counted are works
        that match `filters`, and of them those of `rows`, where these are given.

        Raises:
            QueryError: `field` is none of `filters.FACETS`; or as for `parse_filters`.
        """
        if field not in FACETS:
            raise QueryError(
                f"field: the values of {field!r:.80} are not counted; choose from "
                f"{', '.join(sorted(FACETS))}."
            )
        condition, values = parse_filters(filters or {})
        if rows is not None:
            condition += " and row in (select unnest(?::int[]))"
            values.append([int(row) for row in rows])
        value = f"unnest({field})" if field in LISTS else EXPRESSIONS.get(field, field)
        counted = self._query(
            f"with told as (select {value}::varchar as value from artworks where {condition})"  # noqa: S608 - see `filters`
            " select value, count(*) from told where value <> ''"
            " group by value order by count(*) desc, value limit ?",
            [*values, most],
        )
        return dict(counted.fetchall())

    def _query(self, sql: str, values: Sequence[Any] = ()) -> duckdb.DuckDBPyConnection:
        """Run one query on a cursor of its own, which is what makes this safe in threads."""
        return self._connection.cursor().execute(sql, values)
