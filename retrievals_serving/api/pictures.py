"""Endpoints of pictures. They are named by their content, so they can be kept for ever."""

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Path, Response

from retrievals_serving.api import problems
from retrievals_serving.api.etags import NOT_MODIFIED, IfNoneMatch, has_it
from retrievals_serving.api.service import EngineOf
from retrievals_serving.store import picture_name, thumbnail_name

router = APIRouter()

# A name that is 64 hex digits leads to no other file than a picture.
Sha256 = Annotated[
    str, Path(pattern="^[0-9a-f]{64}$", description="As at the end of a result's `thumbnail_url`.")
]
PICTURE: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {
            kind: {}
            for kind in ("image/jpeg", "image/png", "image/webp", "application/octet-stream")
        }
    }
}
ANSWERS = PICTURE | NOT_MODIFIED | problems.described(404)


@router.get("/thumbnails/{sha}", response_class=Response, responses=ANSWERS)
def thumbnail(sha: Sha256, engine: EngineOf, if_none_match: IfNoneMatch = None) -> Response:
    """Give the thumbnail of a picture."""
    return _picture(engine, thumbnail_name(sha), sha, if_none_match)


@router.get("/images/{sha}", response_class=Response, responses=ANSWERS)
def image(sha: Sha256, engine: EngineOf, if_none_match: IfNoneMatch = None) -> Response:
    """Give a picture as it was fetched from the museum."""
    return _picture(engine, picture_name(sha), sha, if_none_match)


def _picture(engine: EngineOf, name: str, sha: str, if_none_match: str | None) -> Response:
    store = engine.release.store
    if not store.exists(name):
        raise HTTPException(HTTPStatus.NOT_FOUND, f"there is no picture {sha}.")
    etag = f'"{sha}"'
    headers = {
        "Cache-Control": "public, max-age=31536000, immutable",
        "ETag": etag,
    }
    if has_it(if_none_match, etag):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    content = store.read_bytes(name)
    return Response(content, headers=headers, media_type=media_type(content))


def media_type(content: bytes) -> str:
    """Return the media type of a picture by its first bytes, whatever its name says."""
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    return "application/octet-stream"
