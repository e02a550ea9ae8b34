"""What a release holds, and that its id is a function of exactly that."""

import dataclasses
import logging
import os
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from retrievals_pipeline.defs.images.works import read_works
from retrievals_pipeline.defs.index.faiss_index import build_index, gather_vectors
from retrievals_pipeline.defs.index.metadata_db import build_metadata
from retrievals_pipeline.defs.index.plan import ReleasePlan, plan_release
from retrievals_pipeline.defs.records.paths import ARTWORKS
from retrievals_serving.errors import SettingsError, ShardError, SourceError
from retrievals_serving.models import describe_checkpoint
from retrievals_serving.settings import Settings
from tests.conftest import WORKS


def plan(settings: Settings, dimension: int = 128, index: str = "auto") -> ReleasePlan:
    return plan_release(
        settings.store,
        shards=settings.shards,
        description=describe_checkpoint("miniature", max_pixels=settings.max_pixels),
        dimension=dimension,
        index=index,
    )


def rewrite(settings: Settings, name: str, change: Callable[[pa.Table], pa.Table]) -> None:
    path = settings.store.path(name)
    pq.write_table(change(pq.read_table(path)), path)


def test_works_are_in_the_order_of_their_ids_with_their_pictures(built: Settings) -> None:
    planned = plan(built)
    ids = planned.works["id"].to_pylist()
    assert len(ids) == planned.eligible == WORKS
    assert ids == sorted(ids)
    assert planned.missing == {}


def test_planning_twice_gives_the_same_id(built: Settings) -> None:
    assert plan(built).release_id == plan(built).release_id


def test_the_id_begins_with_the_time_of_the_newest_record(built: Settings) -> None:
    path = str(built.store.path(ARTWORKS))
    ((newest,),) = duckdb.execute("select max(modified) from read_parquet(?)", [path]).fetchall()
    assert plan(built).release_id.startswith(f"{newest:%Y%m%dT%H%M%SZ}-")


def change_record(settings: Settings) -> None:
    def edit(table: pa.Table) -> pa.Table:
        column = table["record_sha256"].to_pylist()
        index = table.schema.get_field_index("record_sha256")
        return table.set_column(index, "record_sha256", [["0" * 64, *column[1:]]])

    rewrite(settings, ARTWORKS, edit)


def drop_a_work(settings: Settings) -> None:
    rewrite(settings, ARTWORKS, lambda table: table.slice(1))


@pytest.mark.parametrize("change", [change_record, drop_a_work])
def test_another_record_or_work_gives_another_id(
    built: Settings, change: Callable[[Settings], None]
) -> None:
    before = plan(built).release_id
    change(built)
    assert plan(built).release_id != before


def test_another_dimension_or_model_gives_another_id(built: Settings) -> None:
    assert plan(built, dimension=32).release_id != plan(built).release_id


def test_another_index_that_is_asked_for_gives_another_id(built: Settings) -> None:
    asked = ("auto", "sq8", "sq8:k_factor=8", "ivf-flat", "ivf-flat:nprobe=2")
    assert len({plan(built, index=index).release_id for index in asked}) == len(asked)
    assert plan(built, index="flat").release_id == plan(built, index="auto").release_id


def test_a_work_without_a_picture_or_a_vector_is_missing_by_its_reason(built: Settings) -> None:
    def fail_first(table: pa.Table) -> pa.Table:
        rows = table.to_pylist()
        rows[0] |= {"status": "not_found", "sha256": None}
        return pa.Table.from_pylist(rows[:-1], schema=table.schema)

    rewrite(built, "ledger/0-of-3.parquet", fail_first)
    (part,) = built.store.names("embeddings/*/1-of-3/part-*")
    rewrite(built, part, lambda table: table.slice(2))
    planned = plan(built)
    assert planned.missing == {"not_found": 1, "not_fetched": 1, "not_embedded": 2}
    assert planned.works.num_rows == WORKS - 4


def test_a_part_left_over_from_a_kill_counts_its_works_once(built: Settings) -> None:
    (part,) = built.store.names("embeddings/*/1-of-3/part-*")
    copy = built.store.path(part).with_name("part-999999.parquet")
    copy.write_bytes(built.store.read_bytes(part))
    assert plan(built).works.num_rows == WORKS


@pytest.mark.parametrize(
    ("pattern", "asset"),
    [
        (ARTWORKS, "artworks"),
        ("ledger/*.parquet", "artwork_images"),
        ("embeddings/*/*/*.parquet", "image_embeddings"),
    ],
)
def test_what_was_not_built_yet_is_named(built: Settings, pattern: str, asset: str) -> None:
    for name in built.store.names(pattern):
        built.store.remove(name)
    with pytest.raises(SourceError, match=f"asset `{asset}`"):
        plan(built)


