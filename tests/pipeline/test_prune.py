"""`retrievals images prune` removes what nothing refers to, and nothing else."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from retrievals_pipeline.build import build
from retrievals_pipeline.cli import main
from retrievals_pipeline.defs.images.ledger import Ledger, LedgerRow
from retrievals_pipeline.images_prune import prune_images, unreferenced
from retrievals_serving.errors import (
    BuildError,
    ReleaseDamaged,
    ReleaseNotFound,
    SettingsError,
    ShardError,
    SourceError,
)
from retrievals_serving.release import MANIFEST, METADATA, Release, current_release_id
from retrievals_serving.settings import Settings
from retrievals_serving.store import PARTIAL, Store, picture_name, thumbnail_name
from tests.conftest import WORKS, ServedMuseum, serve_museum

LEFT = 2


def run(*arguments: str) -> str:
    result = CliRunner().invoke(main, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def rows(settings: Settings) -> dict[str, LedgerRow]:
    shards = [Path(name).stem for name in settings.store.names("ledger/*.parquet")]
    return {id_: row for shard in shards for id_, row in Ledger(settings.store, shard).rows.items()}


def vectors(store: Store) -> set[str]:
    parts = [store.path(part) for part in store.names("embeddings/*/*/part-*.parquet")]
    return {sha for part in parts for sha in pq.read_table(part)["image_sha256"].to_pylist()}


def files(store: Store) -> dict[str, int]:
    """All artifacts that a prune may touch, with the time when they were written."""
    folders = ("images", "thumbnails", "ledger", "embeddings", "releases")
    return {
        name: store.path(name).stat().st_mtime_ns
        for folder in folders
        for name in store.names(f"{folder}/**/*.*")
    }


@pytest.fixture
def left(built: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, LedgerRow]]:
    """The rows of two works that left, after a build without them; its release is served."""
    before = rows(built)
    first = current_release_id(built.store)
    with serve_museum(WORKS - LEFT) as smaller:
        for name, value in smaller.environment(built.home).items():
            monkeypatch.setenv(name, value)
        release = build()
        assert release.release_id != first
        gone = sorted(set(before) - ids_of(release))
        assert len(gone) == LEFT
        yield {work_id: before[work_id] for work_id in gone}


def ids_of(release: Release) -> set[str]:
    import duckdb

    with duckdb.connect(str(release.path(METADATA)), read_only=True) as connection:
        return {id_ for (id_,) in connection.execute("select id from artworks").fetchall()}


def forget_old_releases(settings: Settings) -> None:
    current = current_release_id(settings.store)
    for folder in settings.store.path("releases").glob("2*"):
        if folder.name != current:
            shutil.rmtree(folder)


def test_what_an_old_release_refers_to_stays(built: Settings, left: dict[str, LedgerRow]) -> None:
    before = files(built.store)
    assert run("images", "prune").startswith("Removed 0 works that left the collection, 0 pictures")
    assert files(built.store) == before
    assert left.keys() <= rows(built).keys()


def test_what_left_goes_with_the_last_release_that_shows_it(
    built: Settings, left: dict[str, LedgerRow], served_museum: ServedMuseum
) -> None:
    forget_old_releases(built)
    before, kept = files(built.store), vectors(built.store)
    shown = run("images", "prune", "--dry-run").splitlines()
    assert files(built.store) == before
    assert shown[:-1] == sorted(left)
    assert shown[-1].startswith("Would remove 2 works that left the collection, 4 pictures")
    assert shown[-1].endswith("2 vectors, 0 leftovers (0.0 MB).")

    said = run("images", "prune")
    assert said.strip() == shown[-1].replace("Would remove", "Removed")
    pictures = {row.sha256 for row in left.values()}
    gone = {name(sha) for sha in pictures if sha for name in (picture_name, thumbnail_name)}
    after = files(built.store)
    assert before.keys() - after.keys() == gone
    assert vectors(built.store) == kept - pictures
    assert not left.keys() & rows(built).keys()
    assert len(rows(built)) == WORKS - LEFT

    served = current_release_id(built.store)
    served_museum.pictures.clear()
    assert build().release_id == served
    assert run("images", "prune").startswith("Removed 0 works")


def test_a_picture_that_was_replaced_goes_and_the_row_of_its_work_stays(built: Settings) -> None:
    work_id, row = next(iter(rows(built).items()))
    old = "0" * 64
    for name in (picture_name(old), thumbnail_name(old)):
        built.store.write_bytes(name, b"once")
    run("images", "prune")
    assert not built.store.exists(picture_name(old))
    assert not built.store.exists(thumbnail_name(old))
    assert rows(built)[work_id] == row


def test_what_killed_writers_left_goes(built: Settings) -> None:
    folders = ("records/source", "images/ab", "ledger", "releases/.staging/one", "releases")
    halves = [f"{folder}/.file.0123abcd{PARTIAL}" for folder in folders]
    for name in halves:
        path = built.store.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"half")
    before = files(built.store)
    assert run("images", "prune").strip().endswith("0 vectors, 5 leftovers (0.0 MB).")
    assert not [name for name in halves if built.store.exists(name)]
    assert files(built.store) == before


@pytest.fixture
def superseded(built: Settings) -> set[str]:
    """Names of files that only another split, or another model, needs."""
    store = built.store
    (part,) = store.names("embeddings/*/0-of-3/part-*.parquet")
    contract = Path(part).parts[1]
    copies = {
        "ledger/0-of-2.parquet": "ledger/0-of-3.parquet",
        f"embeddings/{contract}/0-of-2/part-000000.parquet": part,
        "embeddings/0ld/0-of-3/part-000000.parquet": part,
        "embeddings/golden/0ld-query.parquet": store.names("embeddings/golden/*.parquet")[0],
        "embeddings/texts/0ld-query.parquet": store.names("embeddings/texts/*.parquet")[0],
    }
    for name, source in copies.items():
        store.write_bytes(name, store.read_bytes(source))
    ledger = Ledger(store, "0-of-2")
    work_id, row = next(iter(ledger.rows.items()))
    only_there = "0" * 64
    ledger.rows[work_id] = replace(row, sha256=only_there)
    ledger.close()
    pictures = {picture_name(only_there), thumbnail_name(only_there)}
    for name in pictures:
        store.write_bytes(name, b"as another split has it")
    return pictures | copies.keys()


def test_other_splits_and_models_go_only_when_asked_for_and_what_a_release_names_stays(
    built: Settings, superseded: set[str]
) -> None:
    store = built.store
    named = json.loads(store.read_bytes(f"releases/{current_release_id(store)}/{MANIFEST}"))
    named["embedder"]["corpus_contract"]["digest"] = "named"
    shutil.copytree(
        store.path(f"releases/{current_release_id(store)}"), store.path("releases/2000-other")
    )
    store.write_bytes(f"releases/2000-other/{MANIFEST}", json.dumps(named).encode())
    part = store.read_bytes("embeddings/0ld/0-of-3/part-000000.parquet")
    store.write_bytes("embeddings/named/0-of-3/part-000000.parquet", part)

    before = files(store)
    assert "0 vectors, 0 leftovers" in run("images", "prune")
    said = run("images", "prune", "--superseded", "--dry-run")
    assert files(store) == before
    assert said.strip() == run("images", "prune", "--superseded").strip().replace(
        "Removed", "Would remove"
    )
    assert "2 pictures and thumbnails" in said
    assert "0 vectors, 5 leftovers" in said
    assert before.keys() - files(store).keys() == superseded


def test_a_split_that_was_never_built_supersedes_none(
    built: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RETRIEVALS_SHARDS", "5")
    before = files(built.store)
    with pytest.raises(SettingsError, match=r"5 of the 5 shards of RETRIEVALS_SHARDS.*0-of-5"):
        prune_images(Settings.load(), superseded=True)
    assert files(built.store) == before


def test_a_work_that_comes_back_after_a_prune_is_fetched_and_embedded_again(
    built: Settings,
    left: dict[str, LedgerRow],
    served_museum: ServedMuseum,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    forget_old_releases(built)
    run("images", "prune")
    for name, value in served_museum.environment(built.home).items():
        monkeypatch.setenv(name, value)
    served_museum.pictures.clear()
    assert left.keys() <= ids_of(build())
    assert served_museum.pictures.total() == LEFT


@pytest.mark.parametrize("moment", ["strike", "keep", "remove"])
def test_a_prune_that_is_killed_is_finished_by_the_next(
    built: Settings, left: dict[str, LedgerRow], monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    owner = {
        "strike": "retrievals_pipeline.defs.images.ledger.Ledger",
        "keep": "retrievals_pipeline.defs.embeddings.vectors.VectorShard",
        "remove": "retrievals_serving.store.Store",
    }[moment]
    forget_old_releases(built)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(f"{owner}.{moment}", killed)
        with pytest.raises(KeyboardInterrupt):
            prune_images(built)
    prune_images(built)
    pictures = {row.sha256 for row in left.values()}
    assert not left.keys() & rows(built).keys()
    assert not vectors(built.store) & pictures
    assert not [name for name in files(built.store) if Path(name).stem in pictures]


def test_a_release_that_cannot_be_read_may_refer_to_anything(built: Settings) -> None:
    Release(built.store, current_release_id(built.store)).path(METADATA).write_bytes(b"torn")
    with pytest.raises(ReleaseDamaged, match="Remove the folder of the release"):
        prune_images(built)


@pytest.mark.usefixtures("left")
@pytest.mark.parametrize("pattern", ["ledger/1-of-3.parquet", "embeddings/*/1-of-3/part-*"])
def test_a_shard_that_cannot_be_read_may_refer_to_anything(built: Settings, pattern: str) -> None:
    forget_old_releases(built)
    (name,) = built.store.names(pattern)
    built.store.write_bytes(name, b"garbage")
    before = files(built.store)
    with pytest.raises(ShardError, match=name):
        prune_images(built)
    assert files(built.store) == before


def test_without_records_nothing_is_known_to_have_left(built: Settings) -> None:
    built.store.remove("records/artworks.parquet")
    with pytest.raises(SourceError, match="materialize `artworks` first"):
        prune_images(built)


def test_records_that_a_check_refuses_tell_of_nothing_that_it_left(
    built: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = files(built.store)
    with serve_museum(WORKS // 2) as half:
        for name, value in half.environment(built.home).items():
            monkeypatch.setenv(name, value)
        with pytest.raises(BuildError, match="artworks_have_not_shrunk"):
            build()
    for look in (prune_images, unreferenced):
        with pytest.raises(
            SourceError, match=rf"have 12 works.*could show {WORKS}.*RETRIEVALS_LIMIT=12"
        ):
            look(built)
    assert files(built.store) == before


def test_while_nothing_is_served_nothing_is_removed(built: Settings) -> None:
    built.store.remove("releases/CURRENT")
    with pytest.raises(ReleaseNotFound, match="`retrievals build` makes one"):
        prune_images(built)
