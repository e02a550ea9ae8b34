"""What becomes of the picture of one work: kept when it is whole, else a row that says why not."""

import logging
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from retrievals_pipeline.damage import using
from retrievals_pipeline.defs.images.host import AWAY
from retrievals_pipeline.defs.images.ledger import LedgerRow
from retrievals_pipeline.defs.images.pictures import check_picture
from retrievals_pipeline.defs.images.statuses import FAILURES, OK
from retrievals_pipeline.defs.images.transport import UNCHANGED, Answer
from retrievals_pipeline.defs.images.wanted import Task
from retrievals_pipeline.source import Pictures
from retrievals_serving.errors import RejectedPicture
from retrievals_serving.store import Store, picture_name, thumbnail_name

logger = logging.getLogger(__name__)

GONE = "gone"
AWAY_CODES = frozenset({404, 410})  # HTTP
# How long a picture is kept that the museum does not have: a look on the next day is later,
# whatever the hours of the two.
BAD_DAY = timedelta(hours=20)


@dataclass(frozen=True)
class Downloader:
    """Brings pictures into `store`, from wherever `fetcher` has them."""

    store: Store
    fetcher: Pictures

    def download(self, task: Task) -> LedgerRow:
        """Ask for the picture of a work, and return what the ledger is to say of it.

        A picture that is there need not be sent again. It is given up only when the museum sends
        another, or says on two days that it is gone.

        Raises:
            RunEnded: The run ended before there was an outcome.
            ShardError: The picture cannot be stored.
        """
        earlier = task.earlier
        held = earlier if task.is_held else None
        answer = self.fetcher.fetch(
            task.address, _conditions(held), failed_before=task.failed_before
        )
        if held is not None and answer.status == UNCHANGED:
            return _still(held, task, answer, image_modified=task.work.image_modified)
        row = self._kept(task, answer) if answer.status == OK else _row(task, answer)
        if row.status in AWAY and earlier is not None and _was_away(earlier):
            return replace(row, status=GONE, detail=f"{row.detail}, after it had been there")
        if row.status != OK and held is not None:
            logger.warning(
                "%s at %s: %s (%s); its picture is kept",
                row.id, row.image_url, row.status, row.detail,
            )  # fmt: skip
            kept = f"kept, after {row.status}: {row.detail}"
            return _still(held, task, answer, image_modified=held.image_modified, detail=kept)
        return row

    def _kept(self, task: Task, answer: Answer) -> LedgerRow:
        """Keep the picture in `answer`, if it is one, with its thumbnail."""
        content = answer.content
        try:
            picture = check_picture(content, answer.headers.get("content-type", ""))
        except RejectedPicture as error:
            return replace(_row(task, answer), status=error.status, detail=str(error))
        name = sha256(content).hexdigest()
        with using(self.store.path(picture_name(name)), "Mend its folder, and build again."):
            self.store.write_bytes(thumbnail_name(name), picture.thumbnail)
            self.store.write_bytes(picture_name(name), content)
        side = max(picture.width, picture.height)
        return replace(
            _row(task, answer),
            sha256=name,
            bytes=len(content),
            width=picture.width,
            height=picture.height,
            sharp_side=min(side, task.work.longest_side or side),
            color=picture.color,
        )


def _was_away(earlier: LedgerRow) -> bool:
    """Tell whether the museum did not have the picture on an earlier day either."""
    was_kept = earlier.status == OK and earlier.http_status in AWAY_CODES
    return earlier.status == GONE or (was_kept and _now() - earlier.fetched_at >= BAD_DAY)


def _conditions(held: LedgerRow | None) -> dict[str, str]:
    """Return the headers that spare a museum the sending of the picture of `held`."""
    if held is None:
        return {}
    headers = {"If-None-Match": held.etag, "If-Modified-Since": held.last_modified}
    return {name: value for name, value in headers.items() if value}


def _still(
    held: LedgerRow, task: Task, answer: Answer, *, image_modified: str, detail: str = ""
) -> LedgerRow:
    """Return the row of a picture that stays, after it was asked for again."""
    return replace(
        held,
        image_modified=image_modified,
        detail=detail,
        http_status=answer.http_status,
        attempts=answer.attempts,
        fetched_at=_now(),
        fetched_url=task.address,
    )


def _row(task: Task, answer: Answer) -> LedgerRow:
    return LedgerRow(
        id=task.work.id,
        image_url=task.work.image_url,
        image_modified=task.work.image_modified,
        status=answer.status if answer.status in {OK, *FAILURES} else "refused",
        detail=answer.detail,
        http_status=answer.http_status,
        etag=answer.headers.get("etag"),
        last_modified=answer.headers.get("last-modified"),
        attempts=answer.attempts,
        fetched_at=_now(),
        fetched_url=task.address,
    )


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)
