"""What the UI shows, each kind of it built in one place."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from time import perf_counter
from typing import Any

import dagster as dg
import pyarrow as pa

from retrievals_pipeline.defs import plots
from retrievals_pipeline.defs.contact_sheet import contact_sheet
from retrievals_pipeline.defs.inline import SVG, WEBP, data_uri
from retrievals_pipeline.defs.verdict import Verdict
from retrievals_serving.certificate import Certificate
from retrievals_serving.store import Store, thumbnail_name

OWNERS = ["team:collection"]
ASKS_A_MUSEUM = {"needs": "museum"}
RUNS_THE_MODEL = {"needs": "model"}
READS_THE_STORE = {"needs": "store"}


def file_metadata(path: Path, rows: int) -> dict[str, dg.MetadataValue]:
    """Return row count, address and size of a file that an asset wrote."""
    return {
        "dagster/row_count": dg.MetadataValue.int(rows),
        "bytes": dg.MetadataValue.int(path.stat().st_size),
        **location(path),
    }


def location(path: Path) -> dict[str, dg.MetadataValue]:
    """Return where a file or folder is: the URI for programs, and the path on the asset's page.

    The page leaves `dagster/uri` out unless the definition has it, which knows no settings.
    """
    return {
        "dagster/uri": dg.MetadataValue.text(path.as_uri()),
        "path": dg.MetadataValue.path(str(path)),
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


def certificate(measured: Certificate) -> dict[str, dg.MetadataValue]:
    """Return what an index was measured to find as a table, and its times as a plot."""
    columns = [
        dg.TableColumn("queries", "string"),
        dg.TableColumn("kept", "float"),
        *(dg.TableColumn(f"recall@{depth}", "float") for depth in measured.measures[0].recall),
        dg.TableColumn("p50, ms", "float"),
        dg.TableColumn("p99, ms", "float"),
    ]
    records = [
        dg.TableRecord(
            {
                "queries": each.queries,
                "kept": each.kept,
                **{f"recall@{depth}": round(found, 5) for depth, found in each.recall.items()},
                "p50, ms": each.p50_ms,
                "p99, ms": each.p99_ms,
            }
        )
        for each in measured.measures
    ]
    first, *_, last = measured.measures
    drawn = plots.bars(
        [each.p50_ms for each in measured.measures],
        "Median time of a query, by the share of works that a filter keeps",
        first.name,
        last.name,
        unit=" ms",
    )
    return {
        "certificate": dg.MetadataValue.table(records, schema=dg.TableSchema(columns)),
        "times": plot(drawn, "the median times of queries"),
    }


def plot(svg: str, says: str) -> dg.MetadataValue:
    """Return a plot of `plots` to be shown inline; `says` stands for it where it cannot be."""
    return picture(svg.encode(), SVG, says)


def newest_pictures(
    store: Store, pictures: Iterable[str], *, most: int
) -> dict[str, dg.MetadataValue]:
    """Return a contact sheet of the first `most` of `pictures`, hashes; nothing where none is."""
    names = map(thumbnail_name, pictures)
    sheet = contact_sheet((store.path(name) for name in names), most=most)
    if sheet is None:
        return {}
    return {"newest_pictures": picture(sheet, WEBP, "the newest pictures")}


def picture(content: bytes, media_type: str, says: str) -> dg.MetadataValue:
    """Return a picture as the UI takes it: in Markdown, without HTML, at a `data:` address."""
    return dg.MetadataValue.md(f"![{says}]({data_uri(content, media_type)})")


def pace(started: float, pictures: int = 0) -> dict[str, dg.MetadataValue]:
    """Return the seconds since `started` (of `perf_counter`), and how many `pictures` a second.

    Nothing is said of a pace where no picture was worked on.
    """
    seconds = perf_counter() - started
    shown: dict[str, dg.MetadataValue] = {"seconds": dg.MetadataValue.float(round(seconds, 3))}
    if pictures:
        shown["images_per_second"] = dg.MetadataValue.float(round(pictures / seconds, 2))
    return shown


def explanation(check: Callable[..., Verdict]) -> str:
    """Return in a sentence what `check` passes: the first line of its docstring."""
    return (check.__doc__ or "").splitlines()[0]


def check_result(
    verdict: Verdict,
    *,
    name: str | None = None,
    severity: dg.AssetCheckSeverity = dg.AssetCheckSeverity.ERROR,
    **said: str,
) -> dg.AssetCheckResult:
    """Return `verdict` as the UI shows it, with what else is `said`.

    `name` is that of the check, where several are made at once.
    """
    details = {name: _detail(value) for name, value in verdict.details.items()}
    return dg.AssetCheckResult(
        check_name=name, passed=verdict.passed, severity=severity, metadata={**said, **details}
    )


def _detail(value: Any) -> Any:
    """Return lists and mappings as a line of text: the UI hides what is JSON behind a link."""
    if isinstance(value, Mapping):
        value = [f"{name}: {each}" for name, each in value.items()]
    return ", ".join(map(str, value)) or "none" if isinstance(value, list) else value
