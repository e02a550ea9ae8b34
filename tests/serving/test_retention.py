"""What a prune removes, and what it never does."""

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from retrievals_serving import SearchEngine, Settings
from retrievals_serving.cursors import LIFE
from retrievals_serving.errors import PromotionRefused, ReleaseNotFound
from retrievals_serving.promotion import HISTORY, LOCK, promote, rollback
from retrievals_serving.release import CANDIDATE, MANIFEST, list_releases
from retrievals_serving.retention import prune, retention
from retrievals_serving.store import Store
from tests.serving.small_release import WordEmbedder, make_release

RELEASES = [f"2026010{day}T000000Z-00000000000{day}" for day in range(1, 6)]
NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which five releases were built in January, and one after the other promoted."""
    store = Store(tmp_path_factory.mktemp("retention") / "home")
    for release_id in RELEASES:
        make_release(store, release_id, works=6)
        promote(store, release_id, by="build")
    served_since(store, *(datetime(2026, 1, day, tzinfo=UTC) for day in range(1, 6)))
    return store.root


@pytest.fixture
def store(made: Path, tmp_path: Path) -> Store:
    return Store(Path(shutil.copytree(made, tmp_path / "home")))


def served_since(store: Store, *moments: datetime) -> None:
    """Let each promotion have been at its moment."""
    choices = [json.loads(line) for line in store.read_bytes(HISTORY).splitlines()]
    lines = [
        json.dumps(choice | {"at": moment.isoformat()})
        for choice, moment in zip(choices, moments, strict=True)
    ]
    store.write_bytes(HISTORY, "\n".join(lines).encode())


def ids(store: Store) -> list[str]:
    return sorted(release.release_id for release in list_releases(store))


def test_the_served_release_and_the_two_before_it_are_kept(store: Store) -> None:
    found = retention(store, NOW)
    assert ids(store) == RELEASES
    assert prune(store, NOW) == found
    assert sorted(found.removed) == RELEASES[:2]
    assert found.bytes > 0
    assert ids(store) == RELEASES[2:]
    assert sorted(path.name for path in store.path("reports").iterdir()) == RELEASES[2:]
    assert not list(store.root.glob("releases/.*"))
    assert rollback(store).release_id == RELEASES[3]
    assert rollback(store).release_id == RELEASES[2]


def test_what_was_served_until_a_moment_ago_is_kept_for_the_life_of_a_cursor(store: Store) -> None:
    january = [datetime(2026, 1, day, tzinfo=UTC) for day in range(1, 6)]
    served_since(store, january[0], NOW, *(NOW + timedelta(minutes=turn) for turn in (1, 2, 3)))
    assert RELEASES[0] in retention(store, NOW + LIFE - timedelta(seconds=1)).kept
    assert RELEASES[1] in retention(store, NOW + LIFE - timedelta(seconds=1)).kept
    assert retention(store, NOW + LIFE).removed == [RELEASES[0]]


def test_what_was_built_a_moment_ago_is_kept(store: Store) -> None:
    built = datetime(2026, 1, 1, tzinfo=UTC)  # as their manifests say
    assert retention(store, built + LIFE - timedelta(seconds=1)).removed == []


def test_the_candidate_is_kept_and_so_is_what_cannot_be_read(store: Store) -> None:
    store.write_bytes(CANDIDATE, RELEASES[0].encode())
    store.write_bytes(f"releases/{RELEASES[1]}/{MANIFEST}", b'{"schema_version": 99}')
    found = prune(store, NOW)
    assert found.removed == []
    assert found.kept[RELEASES[0]] == "sealed last"
    assert "cannot be read" in found.kept[RELEASES[1]]


def test_a_release_that_was_rolled_back_from_goes_when_no_page_of_it_is_asked_for(
    store: Store,
) -> None:
    rollback(store)
    moments = [datetime(2026, 1, day, tzinfo=UTC) for day in range(1, 7)]
    served_since(store, *moments)
    assert sorted(retention(store, NOW).removed) == [RELEASES[0], RELEASES[4]]


def test_leftovers_of_a_killed_prune_and_of_damage_go(store: Store) -> None:
    shutil.copytree(store.path(f"releases/{RELEASES[0]}"), store.path("releases/.removed-gone"))
    shutil.copytree(store.path(f"releases/{RELEASES[0]}"), store.path("releases/.damaged-gone"))
    store.write_bytes("reports/gone/checks/files.json", b"{}")
    found = prune(store, NOW)
    assert [path.name for path in found.leftovers] == [".removed-gone", ".damaged-gone", "gone"]
    assert not list(store.root.glob("releases/.*"))
    assert not store.exists("reports/gone")


def test_a_killed_prune_leaves_no_half_of_a_release_under_its_name(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(folder: Path, **_: object) -> None:
        next(folder.iterdir()).unlink()
        raise KeyboardInterrupt

    monkeypatch.setattr("retrievals_serving.retention.shutil.rmtree", dies)
    with pytest.raises(KeyboardInterrupt):
        prune(store, NOW)
    monkeypatch.undo()
    for release in list_releases(store):
        release.require_whole()
    prune(store, NOW)
    assert ids(store) == RELEASES[2:]
    assert not list(store.root.glob("releases/.*"))


def test_an_engine_keeps_the_release_it_opened_while_it_is_pruned(store: Store) -> None:
    settings = Settings.load(home=store.root, reranker="none", window=6)
    with SearchEngine.open(
        settings=settings, release=RELEASES[0], embedder=WordEmbedder()
    ) as engine:
        before = engine.search("boat", filters={"medium": "oil"})
        assert RELEASES[0] in prune(store, NOW).removed
        assert engine.search("boat", filters={"medium": "oil"}).results == before.results
        assert engine.similar(before.results[0].id).results


def test_nothing_is_removed_while_a_release_is_promoted_or_where_nothing_is_served(
    store: Store,
) -> None:
    with store.locked(LOCK), pytest.raises(PromotionRefused):
        prune(store, NOW)
    store.remove("releases/CURRENT")
    with pytest.raises(ReleaseNotFound):
        prune(store, NOW)
    assert ids(store) == RELEASES
