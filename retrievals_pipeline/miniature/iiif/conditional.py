"""Answers that a client may already hold: strong ETags, 304, and what a cache may do."""

import hashlib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime

from starlette.requests import Request
from starlette.responses import Response


def strong_etag(*parts: str) -> str:
    """Return the quoted ETag of what `parts` identify together."""
    whole = "\n".join(parts).encode()
    return f'"{hashlib.sha256(whole).hexdigest()[:32]}"'


def answer(
    request: Request,
    body: Callable[[], bytes],
    *,
    etag: str,
    media_type: str,
    headers: Mapping[str, str],
    modified: datetime | None = None,
) -> Response:
    """Answer with `body()`, or with 304 and without calling it where the client holds it.

    `modified` is aware; it becomes Last-Modified.
    """
    sent = {**headers, "ETag": etag}
    if modified is not None:
        sent["Last-Modified"] = format_datetime(modified.astimezone(UTC), usegmt=True)
    if _held(request, etag, modified):
        return Response(status_code=304, headers=sent)
    return Response(body(), media_type=media_type, headers=sent)


def _held(request: Request, etag: str, modified: datetime | None) -> bool:
    tags = request.headers.get("if-none-match")
    if tags is not None:  # which makes If-Modified-Since count for nothing
        held = {tag.strip().removeprefix("W/") for tag in tags.split(",")}
        return etag in held or "*" in held
    since = request.headers.get("if-modified-since")
    if since is None or modified is None:
        return False
    try:
        date = parsedate_to_datetime(since)
    except ValueError:
        return False  # a malformed date is as good as none
    return modified.replace(microsecond=0) <= date.astimezone(UTC)
