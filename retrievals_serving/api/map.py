"""Endpoints of the collection map: where every work lies, and the records of those in sight.

`map.bin` is little endian: the number of works, uint32; x and y of each, int16, in steps; red,
green and blue of each, uint8; then their ids in UTF-8, with a line feed between two.
"""

import gzip
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Header, Query, Response

from retrievals_serving.api import problems
from retrievals_serving.api.etags import NOT_MODIFIED, IfNoneMatch, has_it
from retrievals_serving.api.schemas.pages import Artwork
from retrievals_serving.api.service import EngineOf
from retrievals_serving.collection_map import read_map
from retrievals_serving.records import read_table
from retrievals_serving.release import MAP, RECORDS

router = APIRouter()

MAX_ARTWORKS = 100  # that one request names


BINARY: dict[int | str, dict[str, Any]] = {200: {"content": {"application/octet-stream": {}}}}


@router.get("/map.bin", response_class=Response, responses=BINARY | NOT_MODIFIED)
def collection_map(
    engine: EngineOf,
    if_none_match: IfNoneMatch = None,
    accept_encoding: Annotated[str, Header(include_in_schema=False)] = "",
) -> Response:
    """Give the place, the main colour and the id of every work, in a binary form."""
    etag = f'W/"{engine.release.release_id}"'
    headers = {"Cache-Control": "no-cache", "ETag": etag, "Vary": "Accept-Encoding"}
    if has_it(if_none_match, etag):
        return Response(status_code=304, headers=headers)
    content = _encoded(engine.release.path(MAP), engine.release.path(RECORDS))
    if "gzip" in accept_encoding:
        headers["Content-Encoding"] = "gzip"
    else:
        content = gzip.decompress(content)
    return Response(content, headers=headers, media_type="application/octet-stream")


@router.get("/artworks", response_model=list[Artwork], responses=problems.described(404))
def artworks(
    engine: EngineOf,
    ids: Annotated[
        list[str], Query(alias="id", max_length=MAX_ARTWORKS, description="Given once for each.")
    ],
) -> list[dict[str, Any]]:
    """Give the records of some works, in the order in which they are named."""
    works = [engine.artwork(artwork_id) for artwork_id in ids]
    return [{"id": work.id, "metadata": work.metadata} for work in works]


@lru_cache(maxsize=2)  # the release being served, and the one before it
def _encoded(map_path: Path, records_path: Path) -> bytes:
    """Return the answer, compressed. A sealed release never changes."""
    places = read_map(map_path)
    colors = read_table(records_path)["color"].to_pylist()
    parts = (
        np.array([len(places.ids)], "<u4").tobytes(),
        places.places.astype("<i2").tobytes(),
        bytes.fromhex("".join(colors).replace("#", "")),
        "\n".join(places.ids).encode(),
    )
    return gzip.compress(b"".join(parts), mtime=0)
