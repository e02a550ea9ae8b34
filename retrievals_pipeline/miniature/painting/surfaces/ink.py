"""Brush ink on rice paper: washes in a few greys, dry strokes, a red seal."""

from functools import lru_cache

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageOps

from retrievals_pipeline.miniature.painting.canvas import cloud_noise
from retrievals_pipeline.miniature.painting.surfaces.contours import contours
from retrievals_pipeline.miniature.painting.surfaces.textures import (
    coarse,
    colored,
    cut,
    field,
    framed,
    inward,
    level,
    toned,
    turned,
)
from retrievals_pipeline.miniature.scenes import Scene

RICE = (240, 228, 202)
SUMI = (30, 27, 32)
SEAL = (178, 40, 34)
LIFTED = [round(14 + 241 * (value / 255) ** 0.85) for value in range(256)]
STROKES = [min(255, max(0, value - 5) * 13) for value in range(256)]


def ink(picture: Image.Image, scene: Scene) -> Image.Image:
    """Paint wet washes, then outlines with a drying brush, and set a seal."""
    soft = coarse(toned(picture), 256).filter(ImageFilter.MedianFilter(3))
    wet = soft.resize(picture.size, Image.Resampling.BICUBIC)
    washes = ImageChops.add(wet, turned(cut(bleeding, picture.size), scene), 1, -128).point(WASHES)
    tones = Image.blend(washes, wet, 0.3).point(LIFTED)
    drawn = contours(picture, 512, 4).point(STROKES)
    tones = ImageChops.subtract(tones, ImageChops.multiply(drawn, cut(dry, picture.size)))
    tones = ImageChops.lighter(tones, turned(framed(edges, picture.size), scene))
    sheet = ImageChops.multiply(
        ImageOps.colorize(tones, SUMI, (255, 255, 255)), cut(rice, picture.size)
    )
    _seal(sheet, scene)
    return sheet


def _steps(count: int, soft: float) -> list[int]:
    """Return the table that gathers 0 to 255 into `count` tones, `soft` of each run together."""
    table = []
    for value in range(256):
        whole, rest = divmod(value / 256 * count, 1)
        rise = max(0.0, (rest - 1 + soft) / soft) if whole < count - 1 else 0.0
        table.append(round(255 * (whole + rise) / (count - 1)))
    return table


WASHES = _steps(5, 0.4)


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
    ragged = field(45, side, 8, 4) * 0.03 + field(49, side, 160) * 0.003
    return level(np.asarray(255 - (inward(side) - 0.018 - ragged) * 14000, np.float32))


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
