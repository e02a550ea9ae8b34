"""The page for visitors."""

from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import FileResponse

import retrievals_serving

router = APIRouter()

WEB = Path(retrievals_serving.__file__).parent / "web"

# A browser asks whether it changed, and then gets the cookie of a visitor where it has none.
HEADERS = {"Cache-Control": "no-cache"}


@router.get("/", include_in_schema=False)
def index() -> FileResponse:
    """Give the page."""
    return FileResponse(WEB / "index.html", headers=HEADERS)
