"""Dots of pure colour side by side, for the eye to mix."""

from functools import lru_cache

import numpy as np
from PIL import Image, ImageChops

from retrievals_pipeline.miniature.painting.canvas import Floats
from retrievals_pipeline.miniature.painting.surfaces.strokes import (
    Brush,
    Strokes,
    strokes,
    unpacked,
)
from retrievals_pipeline.miniature.painting.surfaces.textures import coarse, cut, level
from retrievals_pipeline.miniature.scenes import Scene

LARGE = Brush(0.0086, 0.0086, 18, spread=0.8)
SMALL = Brush(0.0072, 0.0072, 63, spread=0.66)
GROUND = (250, 244, 226)
COMPLEMENTS = 0.14  # share of the large dots set in the opposite colour


def pointillist(picture: Image.Image, scene: Scene) -> Image.Image:
    """Set thousands of round dots on a pale ground, some in the opposite colour."""
    side, noise = max(picture.size), np.random.default_rng(scene.seed)
    pixels = np.asarray(picture)
    # the ground shines through least where the picture is dark
    sheet = ImageChops.multiply(Image.new("RGB", picture.size, GROUND), _paled(picture))
    for brush, texture, opposite in ((LARGE, large, COMPLEMENTS), (SMALL, small, 0.0)):
        layer = strokes(brush, side)
        colors = _dots(layer.under(pixels), noise, opposite)
        dots = unpacked(layer.paint(colors, picture.size))
        sheet.paste(dots, mask=cut(texture, picture.size))
    return sheet


def _paled(picture: Image.Image) -> Image.Image:
    small = coarse(picture, 64).point([min(255, 60 + value) for value in range(256)] * 3)
    return small.resize(picture.size, Image.Resampling.BILINEAR)


def _dots(colors: Floats, noise: np.random.Generator, opposite: float) -> Floats:
    """Return the colours purer and varied, a share of them towards the opposite hue."""
    grey = colors.mean(1, keepdims=True)
    count = len(colors)
    turned = noise.random((count, 1), dtype=np.float32) < opposite
    purity = np.where(turned, np.float32(-0.5), np.float32(1.45))
    varied = noise.standard_normal((count, 3), dtype=np.float32) * (6 + grey * 0.06)
    return np.asarray(grey * 1.03 + (colors - grey) * purity + varied, np.float32)


@lru_cache(maxsize=4)
def large(side: int) -> Image.Image:
    """Return where the large dots lie, L."""
    return _round(strokes(LARGE, side))


@lru_cache(maxsize=4)
def small(side: int) -> Image.Image:
    """Return where the small dots lie, L; one in four is left out."""
    dots = strokes(SMALL, side)
    kept = np.random.default_rng(8).random(len(dots.x)) < 0.75
    return ImageChops.multiply(_round(dots), level(kept[dots.owner].astype(np.float32) * 255))


def _round(dots: Strokes) -> Image.Image:
    return level(dots.inside * np.float32(3.5) - 130)
