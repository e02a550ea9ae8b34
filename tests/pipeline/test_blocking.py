"""A stage whose result is wrong stops the stages after it."""

import dataclasses
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from retrievals_pipeline.build import build, instance_at_work, run_job
from retrievals_pipeline.definitions import defs
from retrievals_pipeline.defs.embeddings.vectors import VectorShard
from retrievals_pipeline.defs.images import download
from retrievals_pipeline.defs.index.metadata_db import build_metadata
from retrievals_pipeline.defs.records import artworks as records
from retrievals_serving.errors import BuildError
from retrievals_serving.release import current_release_id, list_releases
from retrievals_serving.settings import Settings
from tests.conftest import WORKS
from tests.images.conftest import jpeg

Spoil = Callable[[pytest.MonkeyPatch], None]


def rewriting_records(change: Callable[[pa.Table], pa.Table]) -> Spoil:
    """Change the table of artworks as it is written."""
    file_sha256 = records.file_sha256

    def spoil(path: Path) -> str:
        pq.write_table(change(pq.read_table(path)), path)
        return file_sha256(path)

    return lambda patch: patch.setattr(records, "file_sha256", spoil)


def send_one_picture_for_all(patch: pytest.MonkeyPatch) -> None:
    kept = download.Downloader._kept
    same = jpeg(size=(1024, 768))
    patch.setattr(
        download.Downloader,
        "_kept",
        lambda self, task, answer: kept(self, task, dataclasses.replace(answer, content=same)),
    )


def rewriting_vectors(change: Callable[[np.ndarray], np.ndarray]) -> Spoil:
    """Change each batch of vectors as it is stored."""
    append = VectorShard.append
    return lambda patch: patch.setattr(
        VectorShard,
        "append",
        lambda self, pairs, vectors: append(self, pairs, change(vectors)),
    )


def shift_the_records(patch: pytest.MonkeyPatch, stage: str = "index") -> None:
    def spoil(*args: Any, **kwargs: Any) -> Path:
        path = build_metadata(*args, **kwargs)
        with duckdb.connect(str(path)) as connection:
            connection.execute("drop index artworks_id")
            connection.execute(f"update artworks set row = (row + 1) % {WORKS}")
        return path

    patch.setattr(f"retrievals_pipeline.defs.{stage}.assets.build_metadata", spoil)


@pytest.mark.parametrize(
    ("lost", "spoil", "check", "following"),
    [
        (
            "records",
            rewriting_records(lambda table: pa.concat_tables([table, table.slice(0, 1)])),
            "artworks_are_sound",
            "artwork_images",
        ),
        (
            "records",
            rewriting_records(lambda table: table.slice(0, WORKS // 2)),
            "artworks_have_not_shrunk",
            "artwork_images",
        ),
        ("ledger", send_one_picture_for_all, "pictures_are_plausible", "image_embeddings"),
        (
            "embeddings",
            rewriting_vectors(lambda vectors: np.ones_like(vectors) / np.sqrt(vectors.shape[1])),
            "vectors_differ",
            "faiss_index",
        ),
        (
            "embeddings",
            rewriting_vectors(lambda vectors: 2 * vectors),
            "vectors_are_sound",
            "faiss_index",
        ),
        ("releases/2*", shift_the_records, "rows_are_of_one_work", "release_candidate"),
    ],
)
def test_what_is_wrong_goes_no_further(
    built: Settings,
    monkeypatch: pytest.MonkeyPatch,
    lost: str,
    spoil: Spoil,
    check: str,
    following: str,
) -> None:
    served, before = current_release_id(built.store), last_run(built, following)
    for name in built.store.names(lost):
        shutil.rmtree(built.store.path(name))
    spoil(monkeypatch)
    with pytest.raises(BuildError, match=f"the check '{check}' did not pass"):
        build()
    assert last_run(built, following) == before
    assert current_release_id(built.store) == served


def test_a_release_that_is_forced_is_checked_row_by_row_too(
    built: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = current_release_id(built.store)
    shift_the_records(monkeypatch, stage="release")
    with pytest.raises(BuildError, match="not of the same works, row by row"):
        build(force=True)
    assert [release.release_id for release in list_releases(built.store)] == [served]
    assert current_release_id(built.store) == served


def last_run(settings: Settings, asset: str) -> str:
    """The run that last materialized `asset`."""
    with dg.DagsterInstance.from_config(str(settings.store.path("dagster"))) as instance:
        event = instance.get_latest_materialization_event(dg.AssetKey(asset))
    assert event is not None
    return event.run_id


def test_what_went_wrong_in_an_earlier_run_is_not_published(built: Settings) -> None:
    """As when a shard failed, and with it the run that would have checked the others."""
    before = last_run(built, "faiss_index")
    (part,) = built.store.names("embeddings/*/1-of-3/part-*")
    contract, shard = Path(part).parts[1:3]
    wrong = np.full((1, 128), 0.5, np.float32)
    VectorShard(built.store, contract, shard).append([("another", "sha")], wrong)
    job = defs().get_repository_def().get_job("publish_release")
    with instance_at_work(built) as instance, pytest.raises(BuildError, match="vectors_are_sound"):
        run_job(job, instance, built)
    assert last_run(built, "faiss_index") == before
