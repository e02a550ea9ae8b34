"""What each work of the miniature museum shows, as a table: the truth that no museum publishes."""

import dataclasses
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from retrievals_pipeline.miniature.works import Work
from retrievals_serving.store import Store

SUBJECT = pa.struct([("name", pa.string()), ("count", pa.int32()), ("color", pa.string())])
SCHEMA = pa.schema(
    [
        ("object_id", pa.int64()),
        ("setting", pa.string()),
        ("subjects", pa.list_(SUBJECT)),
        ("time_of_day", pa.string()),
        ("weather", pa.string()),
        ("season", pa.string()),
        ("mood", pa.string()),
        ("palette", pa.string()),
        ("manner", pa.string()),
    ]
)


def write_truth(works: Iterable[Work], folder: Path, name: str) -> None:
    """Write one row a work to the Parquet file `name`; what a scene does not have is empty."""
    rows = [{"object_id": work.object_id, **dataclasses.asdict(work.scene)} for work in works]
    with Store(folder).replacing(name) as path:
        pq.write_table(pa.Table.from_pylist(rows, schema=SCHEMA), path)
