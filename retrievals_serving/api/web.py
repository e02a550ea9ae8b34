"""The page for visitors: one document for all of its addresses, and the files that it loads."""

import mimetypes
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Response
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.responses import FileResponse
from fastapi.routing import APIRoute
from fastapi.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

import retrievals_serving


class CompressedRoute(APIRoute):
    """A route whose answer is compressed."""

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        await GZipMiddleware(super().handle)(scope, receive, send)


router = APIRouter(route_class=CompressedRoute)

METHODS = ["GET", "HEAD"]  # the second is of what watches whether the page is there
WEB = Path(retrievals_serving.__file__).parent / "web"

mimetypes.add_type("font/woff2", ".woff2")

# A browser asks whether it changed, and then gets the cookie of a visitor where it has none.
HEADERS = {"Cache-Control": "no-cache"}


@router.api_route("/", methods=METHODS, include_in_schema=False)
@router.api_route("/map", methods=METHODS, include_in_schema=False)
@router.api_route("/about", methods=METHODS, include_in_schema=False)
@router.api_route("/works/{artwork_id}", methods=METHODS, include_in_schema=False)
def index() -> FileResponse:
    """Give the page, which shows what its address names."""
    return FileResponse(WEB / "index.html", headers=HEADERS)


class PageFiles(StaticFiles):
    """The files of the page. A browser asks whether they changed, so that they fit together."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        """Answer with a file, or that it is unchanged."""
        response = super().file_response(*args, **kwargs)
        response.headers["Cache-Control"] = "no-cache"
        return response
