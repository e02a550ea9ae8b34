"""Watercolour: wet washes that darken at their edges, bloom, and stop short of the paper's."""

from functools import lru_cache

import numpy as np
from PIL import Image, ImageChops, ImageFilter

from retrievals_pipeline.miniature.painting.canvas import Floats
from retrievals_pipeline.miniature.painting.surfaces.textures import (
    coarse,
    cut,
    field,
    framed,
    grained,
    inward,
    level,
    tooth,
    turned,
)
from retrievals_pipeline.miniature.scenes import Scene

PAPER = (248, 243, 232)
RIMS = [min(64, max(0, value - 3) * 2) for value in range(256)]
CLEARER = (1.3, -0.2, -0.1, 4, -0.1, 1.2, -0.1, 4, -0.1, -0.2, 1.3, 4)  # purer and a little lighter


def watercolour(picture: Image.Image, scene: Scene) -> Image.Image:
    """Let transparent washes run into each other on rough paper."""
    half = coarse(picture, 512).convert("RGB", CLEARER)
    washes = (
        coarse(half, 170)
        .filter(ImageFilter.MedianFilter(3))
        .resize(half.size, Image.Resampling.BICUBIC)
    )
    painted = Image.blend(washes, half, 0.6).resize(picture.size, Image.Resampling.BICUBIC)
    painted = ImageChops.screen(painted, turned(cut(pools, picture.size), scene))
    rims = _rims(half.convert("L")).resize(picture.size, Image.Resampling.BICUBIC)
    painted = ImageChops.subtract(painted, Image.merge("RGB", (rims,) * 3))
    painted = ImageChops.subtract(painted, turned(framed(rim, picture.size), scene))
    painted = grained(painted, tooth)
    painted.paste(PAPER, mask=turned(framed(bare, picture.size), scene))
    return painted


def _rims(half: Image.Image) -> Image.Image:
    """Return where pigment gathered, L to subtract: dark lines inside the washes' edges."""
    blurred = half.filter(ImageFilter.BoxBlur(3))
    return ImageChops.subtract(blurred, half).point(RIMS)


@lru_cache(maxsize=4)
def pools(side: int) -> Image.Image:
    """Return how much of the paper shines through the washes, RGB to screen with."""
    thin = 44 + field(31, side, 6) * 40 + field(32, side, 60) * 14 + field(33, side, 400) * 8
    # above 0 in a bloom, which is pale and has a rim of pigment
    inner = np.maximum(field(34, side, 4, 4) - 0.24, 0)
    bloom = (inner > 0) * (34 * np.exp(-inner * 9) - 52 * np.exp(-inner * 110))
    return level(thin + bloom).convert("RGB")


@lru_cache(maxsize=4)
def bare(side: int) -> Image.Image:
    """Return the rough border that no brush reached, L."""
    return level(128 + _beyond(side) * 9e4)


@lru_cache(maxsize=4)
def rim(side: int) -> Image.Image:
    """Return the pigment that dried along the border, RGB to subtract."""
    beyond = _beyond(side)
    return level(58 * np.exp(beyond * 340)).convert("RGB")


def _beyond(side: int) -> Floats:
    """Return how far a pixel lies beyond the edge of the washes, in sides; below 0 inside."""
    ragged = field(36, side, 10, 2) * 0.016 + field(37, side, 130) * 0.0025
    return (0.026 + ragged - inward(side)).astype(np.float32)
