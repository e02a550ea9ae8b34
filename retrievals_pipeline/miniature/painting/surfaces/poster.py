"""A lithographed poster: a few flat colours in a wide plain border."""

from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw

from retrievals_pipeline.miniature.painting.canvas import Floats
from retrievals_pipeline.miniature.painting.surfaces.flat import flattened, purer
from retrievals_pipeline.miniature.painting.surfaces.textures import field, grained, relief
from retrievals_pipeline.miniature.scenes import Scene

COLORS = 11
BORDERS = ((238, 226, 196), (30, 58, 84), (150, 44, 36), (232, 220, 186), (46, 74, 62))
CREAM = (244, 234, 208)


def poster(picture: Image.Image, scene: Scene) -> Image.Image:
    """Print flat areas of few inks and set them in a border with a thin line."""
    sheet = flattened(picture, COLORS, _inks)
    border = BORDERS[scene.seed % len(BORDERS)]
    edge = round(max(picture.size) * 0.032)
    draw = ImageDraw.Draw(sheet)
    right, bottom = picture.width - 1, picture.height - 1
    draw.rectangle((0, 0, right, bottom), outline=border, width=edge)
    draw.rectangle((edge, edge, right - edge, bottom - edge), outline=CREAM, width=edge // 5)
    return grained(sheet, stone)


def _inks(colors: Floats) -> Floats:
    """Return the colours as a poster has them: purer and a little louder."""
    return purer(colors, 0.35) * np.float32(1.06) - np.float32(4)


@lru_cache(maxsize=4)
def stone(side: int) -> Image.Image:
    """Return the fine grain that a lithographer's stone leaves."""
    grain = field(21, side, 460)
    return relief(np.where(np.abs(grain) > 0.36, grain * 16, grain * 3))
