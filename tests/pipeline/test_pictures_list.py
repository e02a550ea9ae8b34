"""`pictures.json` of a museum: each work with why it is not in the release, if it is not."""

import json

import pyarrow as pa
import pyarrow.parquet as pq

from retrievals_pipeline.defs.release.pictures import write_pictures
from retrievals_serving.settings import Settings
from tests.conftest import WORKS
from tests.index.test_plan import plan, rewrite


def test_each_work_is_listed_with_why_it_is_not_in_the_release(built: Settings) -> None:
    def fail_first(table: pa.Table) -> pa.Table:
        rows = table.to_pylist()
        rows[0] |= {"status": "not_found", "detail": "HTTP 404", "sha256": None}
        return pa.Table.from_pylist(rows[:-1], schema=table.schema)

    ids = pq.read_table(built.store.path("ledger/0-of-3.parquet"))["id"].to_pylist()
    rewrite(built, "ledger/0-of-3.parquet", fail_first)
    (part,) = built.store.names("embeddings/*/1-of-3/part-*")
    unembedded = pq.read_table(built.store.path(part))["id"].to_pylist()[0]
    rewrite(built, part, lambda table: table.slice(1))

    planned = plan(built)
    path = write_pictures(built.store, planned)
    assert path == built.store.path(f"reports/{planned.release_id}/pictures.json")
    listed = {entry["id"]: entry for entry in json.loads(path.read_text(encoding="utf-8"))}
    assert len(listed) == WORKS
    assert {id_: entry["status"] for id_, entry in listed.items() if entry["status"] != "ok"} == {
        ids[0]: "not_found", ids[-1]: "not_fetched", unembedded: "not_embedded",
    }  # fmt: skip
    assert (listed[ids[0]]["detail"], listed[ids[0]]["sha256"]) == ("HTTP 404", None)
    for entry in listed.values():
        assert entry["image_url"].startswith("http")
        assert entry["remark"] == ""
