"""An IIIF Image API 2.1 server (level 2) over any source of pictures.

Everything a request needs is done in Starlette's thread pool, so that the event loop only moves
bytes.
"""

import io
import json
import logging

from PIL import Image
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from retrievals_pipeline.miniature.iiif.conditional import answer, strong_etag
from retrievals_pipeline.miniature.iiif.parameters import (
    FORMATS,
    MAX_SIDE,
    MODES,
    TURNS,
    ImageRequest,
)
from retrievals_pipeline.miniature.iiif.pictures import DecodedPictures, PictureSource
from retrievals_serving.errors import PictureError

logger = logging.getLogger(__name__)

TILE = 512
CACHED = {"Cache-Control": "public, max-age=3600"}
ENCODERS: dict[str, tuple[str, dict[str, int]]] = {
    "jpg": ("JPEG", {"quality": 90}),
    "png": ("PNG", {"compress_level": 3}),
    "webp": ("WEBP", {"quality": 85, "method": 2}),
}


def iiif_routes(source: PictureSource) -> list[BaseRoute]:
    """Return the routes below `/iiif` that serve the pictures of `source`."""
    service = ImageService(source)
    image = "/iiif/{identifier}/{region}/{size}/{rotation}/{quality}.{format}"
    return [
        Route("/iiif/{identifier}", service.base),
        Route("/iiif/{identifier}/info.json", service.info, name="info"),
        Route(image, service.image),
    ]


class ImageService:
    """The endpoints, and the pictures that are decoded."""

    def __init__(self, source: PictureSource) -> None:
        self._source = source
        self._decoded = DecodedPictures(source)

    def base(self, request: Request) -> Response:
        """Send a client from the picture's own address to its description."""
        identifier, _ = self._known(request)
        return RedirectResponse(request.url_for("info", identifier=identifier), status_code=303)

    def info(self, request: Request) -> Response:
        """Describe the picture: its size, the sizes and tiles to ask for, what is supported."""
        identifier, version = self._known(request)
        own = str(request.url_for("info", identifier=identifier)).removesuffix("/info.json")
        linked = "application/ld+json" in request.headers.get("accept", "")
        media_type = "application/ld+json" if linked else "application/json"
        return answer(
            request,
            lambda: json.dumps(description(own, self._picture(identifier, version).size)).encode(),
            etag=strong_etag(own, version, media_type),
            media_type=media_type,
            headers={**CACHED, "Vary": "Accept"},
        )

    def image(self, request: Request) -> Response:
        """Render the picture as the path asks."""
        parameters = {k: v for k, v in request.path_params.items() if k != "identifier"}
        asked = ImageRequest(**parameters)
        asked.check()
        identifier, version = self._known(request)
        return answer(
            request,
            lambda: render(self._picture(identifier, version), asked),
            etag=strong_etag(identifier, version, *parameters.values()),
            media_type=FORMATS[asked.format],
            headers=CACHED,
        )

    def _known(self, request: Request) -> tuple[str, str]:
        identifier: str = request.path_params["identifier"]
        version = self._source.version(identifier)
        if version is None:
            raise HTTPException(404, f"There is no picture {identifier!r}.")
        return identifier, version

    def _picture(self, identifier: str, version: str) -> Image.Image:
        try:
            picture = self._decoded.get(identifier, version)
        except PictureError as error:
            logger.warning("%s", error)
            raise HTTPException(500, f"The picture {identifier!r} is damaged.") from error
        if picture is None:
            raise HTTPException(404, f"The picture {identifier!r} is gone.")
        return picture


def render(picture: Image.Image, asked: ImageRequest) -> bytes:
    """Return the encoded bytes of the part, size and kind asked for.

    Raises:
        HTTPException: 400 or 501, this picture cannot be served so.
    """
    left, top, right, bottom = asked.box(*picture.size)
    region = (right - left, bottom - top)
    size = asked.target(*region)
    if size == region:
        rendered = picture.crop((left, top, right, bottom))
    else:
        rendered = picture.resize(
            size, Image.Resampling.LANCZOS, box=(left, top, right, bottom), reducing_gap=3.0
        )
    turn = TURNS[asked.rotation]
    if turn is not None:
        rendered = rendered.transpose(turn)
    encoder, options = ENCODERS[asked.format]
    output = io.BytesIO()
    rendered.convert(MODES[asked.quality]).save(output, encoder, **options)
    return output.getvalue()


def description(own: str, size: tuple[int, int]) -> dict[str, object]:
    """Return the info.json of a picture of `size` (width, height) at the address `own`."""
    width, height = size
    factors = [1]
    while max(size) > TILE * factors[-1]:
        factors.append(factors[-1] * 2)
    sizes = [{"width": -(-width // f), "height": -(-height // f)} for f in reversed(factors)]
    return {
        "@context": "http://iiif.io/api/image/2/context.json",
        "@id": own,
        "protocol": "http://iiif.io/api/image",
        "width": width,
        "height": height,
        "sizes": [each for each in sizes if max(each.values()) <= MAX_SIDE],
        "tiles": [{"width": TILE, "scaleFactors": factors}],
        "profile": [
            "http://iiif.io/api/image/2/level2.json",
            {
                "formats": list(FORMATS),
                "qualities": list(MODES),
                "maxWidth": MAX_SIDE,
                "maxHeight": MAX_SIDE,
                "supports": ["regionSquare"],
            },
        ],
    }


class OpenToAll:
    """Let pages of every origin read every answer, errors included.

    Starlette's own middleware answers so only where a request names its origin, and a browser that
    has cached the other answer then refuses it to a viewer.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve, with the header added."""

        async def opened(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["Access-Control-Allow-Origin"] = "*"
            await send(message)

        await self._app(scope, receive, opened)
