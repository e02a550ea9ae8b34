"""`pictures.json` of a museum: each work with why it is not in the release, if it is not."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from retrievals_pipeline.defs.images.works import read_works
from retrievals_pipeline.defs.release.pictures import write_pictures
from retrievals_serving.settings import Settings
from tests.conftest import WORKS
from tests.index.test_plan import plan, rewrite


def read(path: Path) -> dict[str, dict[str, Any]]:
    return {entry["id"]: entry for entry in json.loads(path.read_text(encoding="utf-8"))}


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
    listed = read(path)
    assert len(listed) == WORKS
    assert {id_: entry["status"] for id_, entry in listed.items() if entry["status"] != "ok"} == {
        ids[0]: "not_found", ids[-1]: "not_fetched", unembedded: "not_embedded",
    }  # fmt: skip
    assert (listed[ids[0]]["detail"], listed[ids[0]]["sha256"]) == ("HTTP 404", None)
    for entry in listed.values():
        assert entry["image_url"].startswith("http")
        assert entry["remark"] == ""


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("ledger/1-of-3.parquet", "ledger_damaged"),
        ("embeddings/*/1-of-3/part-*", "vectors_damaged"),
    ],
)
def test_the_works_of_a_shard_that_cannot_be_used_are_listed_with_the_file_that_is_damaged(
    built: Settings, pattern: str, reason: str
) -> None:
    works = {work.id for work in read_works(built.store, built.shards)["1-of-3"]}
    whole = read(write_pictures(built.store, plan(built)))
    (name,) = built.store.names(pattern)
    built.store.write_bytes(name, b"garbage")
    listed = read(write_pictures(built.store, plan(built)))
    assert {id_ for id_, entry in listed.items() if entry["status"] == reason} == works
    for id_ in works:
        assert listed[id_]["detail"].startswith(f"{built.store.path(name)} cannot be used: ")
        known = None if reason == "ledger_damaged" else whole[id_]["sha256"]
        assert listed[id_]["sha256"] == known
        assert listed[id_]["image_url"] == whole[id_]["image_url"]
    assert {id_: listed[id_] for id_ in listed.keys() - works} == {
        id_: whole[id_] for id_ in whole.keys() - works
    }
