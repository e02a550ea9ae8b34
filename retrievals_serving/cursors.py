"""Cursors: what leads from one page of an answer to the next, without the server remembering.

A cursor is the search that it continues, and its HMAC-SHA256, both base64url. It can be read by
anyone and made only with the server's secret.

The search is a line of JSON. The vectors are searched again for each page; what a reranker thought
is not asked again, because a deadline would cut it short elsewhere, and follows the line: the rows
that it judged and their scores, little-endian, 8 bytes a work.
"""

import base64
import contextlib
import functools
import hashlib
import hmac
import json
import logging
import secrets
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any, Literal

import numpy as np

from retrievals_serving.errors import CursorRefused
from retrievals_serving.ranking import Judgement
from retrievals_serving.settings import Settings
from retrievals_serving.vectors import Float32

logger = logging.getLogger(__name__)

# So long can a page be asked for after its release is no longer served: the release is kept.
LIFE = timedelta(days=1)

# Part of what is signed: a cursor of another layout is then no cursor. Renamed with the layout.
LAYOUT = b"retrievals cursor 3\n"
By = Literal["text", "picture", "words"]  # the last: a text, looked for in the records
PROCESS_SECRET = secrets.token_bytes(32)


@dataclass(frozen=True, kw_only=True)
class Cursor:
    """A search and how far it was read.

    Attributes:
        release: Id of the release that answered.
        vector: Digest of the vector that was searched, see `vector_digest`.
        query: The text that was searched for, if any.
        negative: What the works shall not show, if anything.
        by: Where the search began.
        filters: As they were asked.
        score_threshold: As it was asked.
        without: Row that is left out, if any.
        window: The setting; another one would answer in other pages.
        more: The setting.
        judgement: What a reranker thought of the first works, if one was asked.
        offset: How many results were shown.
    """

    release: str
    vector: str
    query: str | None
    negative: str | None
    by: By
    filters: dict[str, Any] | None
    score_threshold: float
    without: int | None
    window: int
    more: int
    judgement: Judgement | None = None
    offset: int = 0


def sign(cursor: Cursor, secret: bytes) -> str:
    """Return `cursor` as url-safe text that only a holder of `secret` can make."""
    fields, arrays = asdict(cursor), b""
    if judgement := fields["judgement"]:
        rows, scores = judgement.pop("rows"), judgement.pop("scores")
        arrays = rows.astype("<i4").tobytes() + scores.astype("<f4").tobytes()
    line = json.dumps(fields, sort_keys=True, separators=(",", ":")).encode()
    content = line + b"\n" + arrays
    return f"{_to_text(content)}.{_to_text(_signature(content, secret))}"


def verify(text: str, secret: bytes) -> Cursor:
    """Return the cursor in `text`.

    Raises:
        CursorRefused: It was not made with `secret`, or not whole.
    """
    content, signature = b"", b""
    with contextlib.suppress(ValueError):
        content, signature = (_to_bytes(part) for part in text.split("."))
    if not hmac.compare_digest(signature, _signature(content, secret)):
        raise CursorRefused(
            "cursor: it was not signed by this server, or was changed on the way; search again. "
            "If the server was restarted, RETRIEVALS_SECRET keeps cursors good."
        )
    line, _, arrays = content.partition(b"\n")
    fields = json.loads(line)
    if judgement := fields["judgement"]:
        half = len(arrays) // 2
        judgement["rows"] = np.frombuffer(arrays[:half], dtype="<i4")
        judgement["scores"] = np.frombuffer(arrays[half:], dtype="<f4")
        judgement["degraded"] = tuple(judgement["degraded"])
        fields["judgement"] = Judgement(**judgement)
    return Cursor(**fields)


def vector_digest(vector: Float32) -> str:
    """Return the sha256 of the float32 values of `vector`, as 64 hex digits."""
    return hashlib.sha256(vector.astype("<f4").tobytes()).hexdigest()


def secret_of(settings: Settings) -> bytes:
    """Return what signs the cursors: the setting, or else the secret of this process."""
    secret = settings.secret
    return secret.get_secret_value().encode() if secret else process_secret()


def secret_mark(settings: Settings) -> str:
    """Return what tells by whom cursors are signed, without telling the secret."""
    return hmac.digest(secret_of(settings), b"retrievals mark\n", "sha256").hex()


@functools.cache
def process_secret() -> bytes:
    """Return the random secret of this process, and say once what that means."""
    logger.warning(
        "RETRIEVALS_SECRET is not set: cursors end with this process, and no replica knows them."
    )
    return PROCESS_SECRET


def _signature(content: bytes, secret: bytes) -> bytes:
    return hmac.digest(secret, LAYOUT + content, "sha256")


def _to_text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _to_bytes(text: str) -> bytes:
    padded = text + "=" * (-len(text) % 4)
    return base64.b64decode(padded, altchars=b"-_", validate=True)
