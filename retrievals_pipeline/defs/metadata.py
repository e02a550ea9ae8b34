"""Metadata that several assets show in the UI, each built in one place."""

from collections.abc import Mapping
from pathlib import Path

import dagster as dg
import pyarrow as pa

OWNERS = ["team:collection"]
ASKS_A_MUSEUM = {"needs": "museum"}
RUNS_THE_MODEL = {"needs": "model"}
READS_THE_STORE = {"needs": "store"}


def file_metadata(path: Path, rows: int) -> dict[str, dg.MetadataValue]:
    """Return row count, address and size of a file that an asset wrote."""
    return {
        "dagster/row_count": dg.MetadataValue.int(rows),
        "dagster/uri": dg.MetadataValue.path(str(path)),
        "bytes": dg.MetadataValue.int(path.stat().st_size),
    }


def column_schema(columns: Mapping[str, str]) -> dict[str, dg.MetadataValue]:
    """Return the table schema of `columns` (name → type)."""
    return {
        "dagster/column_schema": dg.MetadataValue.table_schema(
            dg.TableSchema([dg.TableColumn(name, type_) for name, type_ in columns.items()])
        )
    }


def arrow_columns(schema: pa.Schema) -> dict[str, str]:
    """Return the columns of an Arrow schema (name → type)."""
    return {field.name: str(field.type) for field in schema}


def counts(values: Mapping[str, int], title: str) -> dg.MetadataValue:
    """Return a table of `values` by their names."""
    return dg.MetadataValue.table(
        [dg.TableRecord({title: name, "count": count}) for name, count in sorted(values.items())],
        schema=dg.TableSchema([dg.TableColumn(title, "string"), dg.TableColumn("count", "int")]),
    )
