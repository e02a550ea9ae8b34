"""Download the pictures of one shard: what is there stays, what failed has its reason."""

import logging
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from itertools import takewhile

import pyarrow.compute as pc
import pyarrow.parquet as pq

from retrievals_pipeline.defs.images.download import Downloader
from retrievals_pipeline.defs.images.fetcher import Fetcher
from retrievals_pipeline.defs.images.http import NOT_MODIFIED
from retrievals_pipeline.defs.images.ledger import OK, Ledger, LedgerRow, Work
from retrievals_pipeline.defs.records.artworks import ARTWORKS
from retrievals_pipeline.partitions import shard_of
from retrievals_pipeline.progress import Advance
from retrievals_serving.errors import SourceError
from retrievals_serving.store import Store

logger = logging.getLogger(__name__)

THREADS = 16  # enough to hide the latency of a server; its limiter may leave most of them idle


@dataclass(frozen=True)
class ShardSummary:
    """What became of the pictures of one shard.

    Attributes:
        works: How many there are.
        fetched: How many were asked for.
        unchanged: How many of these the museum said to be as they were.
        rows: The ledger's row of each work that it knows.
    """

    works: int
    fetched: int
    unchanged: int
    rows: list[LedgerRow]

    @property
    def statuses(self) -> dict[str, int]:
        """How many works have each status."""
        return dict(Counter(row.status for row in self.rows))

    @property
    def bytes(self) -> int:
        """Size of the pictures that are there."""
        return sum(row.bytes or 0 for row in self.rows)


def read_works(store: Store, shards: int) -> dict[str, list[Work]]:
    """Return the works of `records/artworks.parquet` by shard, each in the order of ids.

    Raises:
        SourceError: The table is not there yet.
    """
    if not store.exists(ARTWORKS):
        raise SourceError(
            f"{store.path(ARTWORKS)} is not there: materialize `artworks` first "
            "(`retrievals build` does it all)."
        )
    names = ["id", "image_url", "image_modified"]
    table = pq.read_table(store.path(ARTWORKS), columns=[*names, "width", "height", "max_pixels"])
    longest = pc.max_element_wise(table["width"], table["height"])
    table = table.select(names).append_column(
        "longest_side", pc.min_element_wise(longest, table["max_pixels"])
    )
    works: dict[str, list[Work]] = {}
    for record in table.sort_by("id").to_pylist():
        works.setdefault(shard_of(record["id"], shards), []).append(Work(**record))
    return works


def download_shard(
    store: Store,
    shard: str,
    works: Sequence[Work],
    *,
    fetcher: Fetcher,
    mirror: str | None,
    advance: Advance,
    revalidate: bool = False,
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
        revalidate: Ask the museum also for what is there, whether it is still the same.
        only: Statuses: do nothing but try again the works that have one of them.

    Raises:
        SourceError: The run has ended, and works are left that were never asked for; what is done
            is kept. Of this kind, a SourceUnavailable when the museum does not answer any more.
    """
    ledger = Ledger(store, shard)
    wanted = [work for work in works if _is_wanted(work, ledger, revalidate, only)]
    advance(len(works) - len(wanted))
    unchanged = 0
    if wanted:
        downloader = Downloader(store, fetcher, mirror)
        tasks = ((work, ledger.held(work)) for work in wanted)
        going_on = takewhile(lambda _: fetcher.ended is None, tasks)
        with (
            ledger.recording() as journal,
            ThreadPoolExecutor(THREADS, thread_name_prefix="download") as pool,
            fetcher.ending_with_errors(),
        ):
            for row in _bounded(pool, downloader.download, going_on):
                advance(1)
                if row is None:
                    continue
                ledger.record(row, journal)
                unchanged += row.http_status == NOT_MODIFIED
                if row.status != OK:
                    logger.warning("%s: %s (%s)", row.id, row.status, row.reason)
        if fetcher.ended is not None:
            # Pictures that fail on every day must not make every build fail.
            if revalidate or not all(ledger.knows(work) for work in wanted):
                raise fetcher.ended
            logger.warning(
                "%s: not all that failed before was tried again: %s", shard, fetcher.ended
            )
    ledger.close()
    return ShardSummary(
        works=len(works),
        fetched=len(wanted),
        unchanged=unchanged,
        rows=[ledger.rows[work.id] for work in works if work.id in ledger.rows],
    )


def _is_wanted(work: Work, ledger: Ledger, revalidate: bool, only: Collection[str]) -> bool:
    if only:
        row = ledger.rows.get(work.id)
        return row is not None and row.status in only
    return revalidate or not ledger.holds(work)


def _bounded(
    pool: ThreadPoolExecutor,
    download: Callable[[Work, LedgerRow | None], LedgerRow | None],
    tasks: Iterable[tuple[Work, LedgerRow | None]],
) -> Iterator[LedgerRow | None]:
    """Yield results as they come, never holding more than two tasks a thread."""
    pending: set[Future[LedgerRow | None]] = set()
    try:
        for task in tasks:
            pending.add(pool.submit(download, *task))
            if len(pending) >= 2 * THREADS:
                done, pending = wait(pending, return_when=FIRST_COMPLETED)
                yield from (future.result() for future in done)
        while pending:
            done, pending = wait(pending, return_when=FIRST_COMPLETED)
            yield from (future.result() for future in done)
    finally:
        for future in pending:
            future.cancel()
