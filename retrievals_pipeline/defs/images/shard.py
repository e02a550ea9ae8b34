"""Download the pictures of one shard: what is there stays, what failed has its reason."""

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

import pyarrow.parquet as pq

from retrievals_pipeline.defs.images.http import Answer, Fetcher
from retrievals_pipeline.defs.images.ledger import OK, Ledger, LedgerRow, Work
from retrievals_pipeline.defs.images.pictures import check_picture
from retrievals_pipeline.defs.records.artworks import ARTWORKS
from retrievals_pipeline.defs.records.urls import mirrored
from retrievals_pipeline.partitions import shard_of
from retrievals_pipeline.progress import Advance
from retrievals_serving.errors import RejectedPicture, SourceError
from retrievals_serving.store import Store, picture_name, thumbnail_name

logger = logging.getLogger(__name__)

# Few enough for a museum's public server, enough to hide the latency of a nearby one.
THREADS = 4
MAX_FAILURES_IN_A_ROW = 24  # as if the museum were down: this ends the run


@dataclass(frozen=True)
class ShardSummary:
    """What became of the pictures of one shard."""

    works: int
    fetched: int
    statuses: dict[str, int]
    bytes: int


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
    table = pq.read_table(store.path(ARTWORKS), columns=["id", "image_url", "image_modified"])
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
) -> ShardSummary:
    """Bring the pictures of `works` into the store, and the ledger of `shard` up to date.

    Raises:
        SourceError: The museum does not answer any more; what is done is kept.
    """
    ledger = Ledger(store, shard)
    wanted = [work for work in works if not ledger.holds(work)]
    advance(len(works) - len(wanted))
    if wanted:
        with (
            ledger.recording() as journal,
            ThreadPoolExecutor(THREADS, thread_name_prefix="download") as pool,
        ):
            for row in _bounded(pool, lambda work: _download(store, work, fetcher, mirror), wanted):
                ledger.record(row, journal)
                advance(1)
                if row.status != OK:
                    logger.warning("%s: %s (%s)", row.id, row.status, row.reason)
                if fetcher.failures_in_a_row >= MAX_FAILURES_IN_A_ROW:
                    raise SourceError(
                        f"{fetcher.failures_in_a_row} pictures in a row could not be had: the "
                        f"last, {mirrored(row.image_url, mirror)}, {row.status} ({row.reason}). "
                        "What is done is kept; run the build again when the museum answers."
                    )
    ledger.close()
    rows = [ledger.rows[work.id] for work in works]
    return ShardSummary(
        works=len(works),
        fetched=len(wanted),
        statuses=dict(Counter(row.status for row in rows)),
        bytes=sum(row.bytes or 0 for row in rows),
    )


def _bounded(
    pool: ThreadPoolExecutor, work: Callable[[Work], LedgerRow], items: Sequence[Work]
) -> Iterator[LedgerRow]:
    """Yield results as they come, never holding more than two tasks a thread."""
    pending: set[Future[LedgerRow]] = set()
    try:
        for item in items:
            pending.add(pool.submit(work, item))
            if len(pending) >= 2 * THREADS:
                done, pending = wait(pending, return_when=FIRST_COMPLETED)
                yield from (future.result() for future in done)
        while pending:
            done, pending = wait(pending, return_when=FIRST_COMPLETED)
            yield from (future.result() for future in done)
    finally:
        for future in pending:
            future.cancel()


def _download(store: Store, work: Work, fetcher: Fetcher, mirror: str | None) -> LedgerRow:
    answer = fetcher.fetch(mirrored(work.image_url, mirror))
    if answer.status != OK:
        return _row(work, answer, answer.status, answer.reason)
    try:
        picture = check_picture(answer.content)
    except RejectedPicture as error:
        return _row(work, answer, error.status, str(error))
    name = sha256(answer.content).hexdigest()
    store.write_bytes(thumbnail_name(name), picture.thumbnail)
    store.write_bytes(picture_name(name), answer.content)
    return _row(
        work,
        answer,
        OK,
        sha256=name,
        bytes=len(answer.content),
        width=picture.width,
        height=picture.height,
        color=picture.color,
    )


def _row(
    work: Work, answer: Answer, status: str, reason: str = "", **stored: str | int
) -> LedgerRow:
    return LedgerRow(
        id=work.id,
        image_url=work.image_url,
        image_modified=work.image_modified,
        status=status,
        reason=reason,
        http_status=answer.http_status,
        etag=answer.headers.get("etag"),
        last_modified=answer.headers.get("last-modified"),
        attempts=answer.attempts,
        fetched_at=datetime.now(UTC).replace(microsecond=0),
        **stored,  # type: ignore[arg-type]
    )
