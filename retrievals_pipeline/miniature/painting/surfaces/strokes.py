"""Brushstrokes laid over a picture: where each stroke lies, once for a side, and in what colour.

A layer of strokes is a map that names the stroke each pixel belongs to, so that painting is one
look-up of a colour a pixel. All lengths are shares of the side: a smaller picture has the same
strokes, smaller.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from PIL import Image

from retrievals_pipeline.miniature.painting.canvas import Floats, cloud_noise

Ints = npt.NDArray[np.int32]
Pixels = npt.NDArray[np.uint8]
OPAQUE = np.uint32(0xFF000000)
TABLE = 4096  # strokes before their chance repeats
BAND = 64  # rows at a time, so that what is computed stays in the processor's cache
NEIGHBOURS = [(down, right) for down in (0, -1, 1) for right in (0, -1, 1)]
_CHANCE = np.random.default_rng(31).random((5, TABLE), dtype=np.float32)
SHIFT = 0.2 + 0.6 * _CHANCE[:2]
SIZE = 1.55 - 0.5 * _CHANCE[2]
LEAN = 1.1 * _CHANCE[3] - 0.55
ORDER = _CHANCE[4]
ANGLES = (0.0, 60.0, 120.0)  # the directions that strokes along an edge can take, in degrees


@dataclass(frozen=True)
class Brush:
    """A kind of stroke: length and width in shares of the side, direction in degrees.

    `wander` bends the directions, `blunt` squares the ends, and `spread` widens strokes over their
    neighbours: below 0.9 gaps stay open.
    """

    length: float
    width: float
    angle: float = 0.0
    wander: float = 0.0
    blunt: bool = False
    spread: float = 1.0


@dataclass(frozen=True)
class Strokes:
    """Strokes of one brush over a square.

    `owner` int32 (side, side): the stroke of each pixel. `x`, `y` int32 (n,): the pixel a stroke
    takes its colour from. `relief` uint8 (side, side): the paint's relief in the light, flat at
    128. `inside` uint8 (side, side): 255 in the middle of a stroke, 0 at its rim and beyond it.
    """

    owner: Ints
    x: Ints
    y: Ints
    relief: Pixels
    inside: Pixels

    def under(self, picture: Pixels) -> Floats:
        """Return the colour below each stroke in a picture (h, w, 3), float32 (n, 3)."""
        rows = np.minimum(self.y, picture.shape[0] - 1)
        found = picture[rows, np.minimum(self.x, picture.shape[1] - 1)]
        return np.asarray(found, np.float32)

    def paint(self, colors: Floats, size: tuple[int, int]) -> npt.NDArray[np.uint32]:
        """Return a picture of the size in packed colours, (h, w), from colours (n, 3)."""
        owner = self.owner[: size[1], : size[0]]
        return np.asarray(np.take(packed(colors), owner, mode="clip"))


@lru_cache(maxsize=24)  # all brushes for two sides; 6 MB each at 1024
def strokes(brush: Brush, side: int) -> Strokes:
    """Lay strokes of the brush over a square of `side` pixels."""
    along, across = _stroke_axes(brush, side)
    along -= along.min()
    across -= across.min()
    columns = int(along.max()) + 3
    key: Ints = np.empty((side, side), np.int32)
    height: Floats = np.empty((side, side), np.float32)
    for top in range(0, side, BAND):
        band = slice(top, top + BAND)
        key[band], height[band] = _topmost(along[band], across[band], brush, columns)
    owner, x, y = _named(key)
    inside = (np.clip(height, 0, 1) * 255).astype(np.uint8)
    return Strokes(owner, x, y, _lit(height), inside)


def _topmost(along: Floats, across: Floats, brush: Brush, columns: int) -> tuple[Ints, Floats]:
    """Return which stroke lies on top at each pixel, and how thick its paint is there."""
    column0, row0 = along.astype(np.int32), across.astype(np.int32)
    along, across = along - column0.astype(np.float32), across - row0.astype(np.float32)
    best: Floats = np.full(along.shape, -99, np.float32)
    key: Ints = np.zeros(along.shape, np.int32)
    dome, side = np.zeros_like(along), np.zeros_like(along)
    slender = np.float32(1 - brush.width / brush.length)  # a dot does not lean
    for down, right in NEIGHBOURS:
        row, column = row0 + np.int32(down), column0 + np.int32(right)
        chance = (row * 131 + column * 1031) & (TABLE - 1)
        size = SIZE[chance] / np.float32(brush.spread)
        u = (along - SHIFT[0][chance] - np.float32(right)) * size
        v = (across - SHIFT[1][chance] - np.float32(down)) * size + u * LEAN[chance] * slender
        rise = 1 - (u * u * u * u + v * v * v * v if brush.blunt else u * u + v * v)
        order = np.where(rise > 0, ORDER[chance], rise)
        above = order > best
        for kept, new in ((best, order), (dome, rise), (side, v)):
            np.copyto(kept, new, where=above)
        np.copyto(key, (row + 1) * columns + column + 1, where=above)
    bristles = np.sin(side * 17 + ORDER[key & (TABLE - 1)] * 40) * np.float32(0.1)
    return key, np.sqrt(np.maximum(dome, 0)) + bristles


def _stroke_axes(brush: Brush, side: int) -> tuple[Floats, Floats]:
    """Return where each pixel lies along and across the strokes, in strokes."""
    axis = (np.arange(side, dtype=np.float32) + 0.5) / side
    turn = np.deg2rad(brush.angle)
    noise = np.random.default_rng(int(brush.angle) + 17)
    bend = (cloud_noise(noise, (side, side), (5, 5), 2) - 0.5) * brush.wander
    cos, sin = np.float32(np.cos(turn)), np.float32(np.sin(turn))
    along = (axis[None, :] * cos + axis[:, None] * sin) / brush.length
    across = (axis[:, None] * cos - axis[None, :] * sin + bend) / brush.width
    return along.astype(np.float32), across.astype(np.float32)


def _named(key: Ints) -> tuple[Ints, Ints, Ints]:
    """Return the strokes numbered from 0, and the middle of the visible part of each."""
    side = key.shape[0]
    counts = np.bincount(key.ravel())
    number = np.cumsum(counts > 0, dtype=np.int32) - np.int32(1)
    owner = number[key]
    counts = counts[counts > 0]
    axis = np.arange(side, dtype=np.float32)
    x = np.bincount(owner.ravel(), np.tile(axis, side)) / counts
    y = np.bincount(owner.ravel(), np.repeat(axis, side)) / counts
    return owner, x.astype(np.int32), y.astype(np.int32)


def _lit(height: Floats) -> Pixels:
    """Return the relief of the heights under light from the upper left, flat at 128."""
    side = height.shape[0]
    slope = height - np.roll(height, (1, 1), (0, 1))
    return np.asarray(np.clip(128 + slope * (80 * side / 1024), 92, 164), np.uint8)


def packed(colors: Floats) -> npt.NDArray[np.uint32]:
    """Return colours (…, 3), 0 to 255, each as the four bytes of an opaque pixel."""
    rgb = np.clip(colors, 0, 255).astype(np.uint32)
    return np.asarray(rgb[..., 0] | rgb[..., 1] << 8 | rgb[..., 2] << 16 | OPAQUE)


def unpacked(pixels: npt.NDArray[np.uint32]) -> Image.Image:
    """Return packed colours (h, w) as an RGB picture."""
    height, width = pixels.shape
    return Image.frombuffer("RGBX", (width, height), pixels.tobytes(), "raw", "RGBX", 0, 1).convert(
        "RGB"
    )
