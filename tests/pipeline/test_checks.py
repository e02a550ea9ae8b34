"""Each check of a candidate passes a sound release and refuses what it is there for."""

import dataclasses
import json
import shutil
from collections.abc import Callable
from typing import Any

import duckdb
import faiss
import numpy as np
import pyarrow as pa
import pytest

from retrievals_pipeline.defs.release.verification import CHECKS, checks
from retrievals_serving.golden import read_golden, write_golden
from retrievals_serving.models import truncate
from retrievals_serving.records import read_table, write_table
from retrievals_serving.release import (
    GOLDEN,
    INDEX,
    METADATA,
    RECORDS,
    REQUIRED_CHECKS,
    SCORES,
    FileEntry,
    Release,
    current_release_id,
    open_release,
)
from retrievals_serving.settings import Settings
from retrievals_serving.store import file_sha256


def test_promotion_asks_for_the_checks_that_there_are() -> None:
    assert set(CHECKS) == set(REQUIRED_CHECKS)


@pytest.mark.parametrize("check", sorted(CHECKS))
def test_each_check_passes_a_sound_release(built: Settings, check: str) -> None:
    verdict = checks(built)[check](open_release(built.store))
    assert verdict.passed, json.dumps(verdict.details, default=str)


def flip_byte(release: Release) -> None:
    path = release.path("index.faiss")
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def lose_pictures(release: Release) -> None:
    for path in release.store.root.glob("images/*/*.jpg"):
        path.unlink()


def claim_more_works(release: Release) -> None:
    edit_manifest(release, works=release.manifest.works + 1)


def claim_more_eligible(release: Release) -> None:
    edit_manifest(release, eligible=2 * release.manifest.works)


def shift_records(release: Release) -> None:
    """Give every row the picture and record of the next work."""
    with duckdb.connect(str(release.path(METADATA))) as connection:
        connection.execute("drop index if exists artworks_id")
        connection.execute(
            f"update artworks set row = (row + 1) % {release.manifest.works}"  # a row off
        )


def halve(release: Release) -> None:
    """Let the release claim half the works of the one that is served."""
    served = release.manifest.model_copy(
        update={"release_id": "served", "eligible": 2 * release.manifest.eligible}
    )
    folder = release.store.path("releases/served")
    shutil.copytree(release.store.path(release.folder), folder)
    (folder / "manifest.json").write_text(served.model_dump_json())
    release.store.write_bytes("releases/CURRENT", b"served")


def show(release: Release, **changes: Any) -> None:
    """Show `changes` of each work in place of what is on record."""
    path = release.path(RECORDS)
    table = read_table(path)
    records = [record | changes for record in table.to_pylist()]
    path.unlink()  # it is mapped
    write_table(pa.Table.from_pylist(records, table.schema), path)


def blank_addresses(release: Release) -> None:
    show(release, image_url="")


def lose_titles(release: Release) -> None:
    show(release, title="")
    reseal(release)


def lose_shown(release: Release) -> None:
    path = release.path(RECORDS)
    table = read_table(path)
    path.unlink()  # it is mapped
    write_table(table.slice(1), path)
    reseal(release)


def lose_records(release: Release) -> None:
    with duckdb.connect(str(release.path(METADATA))) as connection:
        connection.execute("delete from artworks where row = 0")
    reseal(release)


def reseal(release: Release) -> None:
    """Let the manifest say that the files are as they are now."""
    entries = [
        FileEntry(name=path.name, bytes=path.stat().st_size, sha256=file_sha256(path))
        for path in (release.path(entry.name) for entry in release.manifest.files)
    ]
    edit_manifest(release, files=tuple(entries))


def cut_index(release: Release) -> None:
    path = release.path(INDEX)
    path.write_bytes(path.read_bytes()[:-10])


def spoil_a_vector(release: Release) -> None:
    edit_index(
        release, lambda vectors: np.where(np.arange(len(vectors))[:, None] == 3, np.nan, vectors)
    )


def lengthen_vectors(release: Release) -> None:
    edit_index(release, lambda vectors: 100 * vectors)


def forget_scores(release: Release) -> None:
    path = release.path(SCORES)
    np.save(path, np.zeros_like(np.load(path)))


