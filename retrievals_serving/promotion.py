"""Which release is served: promotion, rollback, and the history that both are written to.

    releases/CURRENT     the id of the release being served
    releases/HISTORY     a line of JSON for each time that it was chosen: release, at, by

A build promotes what it made, until someone rolls back: then what builds make waits, sealed and
checked, until someone promotes a release by hand. Whoever chooses holds `promotion.lock`.

The history is written first, so that it lacks nothing that was ever served. A line that a kill left
at its end, before `CURRENT` moved, counts for nothing.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from retrievals_serving.errors import PromotionHeld, PromotionRefused, ReleaseDamaged
from retrievals_serving.release import (
    CURRENT,
    MANIFEST,
    Release,
    current_release_id,
    open_release,
    read_checks,
)
from retrievals_serving.store import Store

HISTORY = "releases/HISTORY"
LOCK = "promotion.lock"

By = Literal["build", "promote", "rollback"]


class Promotion(BaseModel):
    """One choice of the release that is served."""

    model_config = ConfigDict(frozen=True)

    release: str
    at: datetime
    by: By


def promote(
    store: Store, release_id: str, *, by: Literal["build", "promote"] = "promote"
) -> Release:
    """Serve `release_id` from now on; by hand, which is the default, this also ends a hold.

    Raises:
        PromotionHeld: It is a build's, and someone rolled back.
        PromotionRefused: A required check failed or has no verdict (names each), or another process
            is choosing a release.
        ReleaseNotFound: There is no such release.
        ReleaseDamaged: Its files are not those its manifest names; every byte is read.
    """
    with choosing(store):
        held = hold(store)
        if by == "build" and held and held.release != release_id:
            raise PromotionHeld(f"release {release_id} is not promoted. {notice(held)}")
        return _choose(store, release_id, by)


def rollback(store: Store, release_id: str | None = None) -> Release:
    """Serve the release that was served before, or `release_id`, and hold it there.

    Releases that were rolled back from are passed over, and so are those that were removed.

    Raises:
        PromotionRefused: None was served before; else as for `promote`.
        ReleaseNotFound, ReleaseDamaged: As for `promote`.
    """
    with choosing(store):
        if release_id is None:
            before = [
                id_ for id_ in served_before(store) if store.exists(f"releases/{id_}/{MANIFEST}")
            ]
            if not before:
                raise PromotionRefused(
                    f"no release that is there was served before {current_release_id(store)} in "
                    f"{store.root}: name one of `retrievals releases list`."
                )
            release_id = before[0]
        return _choose(store, release_id, "rollback")


def history(store: Store) -> list[Promotion]:
    """Return every choice that took effect, the oldest first.

    Raises:
        ReleaseNotFound: Nothing was promoted yet.
        ReleaseDamaged: The file cannot be read.
    """
    current = current_release_id(store)
    try:
        lines = store.read_bytes(HISTORY).splitlines() if store.exists(HISTORY) else []
        choices = [Promotion.model_validate_json(line) for line in lines]
    except ValidationError as error:
        raise ReleaseDamaged(
            f"{store.path(HISTORY)} cannot be read: {error}. Mend the line, or move the file away: "
            "then nothing is known of what was served before."
        ) from error
    if len(choices) > 1 and choices[-2].release == current != choices[-1].release:
        choices.pop()
    return choices


def hold(store: Store) -> Promotion | None:
    """Return the rollback that keeps builds from promoting, if one does.

    Raises:
        ReleaseDamaged: As for `history`.
    """
    choices = history(store) if store.exists(CURRENT) else []
    if not choices or choices[-1].release != current_release_id(store):
        return None
    return choices[-1] if choices[-1].by == "rollback" else None


def notice(held: Promotion) -> str:
    """Say what a rollback means for builds, and what ends that."""
    return (
        f"A rollback of {held.at:%Y-%m-%d %H:%M} UTC holds {held.release}: what builds make waits "
        "until `retrievals releases promote <id>`."
    )


def served_before(store: Store) -> list[str]:
    """Return the ids of the releases that rollbacks lead back to, the next one first.

    Raises:
        ReleaseNotFound, ReleaseDamaged: As for `history`.
    """
    path: list[str] = []
    for choice in history(store):
        if choice.by == "rollback":
            # What was served after it, or in its place, is what was wrong.
            end = path.index(choice.release) if choice.release in path else len(path) - 1
            del path[end:]
        elif choice.release in path:
            path.remove(choice.release)
        path.append(choice.release)
    current = current_release_id(store)
    return [release_id for release_id in reversed(path) if release_id != current]


@contextmanager
def choosing(store: Store) -> Iterator[None]:
    """Keep other processes from promoting or removing a release while the block runs.

    Raises:
        PromotionRefused: One is at it.
    """
    with ExitStack() as held:
        try:
            held.enter_context(store.locked(LOCK))
        except BlockingIOError as error:
            raise PromotionRefused(
                f"another process promotes or removes a release in {store.root} at this moment: "
                "try again when it is done."
            ) from error
        yield


def _choose(store: Store, release_id: str, by: By) -> Release:
    release = open_release(store, release_id)
    release.require_whole()
    _require_checks(store, release_id)
    choices = history(store) if store.exists(CURRENT) else []
    if not choices or not _is_in_force(choices[-1], release_id, by):
        choices.append(Promotion(release=release_id, at=datetime.now(UTC), by=by))
        lines = "".join(f"{choice.model_dump_json()}\n" for choice in choices)
        store.write_bytes(HISTORY, lines.encode())
    store.write_bytes(CURRENT, release_id.encode())
    return release


def _is_in_force(last: Promotion, release_id: str, by: By) -> bool:
    """Tell whether this choice would change nothing: neither the release nor whether it is held."""
    is_same_hold = (by == "rollback") == (last.by == "rollback")
    return last.release == release_id and (by == "build" or is_same_hold)


def _require_checks(store: Store, release_id: str) -> None:
    refusals = []
    for check, verdict in read_checks(store, release_id).items():
        if verdict is None:
            refusals.append(f"{check} has not been run")
        elif not verdict["passed"]:
            refusals.append(f"{check} failed: {verdict['details']}")
    if refusals:
        raise PromotionRefused(
            f"release {release_id} is not promoted: {'; '.join(refusals)}. "
            "Materialize release_candidate with its checks again once the cause is mended."
        )
