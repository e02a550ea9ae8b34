"""A picture painted over in strokes: broad ones first, then fine ones along what they missed."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageChops, ImageFilter

from retrievals_pipeline.miniature.painting.canvas import Floats
from retrievals_pipeline.miniature.painting.surfaces.strokes import (
    ANGLES,
    Brush,
    Ints,
    packed,
    strokes,
    unpacked,
)
from retrievals_pipeline.miniature.painting.surfaces.textures import coarse

Bools = npt.NDArray[np.bool_]
GRID = 256  # of `coarse`
Vary = Callable[[Floats], Floats]


@dataclass(frozen=True)
class Touch:
    """How a painter works: a broad brush, a fine one, and how far off (0 to 255) calls for it."""

    broad: Brush
    fine: Brush
    tolerance: float


def brushed(picture: Image.Image, touch: Touch, vary: Vary) -> tuple[Image.Image, Image.Image]:
    """Return the picture in strokes and their relief (RGB, flat at 128).

    `vary` changes the colours (n, 3) of the strokes of one layer, float32, 0 to 255.
    """
    side, (width, height) = max(picture.size), picture.size
    pixels, step = np.asarray(picture), max(1, side // GRID)
    broad = strokes(touch.broad, side)
    painted = broad.paint(vary(broad.under(pixels)), picture.size)
    relief = broad.relief[:height, :width].copy()
    missed, lines = _missed(picture, unpacked(painted), touch.tolerance), directions(picture)
    for number, angle in enumerate(ANGLES):
        layer = strokes(replace(touch.fine, angle=angle), side)
        x, y = np.minimum(layer.x, width - 1), np.minimum(layer.y, height - 1)
        shown = missed[y // step, x // step]
        if number:  # the first lies under the others and leaves no holes
            shown &= lines[y // (2 * step), x // (2 * step)] == number
        chosen = np.flatnonzero(shown)
        palette = np.zeros(len(shown), np.uint32)
        palette[chosen] = packed(vary(np.asarray(pixels[y[chosen], x[chosen]], np.float32)))
        over = np.take(palette, layer.owner[:height, :width], mode="clip")
        there = over != 0
        np.copyto(painted, over, where=there)
        np.copyto(relief, layer.relief[:height, :width], where=there)
    return unpacked(painted), Image.fromarray(relief).convert("RGB")


def _missed(picture: Image.Image, painted: Image.Image, tolerance: float) -> Bools:
    """Return about where broad strokes are off by more than `tolerance`, on `GRID`."""
    off = ImageChops.difference(coarse(picture, GRID), coarse(painted, GRID))
    red, green, blue = off.split()
    most = ImageChops.lighter(ImageChops.lighter(red, green), blue)
    return np.asarray(most.filter(ImageFilter.BoxBlur(1))) > tolerance


def directions(picture: Image.Image) -> Ints:
    """Return which of `ANGLES` runs along the edges there, int32, on half of `GRID`."""
    small = coarse(picture, GRID).convert("L").filter(ImageFilter.BoxBlur(1))
    grey = np.asarray(small, np.float32)
    down, right = np.asarray(np.gradient(grey), np.float32)
    even = _halved(right * right - down * down)
    odd = _halved(2 * right * down)
    along = np.arctan2(odd, even) / 2 + np.pi / 2  # across the slope
    turns = np.rint(along / np.deg2rad(60)).astype(np.int32) % len(ANGLES)
    return np.asarray(turns, np.int32)


def _halved(values: Floats) -> Floats:
    return np.asarray(Image.fromarray(values).reduce(2), np.float32)


def varied(seed: int, tone: float, hue: float, saturation: float) -> Vary:
    """Return a change of colours: by `tone` lighter or darker, by `hue` aside, and purer."""
    noise = np.random.default_rng(seed)

    def vary(colors: Floats) -> Floats:
        grey = colors.mean(1, keepdims=True)
        pure = grey + (colors - grey) * np.float32(saturation)
        # a dark stroke varies less, so that night stays night
        room = 0.35 + 0.65 * grey / 255
        lighter = noise.standard_normal((len(colors), 1), dtype=np.float32) * np.float32(tone)
        aside = noise.standard_normal(colors.shape, dtype=np.float32) * np.float32(hue)
        return np.asarray(pure + (lighter + aside) * room, np.float32)

    return vary
