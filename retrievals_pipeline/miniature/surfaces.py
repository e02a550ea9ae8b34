"""The surfaces of the manners: how paint, water, chalk and a burin leave the same picture.

Textures are made once for a side and cut to each picture; they hold no chance of the scene.
"""

from collections.abc import Callable
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageChops, ImageFilter, ImageOps

from retrievals_pipeline.miniature.canvas import Floats, cloud_noise

DEEPENED = [min(255, level * 4) for level in range(256)]
PAPER = (243, 236, 220)
INK = (44, 36, 34)
LIFTED = [round(255 * (level / 255) ** 0.7) for level in range(256)]  # shadows stay open to lines


def oil(picture: Image.Image) -> Image.Image:
    """Run the edges as a brush does and lay the weave of a canvas over it."""
    return _grained(_brushed(picture, 4.0), weave)


def watercolour(picture: Image.Image) -> Image.Image:
    """Let the paper shine through uneven washes that stop short of its edge."""
    washed = _brushed(picture, 7.0)
    sheet = Image.new("RGB", picture.size, PAPER)
    sheet.paste(washed, mask=_cut(wash, picture.size))
    return _grained(sheet, tooth)


def pastel(picture: Image.Image) -> Image.Image:
    """Let the chalk catch on the tooth of a toned paper."""
    sheet = Image.new("RGB", picture.size, (176, 166, 152))
    sheet.paste(_brushed(picture, 5.0), mask=_cut(chalk, picture.size))
    return sheet


def engraving(picture: Image.Image) -> Image.Image:
    """Turn tones into outlines and crossed lines of ink on paper."""
    grey = ImageOps.autocontrast(picture.convert("L"), cutoff=1)
    outlines = grey.filter(ImageFilter.FIND_EDGES).filter(ImageFilter.BoxBlur(1))
    tones = ImageChops.subtract(grey.point(LIFTED), outlines.point(DEEPENED))
    lines = ImageChops.add(tones, _cut(hatch, picture.size), 1, -128)
    crisp = lines.point([max(0, min(255, (level - 128) * 4 + 128)) for level in range(256)])
    return ImageOps.colorize(crisp, INK, PAPER)


def _cut(texture: Callable[[int], Image.Image], size: tuple[int, int]) -> Image.Image:
    return texture(max(size)).crop((0, 0, *size))


def _grained(picture: Image.Image, texture: Callable[[int], Image.Image]) -> Image.Image:
    return ImageChops.add(picture, _cut(texture, picture.size), 1, -128)


def _brushed(picture: Image.Image, reach: float) -> Image.Image:
    """Move each pixel up to about `reach` pixels along a soft field."""
    width, height = picture.size
    down, right = drift(max(picture.size))
    scale = np.float32(reach)
    rows = np.arange(height, dtype=np.int32)[:, None] + _whole(down[:height, :width] * scale)
    columns = np.arange(width, dtype=np.int32)[None, :] + _whole(right[:height, :width] * scale)
    index = np.clip(rows, 0, height - 1) * width + np.clip(columns, 0, width - 1)
    pixels = np.frombuffer(picture.convert("RGBX").tobytes(), np.uint32)
    moved = np.take(pixels, index).tobytes()
    return Image.frombytes("RGBX", picture.size, moved).convert("RGB")


def _whole(steps: Floats) -> npt.NDArray[np.int32]:
    return np.rint(steps).astype(np.int32)


@lru_cache(maxsize=4)
def drift(side: int) -> tuple[Floats, Floats]:
    """Return two soft fields, float32 (side, side), about -1 to 1: down and to the right."""
    noise = np.random.default_rng(7)
    cells = max(2, side // 18)
    return _field(noise, side, cells), _field(noise, side, cells)


def _field(noise: np.random.Generator, side: int, cells: int) -> Floats:
    return (cloud_noise(noise, (side, side), (cells, cells), 2) - 0.5) * 2


@lru_cache(maxsize=4)
def weave(side: int) -> Image.Image:
    """Return the relief of a canvas around 128, RGB (side, side)."""
    noise = np.random.default_rng(1)
    x = np.arange(side, dtype=np.float32)
    threads = np.sin(x[None, :] * 2.1) * np.cos(x[:, None] * 2.1) * 3.5
    grain = noise.standard_normal((side, side), dtype=np.float32) * 3
    strokes = _field(noise, side, max(2, side // 24)) * 9
    return _relief(threads + grain + strokes).convert("RGB")


@lru_cache(maxsize=4)
def tooth(side: int) -> Image.Image:
    """Return the relief of rough paper around 128, RGB (side, side)."""
    noise = np.random.default_rng(2)
    fine = noise.standard_normal((side, side), dtype=np.float32) * 3
    return _relief(fine + _field(noise, side, max(2, side // 3)) * 7).convert("RGB")


@lru_cache(maxsize=4)
def wash(side: int) -> Image.Image:
    """Return how much of the wash lies where, L (side, side)."""
    noise = np.random.default_rng(3)
    blots = _field(noise, side, 9) * 46 + _field(noise, side, max(2, side // 4)) * 10
    return Image.fromarray(np.clip(196 + blots, 70, 240).astype(np.uint8))


@lru_cache(maxsize=4)
def chalk(side: int) -> Image.Image:
    """Return where chalk stays on the paper, L (side, side)."""
    noise = np.random.default_rng(4)
    grain = _field(noise, side, max(2, side // 2)) * 130
    strokes = _field(noise, side, max(2, side // 40)) * 30
    return Image.fromarray(np.clip(226 + grain + strokes, 40, 255).astype(np.uint8))


@lru_cache(maxsize=4)
def hatch(side: int) -> Image.Image:
    """Return the thresholds of crossed lines around 128, L (side, side)."""
    x = np.arange(side, dtype=np.float32)[None, :]
    y = np.arange(side, dtype=np.float32)[:, None]
    bend = _field(np.random.default_rng(5), side, 6) * 5
    down = np.sin((x + y * 1.1 + bend) * 1.15)
    across = np.sin((x - y * 0.55 + bend) * 1.15)
    return _relief((np.minimum(down, across) * 0.7 + (down + across) * 0.15) * 96 + 26)


def _relief(heights: Floats) -> Image.Image:
    return Image.fromarray(np.clip(128 + heights, 0, 255).astype(np.uint8))


SURFACES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "oil": oil,
    "watercolour": watercolour,
    "pastel": pastel,
    "engraving": engraving,
}
