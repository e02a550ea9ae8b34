"""Brush ink on rice paper: washes in a few greys, dry strokes, a red seal."""

from functools import lru_cache

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageOps

from retrievals_pipeline.miniature.canvas import cloud_noise
from retrievals_pipeline.miniature.scenes import Scene
from retrievals_pipeline.miniature.surfaces.textures import (
    axes,
    coarse,
    colored,
    cut,
    field,
    framed,
    level,
    steps,
)

RICE = (240, 228, 202)
SUMI = (30, 27, 32)
SEAL = (178, 40, 34)
WASHES = steps(5, 0.4)


def ink(picture: Image.Image, scene: Scene) -> Image.Image:
    """Paint wet washes, then outlines with a drying brush, and set a seal."""
    grey = picture.convert("L")
    # half of the way only, so that night stays dark and mist pale
    grey = Image.blend(grey, ImageOps.autocontrast(grey, cutoff=0.2), 0.5)
    soft = coarse(grey, 256).filter(ImageFilter.MedianFilter(3))
    wet = soft.resize(picture.size, Image.Resampling.BICUBIC)
    washes = ImageChops.add(wet, cut(bleeding, picture.size), 1, -128).point(WASHES)
    tones = Image.blend(washes, wet, 0.3).point(LIFTED)
    tones = ImageChops.subtract(tones, _lines(grey))
    tones = ImageChops.lighter(tones, framed(edges, picture.size))
    sheet = ImageChops.multiply(
        ImageOps.colorize(tones, SUMI, (255, 255, 255)), cut(rice, picture.size)
    )
    _seal(sheet, scene)
    return sheet


LIFTED = [round(14 + 241 * (value / 255) ** 0.85) for value in range(256)]


def _lines(grey: Image.Image) -> Image.Image:
    """Return how much darker a dry brush makes the outlines, L."""
    small = coarse(grey, 512)
    darker = ImageChops.subtract(small.filter(ImageFilter.BoxBlur(4)), small)
    drawn = darker.resize(grey.size, Image.Resampling.BICUBIC)
    drawn = drawn.point([min(255, max(0, value - 5) * 9) for value in range(256)])
    return ImageChops.multiply(drawn, cut(dry, grey.size))


def _seal(sheet: Image.Image, scene: Scene) -> None:
    """Print a small red seal in a lower corner."""
    chance = np.random.default_rng(scene.seed)
    size = round(max(sheet.size) * 0.046)
    far = round(max(sheet.size) * 0.05)
    left = far if scene.seed & 1 else sheet.width - far - size
    top = sheet.height - far - size
    draw = ImageDraw.Draw(sheet)
    draw.rounded_rectangle((left, top, left + size, top + size), size // 8, fill=SEAL)
    cell, thick = size / 6, max(1, size // 12)
    for row in range(1, 6):
        for column in range(1, 6):
            x, y = left + column * cell, top + row * cell
            if column < 5 and chance.random() < 0.6:
                draw.line((x, y, x + cell, y), fill=RICE, width=thick)
            if row < 5 and chance.random() < 0.4:
                draw.line((x, y, x, y + cell), fill=RICE, width=thick)


@lru_cache(maxsize=4)
def bleeding(side: int) -> Image.Image:
    """Return how the wet ink runs: a relief about 128, L."""
    return level(128 + field(41, side, 7, 4) * 34 + field(42, side, 120) * 10)


@lru_cache(maxsize=4)
def dry(side: int) -> Image.Image:
    """Return where the hairs of a brush leave ink, L."""
    noise = np.random.default_rng(43)
    hairs = cloud_noise(noise, (side, side), (26, 330), 1)
    return level(hairs * 420 + 40 + field(44, side, 9) * 130)


@lru_cache(maxsize=4)
def edges(side: int) -> Image.Image:
    """Return the bare paper about the picture, L: 255 where no ink comes."""
    x, y = axes(side)
    inside = np.minimum(np.minimum(x, 1 - x), np.minimum(y, 1 - y))
    ragged = field(45, side, 8, 4) * 0.03 + field(49, side, 160) * 0.003
    return level(255 - (inside - 0.018 - ragged) * 14000)


@lru_cache(maxsize=4)
def rice(side: int) -> Image.Image:
    """Return warm paper with its fibres, RGB."""
    noise = np.random.default_rng(46)
    across = cloud_noise(noise, (side, side), (40, 400), 1)
    down = cloud_noise(noise, (side, side), (400, 40), 1)
    fibres = np.maximum(np.abs(across - 0.5), np.abs(down - 0.5)) > 0.4
    light = (
        1 - fibres * np.float32(0.035) + field(47, side, 5) * 0.025 + field(48, side, 400) * 0.012
    )
    return colored(light.astype(np.float32), RICE)
