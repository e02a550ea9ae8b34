"""Which releases are kept, and removing the others.

Kept are the release being served, the two that rollbacks lead back to, the one that was sealed
last, and each that was served or built within the life of a cursor.

On a local disk a process keeps what it has open: the files of a release that is removed stay on the
disk until the last engine that searches them has let go.
"""

import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

from retrievals_serving.cursors import LIFE
from retrievals_serving.errors import ReleaseDamaged
from retrievals_serving.promotion import choosing, history, served_before
from retrievals_serving.release import CANDIDATE, current_release_id, list_releases
from retrievals_serving.store import Store, sync

BACK = 2  # releases that rollbacks lead back to
AWAY = "releases/.removed-"  # before the id of a release that is being removed
# Folders of no release: what killed prunes left, and what builds found damaged and made again.
LEFTOVERS = (f"{AWAY}*", "releases/.damaged-*")
TOPS = ("releases", "reports")  # folders that have one of each release
NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Retention:
    """What a prune does.

    Attributes:
        kept: Why each release that stays does, by its id, the newest build first.
        removed: Ids of the releases that go, with their reports.
        leftovers: Folders that go besides: of releases that are gone or were set aside.
        bytes: Size of all that goes.
    """

    kept: dict[str, str]
    removed: list[str]
    leftovers: list[Path]
    bytes: int


def prune(store: Store, now: datetime) -> Retention:
    """Remove the releases that need not be kept, and return which.

    Raises:
        ReleaseNotFound, ReleaseDamaged: As for `retention`.
        PromotionRefused: Another process promotes or removes a release.
    """
    with choosing(store):
        found = retention(store, now)
        for folder in found.leftovers:
            shutil.rmtree(folder)
        for release_id in found.removed:
            # Away first, in one step: what is there under its name is whole.
            store.path(f"releases/{release_id}").rename(store.path(AWAY + release_id))
        sync(store.path("releases"))
        for release_id in found.removed:
            shutil.rmtree(store.path(AWAY + release_id))
            shutil.rmtree(store.path(f"reports/{release_id}"), ignore_errors=True)
    return found


def retention(store: Store, now: datetime) -> Retention:
    """Look for what a prune at `now` (UTC) would do.

    Raises:
        ReleaseNotFound: Nothing is served, so that nobody knows what is needed.
        ReleaseDamaged: The history of promotions cannot be read.
    """
    needed, left_at = _needed(store), _left_at(store, now)
    kept, removed = {}, []
    for release in list_releases(store):
        try:
            last = max(release.manifest.created_at, left_at.get(release.release_id, NEVER))
        except ReleaseDamaged:
            last = NEVER
            needed.setdefault(release.release_id, "cannot be read: remove it by hand")
        if last + LIFE > now:
            until = f"{last + LIFE:%Y-%m-%d %H:%M} UTC"
            needed.setdefault(release.release_id, f"pages of it can be asked for until {until}")
        if reason := needed.get(release.release_id):
            kept[release.release_id] = reason
        else:
            removed.append(release.release_id)
    leftovers = [
        *(path for pattern in LEFTOVERS for path in sorted(store.root.glob(pattern))),
        *(
            store.path(report)
            for report in store.names("reports/*")
            if not store.exists(report.replace("reports", "releases", 1))
        ),
    ]
    going = [*leftovers, *(store.path(f"{top}/{id_}") for top in TOPS for id_ in removed)]
    return Retention(
        kept=kept,
        removed=removed,
        leftovers=leftovers,
        bytes=sum(file.stat().st_size for path in going for file in path.rglob("*")),
    )


def _needed(store: Store) -> dict[str, str]:
    """Return why each release is kept, however old."""
    reasons = dict.fromkeys(served_before(store)[:BACK], "rollbacks lead back to it")
    if store.exists(CANDIDATE):
        reasons[store.read_bytes(CANDIDATE).decode()] = "sealed last"
    return reasons | {current_release_id(store): "served"}


def _left_at(store: Store, now: datetime) -> dict[str, datetime]:
    """Return when each release that was ever served was last so."""
    choices = history(store)
    ended = {before.release: after.at for before, after in pairwise(choices)}
    return ended | {choices[-1].release: now} if choices else {}
