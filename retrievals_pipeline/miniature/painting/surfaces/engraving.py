"""An engraving: swelling lines that follow the tone, crossed in the darks, inside a plate mark."""

from functools import lru_cache

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageChops, ImageDraw, ImageOps

from retrievals_pipeline.miniature.painting.canvas import Floats
from retrievals_pipeline.miniature.painting.surfaces.contours import contours
from retrievals_pipeline.miniature.painting.surfaces.textures import (
    axes,
    coarse,
    colored,
    field,
    toned,
)
from retrievals_pipeline.miniature.scenes import Scene

CREAM = (244, 236, 216)
INK = (38, 32, 32)
Pixels = npt.NDArray[np.uint8]

CONTOURS = [min(255, max(0, value - 4) * 24) for value in range(256)]
NO_LINE = 24  # of width: a line any thinner is not cut
RIDGE = np.abs(np.arange(256, dtype=np.int16) - 128) + np.int16(NO_LINE)
LINES = 176  # a side
BEND = np.uint8(2)  # how far a line bows around a form, in 1/256 lines a level of tone


def engraving(picture: Image.Image, scene: Scene) -> Image.Image:
    """Turn tones into lines of ink, thicker where it is darker."""
    grey = toned(picture)
    width, height = grey.size
    soft = np.asarray(coarse(grey, 52).resize(grey.size, Image.Resampling.BICUBIC)) * BEND
    first, second = (
        ruled[:height, :width] for ruled in lines(max(grey.size), mirrored=bool(scene.seed & 1))
    )
    ink = np.minimum(_cut(first + soft, grey.point(FIRST)), _cut(second - soft, grey.point(SECOND)))
    drawn = ImageChops.subtract(Image.fromarray(ink), contours(picture, 512, 2).point(CONTOURS))
    sheet = ImageOps.colorize(drawn, INK, (255, 255, 255))
    sheet = ImageChops.multiply(sheet, sheet_of_paper(max(grey.size)).crop((0, 0, width, height)))
    return _plate(sheet)


def _cut(phase: Pixels, widths: Image.Image) -> Pixels:
    """Return the paper, 0 where it is inked, between lines of these widths."""
    from_middle = np.take(RIDGE, phase) - np.asarray(widths, np.int16)
    return np.clip(from_middle * 6 + 136, 0, 255).astype(np.uint8)


def _widths(whitest: int, widest: int) -> list[int]:
    """Return the table from tone to the width of a line, which starts below `whitest`."""
    swell = [round(NO_LINE + widest * (1 - tone / whitest)) for tone in range(whitest)]
    return swell + [0] * (256 - whitest)


FIRST, SECOND = _widths(236, 112), _widths(132, 114)


def _plate(sheet: Image.Image) -> Image.Image:
    """Leave a margin of paper, and press the edge of the plate into it."""
    side = max(sheet.size)
    edge, step = round(side * 0.03), max(1, side // 512)
    draw = ImageDraw.Draw(sheet)
    right, bottom = sheet.width - 1, sheet.height - 1
    draw.rectangle((0, 0, right, bottom), outline=CREAM, width=edge)
    draw.rectangle((edge, edge, right - edge, bottom - edge), outline=INK, width=step)
    half = edge // 2
    draw.rectangle((half, half, right - half, bottom - half), outline=(222, 212, 190), width=step)
    return sheet


@lru_cache(maxsize=4)
def lines(side: int, *, mirrored: bool) -> tuple[Pixels, Pixels]:
    """Return the phase, 0 to 255 a line, of two sets of gently curving lines."""
    x, y = axes(side)
    x = 1 - x if mirrored else x
    bend = field(61, side, 3) * 0.02
    first = (x * 0.35 + y + bend) * LINES
    second = (x * 0.8 - y * 0.75 + bend) * LINES
    return _phase(first), _phase(second)


def _phase(turns: Floats) -> Pixels:
    return (turns * 256).astype(np.int32).astype(np.uint8)


@lru_cache(maxsize=4)
def sheet_of_paper(side: int) -> Image.Image:
    """Return cream paper, a little uneven, RGB."""
    return colored(1 + field(62, side, 300) * 0.012 + field(63, side, 4) * 0.02, CREAM)
