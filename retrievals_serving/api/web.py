"""The page for visitors."""

from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import FileResponse

import retrievals_serving

router = APIRouter()

WEB = Path(retrievals_serving.__file__).parent / "web"

# Everything comes from this server, and nothing that a record holds can run.
HEADERS = {
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'; object-src 'none'",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "X-Content-Type-Options": "nosniff",
}


@router.get("/", include_in_schema=False)
def index() -> FileResponse:
    """Give the page."""
    return FileResponse(WEB / "index.html", headers=HEADERS)
