"""Download the pictures of one shard: what is there stays, what failed says why."""

import logging
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import UTC, datetime

from retrievals_pipeline.defs.images.download import Downloader
from retrievals_pipeline.defs.images.host import FORBIDDEN, MAX_IN_A_ROW, WORTH_A_RETRY
from retrievals_pipeline.defs.images.ledger import Ledger, LedgerRow
from retrievals_pipeline.defs.images.run_clock import RunEnded
from retrievals_pipeline.defs.images.statuses import OK
from retrievals_pipeline.defs.images.transport import THREADS
from retrievals_pipeline.defs.images.wanted import Task, wanted
from retrievals_pipeline.defs.images.works import Work
from retrievals_pipeline.progress import Advance
from retrievals_pipeline.source import Pictures
from retrievals_serving.errors import ShardError
from retrievals_serving.store import Store

logger = logging.getLogger(__name__)

FAILED_AGAIN = f"{MAX_IN_A_ROW} in a row that failed before failed again"


@dataclass(frozen=True, kw_only=True)
class ShardSummary:
    """What became of the pictures of one shard.

    Attributes:
        became: How many of the works that were asked for have which status now.
        unchanged: How many of these have the picture that they had.
        left: How many should have been asked for too.
        left_because: Why they were not.
        rows: The ledger's row of each work that it knows.
    """

    became: dict[str, int]
    unchanged: int
    left: int
    left_because: str
    rows: list[LedgerRow]

    @property
    def asked(self) -> int:
        """How many works were asked for."""
        return sum(self.became.values())

    @property
    def statuses(self) -> dict[str, int]:
        """How many works have each status."""
        return dict(Counter(row.status for row in self.rows))

    @property
    def bytes(self) -> int:
        """Size of the pictures that are there."""
        return sum(row.bytes or 0 for row in self.rows)


def download_shard(
    store: Store,
    shard: str,
    works: Sequence[Work],
    *,
    fetcher: Pictures,
    mirror: str | None,
    advance: Advance,
    revalidate_before: datetime | None = None,
    only: Collection[str] = (),
) -> ShardSummary:
    """Bring the pictures of `works` into the store, and the ledger of `shard` up to date.

    Args:
        store: Where pictures and ledger are.
        shard: The shard's name.
        works: All works of the shard.
        fetcher: The run's.
        mirror: Replaces host and prefix of the museum's addresses.
        advance: Called with the number of works that are done.
        revalidate_before: Ask the museum also for what is there and was last asked for before this
            moment, whether it is still the same.
        only: Statuses: do nothing but try again the works that have one of them.

    Raises:
        SourceError: The run has ended, and works are left that were never asked for; what is done
            is kept. Of this kind, a SourceUnavailable when the museum does not answer any more.
        ShardError: Its ledger cannot be used, a picture cannot be stored, or `only` is given and
            the shard was never finished; other shards are unharmed.
    """
    ledger = Ledger(store, shard)
    if only and not ledger.is_finished:
        raise ShardError(
            f"shard {shard} was never finished: materialize `artwork_images` for it first."
        )
    tasks = wanted(works, ledger, mirror=mirror, revalidate_before=revalidate_before, only=only)
    advance(len(works) - len(tasks))
    asking = _Asking(ledger, fetcher)
    if tasks:
        asking.ask_for(tasks, Downloader(store, fetcher).download, advance)
    left = [task for task in tasks if task.work.id not in asking.became]
    because = str(fetcher.ended or FAILED_AGAIN) if left else ""
    if left:
        # Pictures that fail on every day must not make every build fail.
        if fetcher.ended is not None and not all(task.failed_before for task in left):
            raise fetcher.ended
        logger.warning("%s: %d that failed before are left: %s", shard, len(left), because)
    ledger.close()
    return ShardSummary(
        became=dict(Counter(asking.became.values())),
        unchanged=asking.unchanged,
        left=len(left),
        left_because=because,
        rows=[ledger.rows[work.id] for work in works if work.id in ledger.rows],
    )


