"""What becomes of the picture of one work: kept when it is whole, else a row that says why not."""

import logging
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256

from retrievals_pipeline.defs.images.clock import RunEnded
from retrievals_pipeline.defs.images.fetcher import Fetcher
from retrievals_pipeline.defs.images.http import UNCHANGED, Answer
from retrievals_pipeline.defs.images.ledger import FAILURES, OK, LedgerRow, Work
from retrievals_pipeline.defs.images.pictures import check_picture
from retrievals_pipeline.defs.records.urls import mirrored
from retrievals_serving.errors import RejectedPicture
from retrievals_serving.store import Store, picture_name, thumbnail_name

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Downloader:
    """Downloads pictures into `store`, from `mirror` where there is one."""

    store: Store
    fetcher: Fetcher
    mirror: str | None

    def download(self, work: Work, held: LedgerRow | None) -> LedgerRow | None:
        """Ask for the picture of `work`, and return what the ledger is to say of it.

        `held` is the row of the picture that is in the store already, if one is: the museum need
        not send it again. Only when the museum says that it is gone, or the records that it is
        another, is a picture given up that was whole.

        Returns:
            The work's row; None when the one it has stands, or the run ended before.
        """
        address = mirrored(work.image_url, self.mirror)
        try:
            answer = self.fetcher.fetch(address, _conditions(held))
        except RunEnded:
            return None
        if held is not None and answer.status == UNCHANGED:
            return replace(
                held,
                image_modified=work.image_modified,
                http_status=answer.http_status,
                attempts=answer.attempts,
                fetched_at=_now(),
            )
        row = self._kept(work, answer) if answer.status == OK else _row(work, answer)
        if held is None or held.image_modified != work.image_modified or row.status == OK:
            return row
        if row.status in ("not_found", "gone"):
            return replace(row, status="gone", reason=f"{row.reason}, after it had been there")
        logger.warning("%s: %s (%s); its picture is kept", row.id, row.status, row.reason)
        return None

    def _kept(self, work: Work, answer: Answer) -> LedgerRow:
        """Keep the picture in `answer`, if it is one, with its thumbnail."""
        content = answer.content
        try:
            picture = check_picture(content, answer.headers.get("content-type", ""))
        except RejectedPicture as error:
            return replace(_row(work, answer), status=error.status, reason=str(error))
        name = sha256(content).hexdigest()
        self.store.write_bytes(thumbnail_name(name), picture.thumbnail)
        self.store.write_bytes(picture_name(name), content)
        side = max(picture.width, picture.height)
        return replace(
            _row(work, answer),
            sha256=name,
            bytes=len(content),
            width=picture.width,
            height=picture.height,
            sharp_side=min(side, work.longest_side or side),
            color=picture.color,
        )


def _conditions(held: LedgerRow | None) -> dict[str, str]:
    """Return the headers that spare a museum the sending of the picture of `held`."""
    if held is None:
        return {}
    headers = {"If-None-Match": held.etag, "If-Modified-Since": held.last_modified}
    return {name: value for name, value in headers.items() if value}


def _row(work: Work, answer: Answer) -> LedgerRow:
    return LedgerRow(
        id=work.id,
        image_url=work.image_url,
        image_modified=work.image_modified,
        status=answer.status if answer.status in {OK, *FAILURES} else "refused",
        reason=answer.reason,
        http_status=answer.http_status,
        etag=answer.headers.get("etag"),
        last_modified=answer.headers.get("last-modified"),
        attempts=answer.attempts,
        fetched_at=_now(),
    )


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)
