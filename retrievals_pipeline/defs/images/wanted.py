"""Which works of a shard are asked for in a run, and in which order."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from retrievals_pipeline.defs.images.ledger import Ledger, LedgerRow
from retrievals_pipeline.defs.images.works import Work
from retrievals_serving.http_client import mirrored

# What no other try of the same minute, or day, would change.
LASTING = frozenset(
    {"not_found", "gone", "forbidden", "refused", "not_an_image", "truncated", "too_large"}
)
# A museum mends such a picture once in a while: as often as a weekly revalidation would see it.
LASTS = timedelta(days=7)


@dataclass(frozen=True)
class Task:
    """A work to ask for.

    Attributes:
        work: The work.
        address: Where to ask: at the museum, or its mirror.
        earlier: The ledger's row of the same picture, if there is one.
        is_held: The picture of that row is in the store.
        failed_before: It was asked for at this address already, in vain.
    """

    work: Work
    address: str
    earlier: LedgerRow | None
    is_held: bool
    failed_before: bool


def wanted(
    works: Iterable[Work],
    ledger: Ledger,
    *,
    mirror: str | None,
    revalidate_before: datetime | None,
    only: Collection[str],
) -> list[Task]:
    """Return what to ask for: new works first, what failed before last, the longest ago first.

    So a run that ends early has brought what it could, and the next one begins with other works.
    """
    now = datetime.now(UTC)
    tasks = [
        task
        for task in (_task(work, ledger, mirror) for work in works)
        if _is_wanted(task, ledger, now, revalidate_before=revalidate_before, only=only)
    ]
    return sorted(tasks, key=_turn)


def _task(work: Work, ledger: Ledger, mirror: str | None) -> Task:
    address = mirrored(work.image_url, mirror)
    earlier = ledger.earlier(work)
    is_held = ledger.held(work) is not None
    return Task(
        work,
        address,
        earlier,
        is_held,
        failed_before=earlier is not None
        and bool(earlier.detail)
        and earlier.fetched_url == address
        and (is_held or ledger.knows(work)),
    )


def _is_wanted(
    task: Task,
    ledger: Ledger,
    now: datetime,
    *,
    revalidate_before: datetime | None,
    only: Collection[str],
) -> bool:
    if only:
        row = ledger.rows.get(task.work.id)
        return row is not None and row.status in only
    if revalidate_before is not None and not _was_seen_since(revalidate_before, task):
        return True
    if task.is_held:
        return not ledger.knows(task.work)
    stands = (
        task.earlier is not None
        and task.failed_before
        and task.earlier.status in LASTING
        and now - task.earlier.fetched_at < LASTS
    )
    return not stands


def _was_seen_since(moment: datetime, task: Task) -> bool:
    """Tell whether the museum said what became of the picture; one kept in its trouble was not."""
    row = task.earlier
    moment = moment.replace(microsecond=0)  # as the ledger has it
    was_kept = task.is_held and task.failed_before
    return row is not None and row.fetched_at >= moment and not was_kept


def _turn(task: Task) -> tuple[bool, float]:
    asked_at = task.earlier.fetched_at.timestamp() if task.earlier is not None else 0.0
    return task.failed_before, asked_at
