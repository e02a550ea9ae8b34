"""Watercolour: wet washes that darken at their edges, bloom, and stop short of the paper's."""

from functools import lru_cache

import numpy as np
from PIL import Image, ImageChops, ImageFilter

from retrievals_pipeline.miniature.scenes import Scene
from retrievals_pipeline.miniature.surfaces.textures import (
    axes,
    cut,
    field,
    framed,
    grained,
    level,
    tooth,
)

PAPER = (248, 243, 232)


def watercolour(picture: Image.Image, scene: Scene) -> Image.Image:
    """Let transparent washes run into each other on rough paper."""
    half = picture.reduce(2)
    washes = half.reduce(3).filter(ImageFilter.MedianFilter(3)).resize(half.size, Image.Resampling.BICUBIC)
    painted = Image.blend(washes, half, 0.5).resize(picture.size, Image.Resampling.BICUBIC)
    painted = ImageChops.screen(painted, _turned(cut(pools, picture.size), scene))
    painted = ImageChops.multiply(painted, _rims(half).resize(picture.size, Image.Resampling.BICUBIC))
    painted = grained(painted, tooth)
    painted.paste(PAPER, mask=_turned(framed(bare, picture.size), scene))
    return painted


def _turned(texture: Image.Image, scene: Scene) -> Image.Image:
    """Return the texture as it lies in this picture, so that not all have the same stains."""
    if scene.seed & 1:
        texture = texture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return texture.transpose(Image.Transpose.FLIP_TOP_BOTTOM) if scene.seed & 2 else texture


def _rims(half: Image.Image) -> Image.Image:
    """Return where pigment gathered, RGB to multiply with: dark lines inside the washes' edges."""
    blurred = half.filter(ImageFilter.BoxBlur(3))
    return ImageChops.subtract(blurred, half).point(RIMS * 3)


RIMS = [255 - min(110, max(0, value - 3) * 3) for value in range(256)]


@lru_cache(maxsize=4)
def pools(side: int) -> Image.Image:
    """Return how much of the paper shines through the washes, RGB to screen with."""
    thin = 44 + field(31, side, 6) * 40 + field(32, side, 60) * 14 + field(33, side, 400) * 8
    edge = np.abs(field(34, side, 4, 4) - 0.22)  # a bloom's rim: dark, and pale just inside it
    bloom = 34 * np.exp(-((edge - 0.03) ** 2) / 4e-4) - 40 * np.exp(-(edge**2) / 6e-5)
    return level(thin + bloom * (field(35, side, 3) > 0)).convert("RGB")


@lru_cache(maxsize=4)
def bare(side: int) -> Image.Image:
    """Return the rough border that no brush reached, L."""
    x, y = axes(side)
    inside = np.minimum(np.minimum(x, 1 - x), np.minimum(y, 1 - y))
    ragged = field(36, side, 14, 3) * 0.016 + field(37, side, 200) * 0.002
    streaks = field(38, side, 24) * (field(39, side, 300) * 0.006)
    return level(128 + (0.03 + ragged + streaks - inside) * side * 130)
