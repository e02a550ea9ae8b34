"""What the UI shows, each kind of it built in one place."""

from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path
from time import perf_counter

import dagster as dg
import pyarrow as pa

from retrievals_pipeline.defs.verdict import Verdict


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


def picture(content: bytes, media_type: str, says: str) -> dg.MetadataValue:
    """Return a picture to be shown inline; `says` stands for it where it cannot be.

    The UI renders Markdown without its HTML, but takes the pictures of `data:` addresses.
    """
    return dg.MetadataValue.md(
        f"![{says}](data:{media_type};base64,{b64encode(content).decode('ascii')})"
    )


def plot(svg: str, says: str) -> dg.MetadataValue:
    """Return one of the plots of `plots`, to be shown inline."""
    return picture(svg.encode(), "image/svg+xml", says)


def pace(started: float, pictures: int = 0) -> dict[str, dg.MetadataValue]:
    """Return the seconds since `started`, of `perf_counter`, and how many `pictures` that is each.

    Nothing is said of a pace where no picture was worked on.
    """
    seconds = perf_counter() - started
    shown: dict[str, dg.MetadataValue] = {"seconds": dg.MetadataValue.float(round(seconds, 3))}
    if pictures:
        shown["images_per_second"] = dg.MetadataValue.float(round(pictures / seconds, 2))
    return shown


def check_result(
    verdict: Verdict,
    *,
    name: str | None = None,
    severity: dg.AssetCheckSeverity = dg.AssetCheckSeverity.ERROR,
    **said: str,
) -> dg.AssetCheckResult:
    """Return `verdict` as Dagster keeps it, with what else is `said` first.

    `name` is that of the check, where several are made at once.
    """
    return dg.AssetCheckResult(
        check_name=name,
        passed=verdict.passed,
        severity=severity,
        metadata={**said, **verdict.details},
    )
