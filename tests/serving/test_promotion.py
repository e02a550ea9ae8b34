"""Which release is served, and how one goes back."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import pytest

from retrievals_serving.errors import (
    PromotionHeld,
    PromotionRefused,
    ReleaseDamaged,
    ReleaseError,
    ReleaseNotFound,
)
from retrievals_serving.promotion import (
    HISTORY,
    LOCK,
    history,
    hold,
    promote,
    rollback,
    served_before,
)
from retrievals_serving.release import (
    CURRENT,
    INDEX,
    SCHEMA_VERSION,
    Release,
    current_release_id,
)
from retrievals_serving.store import Store
from tests.serving.small_release import make_release

FIRST, SECOND, THIRD = (f"2026010{day}T000000Z-00000000000{day}" for day in (1, 2, 3))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with three sealed releases, of which none is served."""
    path = tmp_path_factory.mktemp("promotion") / "home"
    for release_id in (FIRST, SECOND, THIRD):
        make_release(Store(path), release_id, works=6)
    return path


@pytest.fixture
def store(made: Path, tmp_path: Path) -> Store:
    """A home in which builds have promoted three releases."""
    own = Store(Path(shutil.copytree(made, tmp_path / "home")))
    for release_id in (FIRST, SECOND, THIRD):
        promote(own, release_id, by="build")
    return own


def test_rollbacks_go_back_one_by_one_past_what_was_rolled_back_from(store: Store) -> None:
    assert rollback(store).release_id == SECOND
    assert rollback(store).release_id == FIRST
    with pytest.raises(PromotionRefused, match=f"was served before {FIRST}.*releases list"):
        rollback(store)
    assert current_release_id(store) == FIRST


def test_a_rollback_leads_back_to_what_was_served_not_to_what_was_built(store: Store) -> None:
    promote(store, FIRST)
    assert served_before(store) == [THIRD, SECOND]
    assert rollback(store).release_id == THIRD


def test_a_rollback_to_a_named_release_takes_the_place_of_the_wrong_one(store: Store) -> None:
    make_release(store, "never-served", works=6)
    assert rollback(store, "never-served").release_id == "never-served"
    assert served_before(store) == [SECOND, FIRST]
    assert rollback(store, FIRST).release_id == FIRST
    assert served_before(store) == []


def test_a_rollback_passes_over_a_release_that_was_removed(store: Store) -> None:
    shutil.rmtree(store.path(f"releases/{SECOND}"))
    assert rollback(store).release_id == FIRST


def test_after_a_rollback_builds_promote_nothing_until_someone_does(store: Store) -> None:
    rollback(store)
    make_release(store, "later", works=6)
    for release_id in (THIRD, "later"):
        with pytest.raises(PromotionHeld, match=f"{release_id} is not promoted.*holds {SECOND}"):
            promote(store, release_id, by="build")
    assert promote(store, SECOND, by="build").release_id == SECOND
    held = hold(store)
    assert held
    assert (held.release, current_release_id(store)) == (SECOND, SECOND)

    promote(store, "later")
    assert hold(store) is None
    promote(store, THIRD, by="build")
    assert current_release_id(store) == THIRD


def test_promoting_what_a_rollback_holds_lets_builds_promote_again(store: Store) -> None:
    rollback(store)
    promote(store, SECOND)
    assert hold(store) is None
    assert promote(store, THIRD, by="build").release_id == THIRD


def test_what_is_served_already_is_no_new_line_of_the_history(store: Store) -> None:
    before = store.read_bytes(HISTORY)
    promote(store, THIRD, by="build")
    promote(store, THIRD)
    assert store.read_bytes(HISTORY) == before
    assert [choice.release for choice in history(store)] == [FIRST, SECOND, THIRD]


