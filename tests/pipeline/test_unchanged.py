"""What did not change costs no more than to see that it did not."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from retrievals_pipeline.build import build
from retrievals_pipeline.defs.embeddings.vectors import VectorShard
from retrievals_pipeline.defs.images.works import read_works
from retrievals_pipeline.partitions import shard_keys
from retrievals_serving.errors import BuildError
from retrievals_serving.release import current_release_id
from retrievals_serving.settings import Settings
from retrievals_serving.store import Store
from tests.conftest import WORKS

BAD = "1-of-3"


def spoil(store: Store, shard: str) -> str:
    """Change numbers of every vector of a shard in place, as a disk does; return the part's name.

    Whoever reads them now gets an error; the size and the time of the file say nothing.
    """
    (part,) = store.names(f"embeddings/*/{shard}/part-*")
    vectors = VectorShard(store, part.split("/")[1], shard).vectors()
    path = store.path(part)
    stat, content = path.stat(), path.read_bytes()
    for vector in vectors.values():
        number = vector[:8].tobytes()
        assert content.count(number) == 1
        content = content.replace(number, number[::-1])
    path.write_bytes(content)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    return part


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names under which anything is written, be it what is there already."""
    names: list[str] = []
    replacing = Store.replacing

    @contextmanager
    def noting(store: Store, name: str) -> Iterator[Path]:
        names.append(name)
        with replacing(store, name) as partial:
            yield partial

    monkeypatch.setattr(Store, "replacing", noting)
    return names


def test_a_build_that_finds_nothing_changed_reads_no_vector_and_writes_no_shard(
    built: Settings, written: list[str]
) -> None:
    served = current_release_id(built.store)
    for shard in shard_keys(built.shards):
        spoil(built.store, shard)
    assert build().release_id == served
    assert not [name for name in written if name.startswith(("ledger/", "embeddings/"))]


def test_vectors_that_passed_are_looked_at_again_when_a_part_changed(
    built: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    from retrievals_pipeline.defs.embeddings import verdicts

    looks: list[object] = []
    survey = verdicts.survey

    def counting(*args: object) -> object:
        looks.append(args)
        return survey(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(verdicts, "survey", counting)
    build()
    assert not looks
    (part,) = built.store.names(f"embeddings/*/{BAD}/part-*")
    os.utime(built.store.path(part))
    build()
    assert len(looks) == 1  # for the two runs that the checks are part of
    build()
    assert len(looks) == 1
    (kept,) = built.store.names("embeddings/*/passed.json")
    built.store.write_bytes(kept, b"garbage")
    build()
    assert len(looks) == 2


def test_a_number_that_changed_leaves_out_its_shard_by_name_when_a_release_is_made(
    built: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    part = spoil(built.store, BAD)
    lost = len(read_works(built.store, built.shards)[BAD])
    monkeypatch.setenv("RETRIEVALS_MIN_COVERAGE", "0.5")
    monkeypatch.setenv("RETRIEVALS_DIMENSION", "64")
    manifest = build().manifest
    assert (manifest.works, manifest.missing) == (WORKS - lost, {"vectors_damaged": lost})
    assert f"{built.store.path(part)} cannot be used" in caplog.text


def test_where_every_vector_changed_no_release_is_made(
    built: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = current_release_id(built.store)
    for shard in shard_keys(built.shards):
        spoil(built.store, shard)
    monkeypatch.setenv("RETRIEVALS_DIMENSION", "64")
    with pytest.raises(BuildError, match=f"'vectors_damaged': {WORKS}"):
        build()
    assert current_release_id(built.store) == served


def test_a_release_that_is_forced_of_numbers_that_changed_is_not_made(built: Settings) -> None:
    part = spoil(built.store, BAD)
    with pytest.raises(BuildError, match=part):
        build(force=True)
