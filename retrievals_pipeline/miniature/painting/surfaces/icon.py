"""An icon: egg tempera and gold leaf on a panel, cracked and worn."""

from functools import lru_cache

import numpy as np
from PIL import Image, ImageChops, ImageDraw

from retrievals_pipeline.miniature.painting.canvas import Point, cloud_noise
from retrievals_pipeline.miniature.painting.surfaces.textures import (
    axes,
    cracks,
    cut,
    field,
    framed,
    inward,
    level,
    relief,
    turned,
)
from retrievals_pipeline.miniature.scenes import Scene

BOLE = (122, 48, 32)
PANEL = (92, 66, 44)
YELLOW = [max(0, min(255, (value - 58) * 14)) for value in range(256)]
NOT_GREEN = [max(0, 255 - value * 16) for value in range(256)]
CRACKS = [value // 6 for value in range(256)]


def icon(picture: Image.Image, scene: Scene) -> Image.Image:
    """Let the gold shimmer, punch its border, and wear the panel's edges."""
    tempera = ImageChops.add(picture, cut(hatching, picture.size), 1, -128)
    gold = _gold(picture)
    shining = ImageChops.add(picture, framed(leaf, picture.size), 1, -128)
    shining.paste(BOLE, mask=turned(cut(rubbed, picture.size), scene))
    tempera.paste(shining, mask=gold)
    _punch(tempera)
    aged = ImageChops.subtract(tempera, turned(cut(cracks, picture.size), scene).point(CRACKS * 3))
    aged.paste(PANEL, mask=turned(framed(worn, picture.size), scene))
    return aged


def _gold(picture: Image.Image) -> Image.Image:
    """Return where the picture is gold, L: yellow, neither skin nor white."""
    red, green, blue = picture.split()
    yellow = ImageChops.subtract(green, blue).point(YELLOW)
    return ImageChops.multiply(yellow, ImageChops.subtract(green, red).point(NOT_GREEN))


def _punch(picture: Image.Image) -> None:
    """Press two lines and a row of dots between them along the border."""
    side = max(picture.size)
    edge, gap = side * 0.03, side * 0.016
    width, height = picture.size
    draw = ImageDraw.Draw(picture)
    thin = max(1, side // 400)
    for inset in (edge, edge + gap):
        box = (inset, inset, width - inset, height - inset)
        draw.rectangle([each + thin for each in box], outline=(250, 222, 140), width=thin)
        draw.rectangle(box, outline=(112, 76, 26), width=thin)
    inset = edge + gap / 2 + thin / 2
    right, bottom = width - inset, height - inset
    for y in (inset, bottom):
        _dots(draw, (inset, y), (right, y), side)
    for x in (inset, right):
        _dots(draw, (x, inset), (x, bottom), side)


def _dots(draw: ImageDraw.ImageDraw, start: Point, end: Point, side: int) -> None:
    """Press a row of dots, lit from the lower right of each hollow."""
    r = side * 0.0034
    count = round((end[0] - start[0] + end[1] - start[1]) / (side * 0.0125))
    for step in range(count + 1):
        x, y = (a + (b - a) * step / count for a, b in zip(start, end, strict=True))
        draw.ellipse((x - r, y - r, x + r, y + r), fill=(250, 224, 146))
        draw.ellipse((x - r, y - r, x + r * 0.4, y + r * 0.4), fill=(118, 80, 28))


@lru_cache(maxsize=4)
def leaf(side: int) -> Image.Image:
    """Return the relief of gold leaf: squares a little apart in tone, shimmer, fine grain."""
    x, y = axes(side)
    noise = np.random.default_rng(71)
    column = ((x + field(72, side, 8) * 0.006) * 9).astype(np.int32)
    row = ((y + field(73, side, 8) * 0.006) * 9).astype(np.int32)
    squares = noise.random((11, 11), dtype=np.float32)[row, column] - 0.5
    shine = np.exp(-(((x - 0.38) * 1.6) ** 2 + (y - 0.3) ** 2) * 5) * 44 - 12
    grain = field(74, side, 420) * 16 + field(75, side, 40, 3) * 22
    return relief(squares * 18 + shine + grain)


@lru_cache(maxsize=4)
def rubbed(side: int) -> Image.Image:
    """Return where the gold is rubbed down to the red bole, L."""
    return level((field(76, side, 30, 4) - 0.43) * 900).point(
        [value * 2 // 3 for value in range(256)]
    )


@lru_cache(maxsize=4)
def hatching(side: int) -> Image.Image:
    """Return the relief of tempera, which is laid in fine hatches."""
    noise = np.random.default_rng(77)
    return relief((cloud_noise(noise, (side, side), (60, 420), 1) - 0.5) * 26)


@lru_cache(maxsize=4)
def worn(side: int) -> Image.Image:
    """Return where the panel's edge has lost its paint, L."""
    return level((0.002 + field(78, side, 22, 4) * 0.02 - inward(side)) * side * 40)
