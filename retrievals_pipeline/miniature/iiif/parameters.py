"""The grammar of an IIIF image request: which part of a picture, how large, as what.

The Image API 2.1's, with 3.0's rule that a picture is never larger than the region asked for.
"""

import re
from dataclasses import dataclass

from PIL.Image import Transpose
from starlette.exceptions import HTTPException

MAX_SIDE = 4096
FORMATS = {"jpg": "image/jpeg", "png": "image/png", "webp": "image/webp"}
MODES = {"default": "RGB", "color": "RGB", "gray": "L", "bitonal": "1"}
TURNS = {
    "0": None,
    "90": Transpose.ROTATE_270,  # IIIF turns clockwise, Pillow the other way
    "180": Transpose.ROTATE_180,
    "270": Transpose.ROTATE_90,
}
_ELSEWHERE = {"gif", "tif", "jp2", "pdf"}  # formats of the standard that are not made here
_INT = r"([0-9]{1,9})"
_REAL = r"([0-9]{1,9}(?:\.[0-9]{1,9})?)"
_ROTATION = re.compile(rf"!?{_REAL}")
_REGION = re.compile(rf"{_INT},{_INT},{_INT},{_INT}")
_REGION_PERCENT = re.compile(rf"pct:{_REAL},{_REAL},{_REAL},{_REAL}")
_SIZE = re.compile(rf"(!?){_INT}?,{_INT}?")
_SIZE_PERCENT = re.compile(rf"pct:{_REAL}")

Box = tuple[int, int, int, int]  # left, top, right, bottom


@dataclass(frozen=True)
class ImageRequest:
    """The five parameters as they stand in the path."""

    region: str
    size: str
    rotation: str
    quality: str
    format: str

    def check(self) -> None:
        """Refuse what needs no picture to be refused.

        Raises:
            HTTPException: 400 for what is not IIIF, 501 for what is not made here.
        """
        if self.rotation not in TURNS:
            turn = _ROTATION.fullmatch(self.rotation)
            if turn is None or float(turn[1]) > 360:
                raise _bad("rotation", self.rotation, "use 0, 90, 180 or 270")
            raise _unsupported("rotation", self.rotation, "use 0, 90, 180 or 270")
        if self.quality not in MODES:
            raise _bad("quality", self.quality, f"use one of {', '.join(MODES)}")
        if self.format in _ELSEWHERE:
            raise _unsupported("format", self.format, f"use one of {', '.join(FORMATS)}")
        if self.format not in FORMATS:
            raise _bad("format", self.format, f"use one of {', '.join(FORMATS)}")

    def box(self, width: int, height: int) -> Box:
        """Return the region in a picture of `width` x `height` pixels, cut at its edges.

        Raises:
            HTTPException: 400, the region is malformed or holds no pixel of the picture.
        """
        if self.region == "full":
            return 0, 0, width, height
        if self.region == "square":
            side = min(width, height)
            left, top = (width - side) // 2, (height - side) // 2
            return left, top, left + side, top + side
        if match := _REGION.fullmatch(self.region):
            x, y, w, h = (int(number) for number in match.groups())
        elif match := _REGION_PERCENT.fullmatch(self.region):
            shares = [float(number) / 100 for number in match.groups()]
            x, w = round(shares[0] * width), round(shares[2] * width)
            y, h = round(shares[1] * height), round(shares[3] * height)
        else:
            raise _bad("region", self.region, "use full, square, x,y,w,h or pct:x,y,w,h")
        if not (x < width and y < height and w > 0 and h > 0):
            raise _bad("region", self.region, f"the picture is {width} x {height} pixels")
        return x, y, min(x + w, width), min(y + h, height)

    def target(self, width: int, height: int) -> tuple[int, int]:
        """Return the size of the answer for a region of `width` x `height` pixels.

        Raises:
            HTTPException: 400, the size is malformed, empty or larger than the region or
                MAX_SIDE; 501, it asks for more pixels than there are (`^`).
        """
        if self.size.startswith("^"):
            raise _unsupported("size", self.size, "pictures are not enlarged; leave out the ^")
        if self.size in ("full", "max"):
            return _fitted(width, height, MAX_SIDE, MAX_SIDE)
        if match := _SIZE_PERCENT.fullmatch(self.size):
            share = float(match[1]) / 100
            return self._allowed(round(width * share), round(height * share), width, height)
        match = _SIZE.fullmatch(self.size)
        confined, w, h = match.groups() if match else ("", None, None)
        if w and h and confined:
            bounds = min(int(w), MAX_SIDE), min(int(h), MAX_SIDE)
            return self._allowed(*_fitted(width, height, *bounds), width, height)
        if confined or not (w or h):
            raise _bad("size", self.size, "use full, max, w, or ,h or w,h or !w,h or pct:n")
        return self._allowed(
            int(w) if w else max(1, round(width * int(h or 0) / height)),
            int(h) if h else max(1, round(height * int(w or 0) / width)),
            width,
            height,
        )

    def _allowed(self, w: int, h: int, width: int, height: int) -> tuple[int, int]:
        if 0 < w <= min(width, MAX_SIDE) and 0 < h <= min(height, MAX_SIDE):
            return w, h
        raise _bad(
            "size",
            self.size,
            f"the region is {width} x {height} pixels and sides are of 1 to {MAX_SIDE}; "
            "!w,h fits a picture into any box",
        )


def _fitted(width: int, height: int, w: int, h: int) -> tuple[int, int]:
    scale = min(w / width, h / height, 1.0)
    if scale == 0:
        return 0, 0
    return max(1, round(width * scale)), max(1, round(height * scale))


def _bad(name: str, value: str, remedy: str) -> HTTPException:
    return HTTPException(400, f"{name} {value!r} cannot be served: {remedy}.")


def _unsupported(name: str, value: str, remedy: str) -> HTTPException:
    return HTTPException(501, f"{name} {value!r} is not supported: {remedy}.")