def test_a_promotion_that_was_killed_before_it_took_effect_counts_for_nothing(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    write = Store.write_bytes

    def dies(self: Store, name: str, content: bytes) -> None:
        if name == CURRENT:
            raise Killed
        write(self, name, content)

    monkeypatch.setattr(Store, "write_bytes", dies)
    with pytest.raises(Killed):
        rollback(store)
    monkeypatch.undo()
    assert (current_release_id(store), hold(store)) == (THIRD, None)
    assert rollback(store).release_id == SECOND
    assert [choice.release for choice in history(store)] == [FIRST, SECOND, THIRD, SECOND]


def test_what_was_served_before_is_known_where_current_was_moved_by_hand(store: Store) -> None:
    rollback(store)
    make_release(store, "copied-here", works=6)
    store.write_bytes(CURRENT, b"copied-here")
    assert hold(store) is None
    assert served_before(store) == [SECOND, FIRST]
    promote(store, THIRD, by="build")
    assert [choice.release for choice in history(store)] == [FIRST, SECOND, THIRD, SECOND, THIRD]


def test_a_history_that_cannot_be_read_is_named_with_the_remedy(store: Store) -> None:
    store.write_bytes(HISTORY, b"garbage\n")
    with pytest.raises(ReleaseDamaged, match=r"(?s)HISTORY cannot be read.*move the file away"):
        rollback(store)
    assert current_release_id(store) == THIRD


def flipped(release: Release) -> None:
    content = bytearray(release.path(INDEX).read_bytes())
    content[-1] ^= 1
    release.path(INDEX).write_bytes(content)


def lacking(release: Release) -> None:
    release.path(INDEX).unlink()


def of_the_future(release: Release) -> None:
    manifest = release.path("manifest.json")
    content = json.loads(manifest.read_text())
    manifest.write_text(json.dumps(content | {"schema_version": SCHEMA_VERSION + 1}))


def half_copied(release: Release) -> None:
    release.path("manifest.json").unlink()


@pytest.mark.parametrize(
    ("damage", "kind", "message"),
    [
        (flipped, ReleaseDamaged, r"index\.faiss differs from its sha256"),
        (lacking, ReleaseDamaged, r"index\.faiss should have \d+ bytes and is missing"),
        (
            of_the_future,
            ReleaseDamaged,
            f"has schema version {SCHEMA_VERSION + 1}, this program reads {SCHEMA_VERSION}",
        ),
        (half_copied, ReleaseNotFound, f"there is no release '{FIRST}'"),
    ],
)
def test_a_release_that_is_not_what_was_sealed_is_not_promoted(
    store: Store, damage: Callable[[Release], None], kind: type[ReleaseError], message: str
) -> None:
    damage(Release(store, FIRST))
    for choose in (promote, rollback):
        with pytest.raises(kind, match=message):
            choose(store, FIRST)
    assert current_release_id(store) == THIRD
    assert history(store)[-1].release == THIRD


PROMOTE = """
import sys
from pathlib import Path
from retrievals_serving.promotion import promote
from retrievals_serving.store import Store
promote(Store(Path(sys.argv[1])), sys.argv[2])
"""


def test_of_two_publishers_at_once_the_second_is_refused(store: Store) -> None:
    command = [sys.executable, "-c", PROMOTE, store.root, FIRST]
    with store.locked(LOCK):
        second = subprocess.run(command, capture_output=True, text=True, check=False)
        assert second.returncode == 1
        assert "PromotionRefused: another process promotes or removes a release" in second.stderr
        assert current_release_id(store) == THIRD
    subprocess.run(command, check=True)
    assert current_release_id(store) == FIRST


def test_publishers_at_once_leave_one_whole_history(store: Store) -> None:
    def publish(turn: int) -> bool:
        try:
            promote(store, (FIRST, SECOND, THIRD)[turn % 3])
        except PromotionRefused:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        assert any(pool.map(publish, range(60)))
    choices = history(store)
    assert choices[-1].release == current_release_id(store)
    assert [choice.at for choice in choices] == sorted(choice.at for choice in choices)
    assert all(one.release != next_.release for one, next_ in pairwise(choices))