def edit_index(release: Release, change: Callable[[np.ndarray], np.ndarray]) -> None:
    path = str(release.path(INDEX))
    index = faiss.read_index(path)
    vectors = change(index.reconstruct_n(0, index.ntotal))
    index.reset()
    index.add(vectors)
    faiss.write_index(index, path)


def overlook_works(release: Release) -> None:
    index = release.manifest.index
    *others, last = index.certificate.measures
    poor = last.model_copy(update={"recall": {**last.recall, 80: 0.89}})
    certificate = index.certificate.model_copy(update={"measures": (*others, poor)})
    edit_manifest(release, index=index.model_copy(update={"certificate": certificate}))


def edit_golden(release: Release, **changes: Any) -> None:
    path = release.path(GOLDEN)
    write_golden(dataclasses.replace(read_golden(path), **changes), path)


def lengthen_golden(release: Release) -> None:
    edit_golden(release, vectors=read_golden(release.path(GOLDEN)).vectors * np.float32(1.001))


def spoil_golden(release: Release) -> None:
    vectors = read_golden(release.path(GOLDEN)).vectors.copy()
    vectors[-1, 0] = np.nan
    edit_golden(release, vectors=vectors)


def cut_golden(release: Release) -> None:
    edit_golden(release, vectors=truncate(read_golden(release.path(GOLDEN)).vectors, 32))


def drop_golden_pictures(release: Release) -> None:
    golden = read_golden(release.path(GOLDEN))
    texts = [item for item in golden.items if item.text is not None]
    edit_golden(release, items=tuple(texts), vectors=golden.vectors[: len(texts)])


def edit_manifest(release: Release, **changes: Any) -> None:
    path = release.path("manifest.json")
    path.write_text(release.manifest.model_copy(update=changes).model_dump_json())


@pytest.mark.parametrize(
    ("check", "spoil"),
    [
        ("files", flip_byte),
        ("index", claim_more_works),
        ("index", spoil_a_vector),
        ("index", lengthen_vectors),
        ("index", forget_scores),
        ("metadata", lose_pictures),
        ("metadata", lose_titles),
        ("metadata", lose_shown),
        ("certificate", overlook_works),
        ("golden", lengthen_golden),
        ("golden", spoil_golden),
        ("golden", cut_golden),
        ("golden", drop_golden_pictures),
        ("coverage", claim_more_eligible),
        ("size", halve),
        ("search", blank_addresses),
        ("search", shift_records),
        ("answers", cut_index),
        ("answers", lose_records),
        ("answers", lose_shown),
        ("answers", lose_titles),
        ("answers", lengthen_vectors),
    ],
)
def test_each_check_refuses_what_it_is_there_for(built: Settings, check: str, spoil: Any) -> None:
    release_id = current_release_id(built.store)
    spoil(Release(built.store, release_id))
    assert not checks(built)[check](Release(built.store, release_id)).passed


@pytest.mark.parametrize(("minimum", "passes"), [("0.5", True), ("0.51", False), ("0", True)])
def test_the_coverage_that_is_asked_for_is_a_setting(
    built: Settings, monkeypatch: pytest.MonkeyPatch, minimum: str, passes: bool
) -> None:
    release_id = current_release_id(built.store)
    claim_more_eligible(Release(built.store, release_id))
    monkeypatch.setenv("RETRIEVALS_MIN_COVERAGE", minimum)
    verdict = checks(Settings.load())["coverage"](Release(built.store, release_id))
    assert (verdict.passed, verdict.details["coverage"]) == (passes, 0.5)


@pytest.mark.parametrize("spoil", [b"garbage", None])
def test_a_shard_of_vectors_that_cannot_be_read_fails_no_release(
    built: Settings, spoil: bytes | None
) -> None:
    """One without any of its works: here of another number of shards."""
    corpus = Release(built.store, current_release_id(built.store)).manifest.embedder.corpus_contract
    name = f"embeddings/{corpus.digest}/3-of-5/part-000000.parquet"
    if spoil is None:
        built.store.path(name).mkdir(parents=True)
    else:
        built.store.write_bytes(name, spoil)
    assert checks(built)["search"](open_release(built.store)).passed
