"""A woodcut: a dark key block over a few flat colours, on paper, with the grain of the wood."""

from functools import lru_cache

import numpy as np
from PIL import Image, ImageChops

from retrievals_pipeline.miniature.painting.canvas import Floats, cloud_noise
from retrievals_pipeline.miniature.painting.surfaces.contours import contours
from retrievals_pipeline.miniature.painting.surfaces.flat import flattened, purer
from retrievals_pipeline.miniature.painting.surfaces.textures import (
    axes,
    cut,
    field,
    framed,
    grained,
    inward,
    level,
    relief,
    turned,
)
from retrievals_pipeline.miniature.scenes import Scene

COLORS = 11
PAPER = (240, 228, 202)
KEY = (34, 30, 40)
LINES = [max(0, min(255, (value - 6) * 22)) for value in range(256)]


def woodcut(picture: Image.Image, scene: Scene) -> Image.Image:
    """Print the colour blocks, then outlines and carved shadows, inside a paper margin."""
    sheet = grained(flattened(picture, COLORS, _inks), wood)
    outlines = contours(picture, 256, 1).point(LINES)
    sheet.paste(KEY, mask=ImageChops.lighter(outlines, _shadows(picture)))
    sheet.paste(PAPER, mask=turned(framed(margin, picture.size), scene))
    return sheet


def _inks(colors: Floats) -> Floats:
    """Return the colours as water-based inks print them: purer, and never quite dark."""
    return purer(colors, 0.25) * np.float32(0.94) + np.float32(14)


def _shadows(picture: Image.Image) -> Image.Image:
    """Return tapering cuts, L, thicker where it is darker."""
    dark = picture.convert("L").point([max(0, 92 - value) for value in range(256)])
    cuts = ImageChops.add(dark, cut(gouge, picture.size), 1, -128)
    return cuts.point([min(255, value * 8) for value in range(256)])


@lru_cache(maxsize=4)
def gouge(side: int) -> Image.Image:
    """Return the thresholds of a carver's strokes: the darkness from which ink stays there."""
    _, y = axes(side)
    bend = field(22, side, 5) * 2.4
    rows = np.sin(y * 2 * np.pi * 74 + bend * 3)
    tapers = field(23, side, 26)
    return level(np.minimum(72 + rows * 40 + tapers * 40, 120))


@lru_cache(maxsize=4)
def wood(side: int) -> Image.Image:
    """Return the grain of a plank."""
    noise = np.random.default_rng(24)
    fibres = cloud_noise(noise, (side, side), (5, 300), 1) - 0.5
    _, y = axes(side)
    rings = np.sin(y * 60 + field(25, side, 3) * 9)
    return relief(fibres * 18 + rings * 3)


@lru_cache(maxsize=4)
def margin(side: int) -> Image.Image:
    """Return the margin that stays paper, L, with the uneven edge of a block."""
    return level(128 + (0.028 + field(26, side, 60) * 0.0016 - inward(side)) * side * 200)