def longest_ago_first(
    store: Store, shards: Iterable[str], works: Mapping[str, Sequence[Work]]
) -> list[str]:
    """Return `shards` in the order in which their `works` were asked for.

    So looks that are cut short one after the other come to all of them.
    """
    never = datetime.max.replace(tzinfo=UTC)

    def asked_at(shard: str) -> datetime:
        try:
            ledger = Ledger(store, shard)
        except ShardError:
            return never  # it fails in its turn
        rows = (ledger.earlier(work) for work in works.get(shard, ()))
        return min((row.fetched_at for row in rows if row is not None), default=never)

    return sorted(shards, key=asked_at)


@dataclass
class _Asking:
    """One pass over the works of a shard.

    Attributes:
        became: Status of each work that was asked for, by id.
        unchanged: How many of these have the picture that they had.
        failed_again: How many of those that failed before failed again since one of them did not.
        trouble: Why a picture could not be stored; then no other is asked for.
    """

    ledger: Ledger
    fetcher: Pictures
    became: dict[str, str] = field(default_factory=dict)
    unchanged: int = 0
    failed_again: int = 0
    trouble: ShardError | None = None

    def ask_for(
        self, tasks: Iterable[Task], download: Callable[[Task], LedgerRow], advance: Advance
    ) -> None:
        """Download in many threads, and keep each row as it comes.

        Raises:
            ShardError: A picture could not be stored; what was on its way besides is kept.
        """
        with (
            self.ledger.recording() as journal,
            ThreadPoolExecutor(THREADS, thread_name_prefix="download") as pool,
            self.fetcher.ending_with_errors(),
        ):
            for task, future in _bounded(pool, download, filter(self._goes_on, tasks)):
                advance(1)
                try:
                    row = future.result()
                except RunEnded:
                    continue
                except ShardError as error:
                    self.trouble = error  # raised below: here it would end the run
                    continue
                self.ledger.record(row, journal)
                self._count(task, row)
                if row.status != OK:
                    logger.warning(
                        "%s at %s: %s (%s)", row.id, row.image_url, row.status, row.detail
                    )
        if self.trouble is not None:
            raise self.trouble

    def _goes_on(self, task: Task) -> bool:
        given_up = task.failed_before and self.failed_again >= MAX_IN_A_ROW
        return self.fetcher.ended is None and self.trouble is None and not given_up

    def _count(self, task: Task, row: LedgerRow) -> None:
        self.became[row.id] = row.status
        is_kept = row.status == OK and bool(row.detail)  # though the answer was none
        if task.is_held and task.earlier is not None and not is_kept:
            self.unchanged += row.sha256 == task.earlier.sha256
        if task.failed_before:
            in_trouble = is_kept or row.status in {FORBIDDEN, *WORTH_A_RETRY}
            self.failed_again = self.failed_again + 1 if in_trouble else 0


def _bounded(
    pool: ThreadPoolExecutor, download: Callable[[Task], LedgerRow], tasks: Iterable[Task]
) -> Iterator[tuple[Task, Future[LedgerRow]]]:
    """Yield the tasks as they are done, never holding more than two a thread."""
    pending: dict[Future[LedgerRow], Task] = {}
    try:
        for task in tasks:
            pending[pool.submit(download, task)] = task
            if len(pending) >= 2 * THREADS:
                yield from _done(pending)
        while pending:
            yield from _done(pending)
    finally:
        for future in pending:
            future.cancel()


def _done(
    pending: dict[Future[LedgerRow], Task],
) -> Iterator[tuple[Task, Future[LedgerRow]]]:
    """Wait until one is done at least, and take those that are out of `pending`."""
    done, _ = wait(pending, return_when=FIRST_COMPLETED)
    for future in done:
        yield pending.pop(future), future
