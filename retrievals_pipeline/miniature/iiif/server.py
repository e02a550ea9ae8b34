"""The museum's web server: pictures over IIIF, and for the miniature museum records and pages."""

import hashlib
import html

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from retrievals_pipeline.miniature.iiif.conditional import answer, strong_etag
from retrievals_pipeline.miniature.iiif.pictures import PictureSource
from retrievals_pipeline.miniature.iiif.service import OpenToAll, iiif_routes
from retrievals_pipeline.miniature.museum import RECORDS, MiniatureMuseum

ALLOW_ALL = "User-agent: *\nAllow: /\n"
PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<h1>{title}</h1>
<p>{artist}, {date}</p>
{picture}
"""
PICTURE = '<img src="/iiif/{uuid}/full/!1024,1024/0/default.jpg" alt="{description}">'


def museum_app(source: PictureSource) -> Starlette:
    """Return the app that serves `source` over IIIF.

    For a `MiniatureMuseum` it serves its records (`/opendata/*.csv`) and its works' pages
    (`/artworks/{objectid}`) too.
    """
    routes = [*iiif_routes(source), Route("/robots.txt", _robots)]
    if isinstance(source, MiniatureMuseum):
        routes += _museum_routes(source)
    return Starlette(routes=routes, middleware=[Middleware(OpenToAll)])


def _robots(_: Request) -> Response:
    return PlainTextResponse(ALLOW_ALL)


def _museum_routes(museum: MiniatureMuseum) -> list[BaseRoute]:
    files = {name: museum.records(name) for name in RECORDS}
    etags = {name: strong_etag(hashlib.sha256(files[name]).hexdigest()) for name in files}

    def records(request: Request) -> Response:
        name: str = request.path_params["name"]
        if name not in files:
            raise HTTPException(404, f"There is no {name!r}; there are {', '.join(files)}.")
        return answer(
            request,
            lambda: files[name],
            etag=etags[name],
            media_type="text/csv",
            headers={"Cache-Control": "no-cache"},
            modified=museum.modified,
        )

    def artwork(request: Request) -> Response:
        return HTMLResponse(artwork_page(museum, request.path_params["object_id"]))

    return [
        Route("/opendata/{name}", records),
        Route("/artworks/{object_id:int}", artwork),
    ]


def artwork_page(museum: MiniatureMuseum, object_id: int) -> str:
    """Return the HTML page of a work.

    Raises:
        HTTPException: 404, the museum has no such object.
    """
    work = museum.work(object_id)
    if work is None:
        raise HTTPException(404, f"There is no artwork {object_id}.")
    view = museum.picture_of(object_id)
    picture = "<p>No picture is published.</p>"
    if view is not None:
        picture = PICTURE.format(uuid=view.uuid, description=html.escape(view.description))
    return PAGE.format(
        title=html.escape(work.title or "Untitled"),
        artist=html.escape(work.artist.name),
        date=html.escape(work.date.display),
        picture=picture,
    )