def test_a_shard_that_was_not_built_yet_is_no_part_of_the_release(built: Settings) -> None:
    built.store.remove("ledger/1-of-3.parquet")
    lost = len(read_works(built.store, built.shards)["1-of-3"])
    assert plan(built).missing == {"not_fetched": lost}


def garbage(path: Path) -> None:
    path.write_bytes(b"garbage")


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def a_number_is_changed(path: Path) -> None:
    """In place: the file keeps its size and its time."""
    stat, content = path.stat(), bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


LEDGER, PART = "ledger/1-of-3.parquet", "embeddings/*/1-of-3/part-*"


@pytest.mark.parametrize(
    ("pattern", "reason", "spoil"),
    [
        *((LEDGER, "ledger_damaged", spoil) for spoil in (garbage, cut_short, a_folder)),
        *((PART, "vectors_damaged", spoil) for spoil in (garbage, cut_short, a_folder)),
    ],
)
def test_a_shard_whose_files_cannot_be_used_is_left_out_by_name_and_reason(
    built: Settings, pattern: str, reason: str, spoil: Callable[[Path], None]
) -> None:
    whole = plan(built)
    works = {work.id for work in read_works(built.store, built.shards)["1-of-3"]}
    (name,) = built.store.names(pattern)
    spoil(built.store.path(name))
    planned = plan(built)
    assert planned.missing == {reason: len(works)}
    assert planned.eligible == WORKS
    assert set(planned.works["id"].to_pylist()) == set(whole.works["id"].to_pylist()) - works
    (left_out,) = planned.left_out.items()
    assert left_out[0] == "1-of-3"
    assert name in left_out[1]
    assert len(gather_vectors(built.store, planned)) == WORKS - len(works)
    assert build_metadata(built.store, planned).exists()


def test_a_number_that_changed_leaves_out_its_shard_of_the_next_release_alone(
    built: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    whole = plan(built)
    (name,) = built.store.names(PART)
    a_number_is_changed(built.store.path(name))
    assert plan(built) == whole  # the release is there, and nothing is read to make it
    lost = len(read_works(built.store, built.shards)["1-of-3"])
    changed = plan(built, dimension=32)
    assert changed.missing == {"vectors_damaged": lost}
    (error,) = changed.left_out.values()
    assert name in error
    with caplog.at_level(logging.WARNING):
        build_index(built.store, changed)
    assert error in caplog.text
    with pytest.raises(ShardError, match=name):
        gather_vectors(built.store, dataclasses.replace(changed, shards=["1-of-3"]))


def test_vectors_are_cut_to_the_dimension_and_stay_unit_rows(built: Settings) -> None:
    vectors = gather_vectors(built.store, plan(built, dimension=32))
    assert vectors.shape == (WORKS, 32)
    assert np.linalg.norm(vectors.astype(np.float32), axis=1) == pytest.approx(1, abs=2e-3)


def test_two_works_that_show_one_picture_have_its_vector_both(built: Settings) -> None:
    """Whatever shards they live in."""
    first, second = "0-of-3", "1-of-3"
    shared = pq.read_table(built.store.path(f"ledger/{first}.parquet")).to_pylist()[0]

    def share(table: pa.Table) -> pa.Table:
        rows = table.to_pylist()
        rows[0]["sha256"] = shared["sha256"]
        return pa.Table.from_pylist(rows, schema=table.schema)

    rewrite(built, f"ledger/{second}.parquet", share)
    embed(built, second)
    planned = plan(built)
    vectors = gather_vectors(built.store, planned)
    rows = [
        row
        for row, sha in enumerate(planned.works["image_sha256"].to_pylist())
        if sha == shared["sha256"]
    ]
    assert len(rows) == 2
    assert vectors[rows[0]].tolist() == vectors[rows[1]].tolist()
    assert planned.works.num_rows == WORKS


def embed(settings: Settings, shard: str) -> None:
    from retrievals_pipeline.defs.embeddings.shard import embed_shard
    from retrievals_serving.models import load_embedder

    summary = embed_shard(
        settings.store,
        shard,
        read_works(settings.store, settings.shards)[shard],
        corpus_contract=plan(settings).description.corpus_contract.digest,
        load=lambda: load_embedder("miniature", max_pixels=settings.max_pixels),
        advance=lambda _: None,
    )
    assert asdict(summary)["embedded"] == 1


def test_a_dimension_wider_than_the_model_is_refused(built: Settings) -> None:
    with pytest.raises(SettingsError, match="RETRIEVALS_DIMENSION"):
        gather_vectors(built.store, plan(built, dimension=129))
