"""Chiaroscuro: deep umber dark and one pool of warm light, under old varnish."""

from functools import lru_cache

import numpy as np
from PIL import Image, ImageChops, ImageFilter

from retrievals_pipeline.miniature.painting.surfaces.brushwork import brushed, varied
from retrievals_pipeline.miniature.painting.surfaces.oil import ACADEMIC
from retrievals_pipeline.miniature.painting.surfaces.textures import (
    axes,
    cracks,
    cut,
    level,
    turned,
)
from retrievals_pipeline.miniature.scenes import Scene

GRID = 24
REACH = 0.86  # of the pool of light, in sides
GLOOM = 52  # how much is seen beyond it, of 255
FAINT = [value // 13 for value in range(256)]
# By channel: darks deepen, lights warm.
GLAZE = [
    min(255, round(high * (value / 255) ** power))
    for power, high in ((1.1, 282), (1.24, 270), (1.42, 240))
    for value in range(256)
]
UMBER = (13, 8, 5)


def chiaroscuro(picture: Image.Image, scene: Scene) -> Image.Image:
    """Sink everything into the dark but what the light falls on."""
    painted, _ = brushed(picture, ACADEMIC, varied(scene.seed, 4, 2, 1.1))
    painted = Image.blend(painted, picture, 0.45).point(GLAZE)
    x, y = brightest(picture)
    across, down = (round(length * REACH * 2) for length in picture.size)
    light = pool(256).resize((across, down), Image.Resampling.BILINEAR)
    mask = Image.new("L", picture.size, GLOOM)
    mask.paste(light, (round(x - across / 2), round(y - down / 2)))
    sheet = Image.new("RGB", picture.size, UMBER)
    sheet.paste(painted, mask=mask)
    return ImageChops.subtract(sheet, turned(cut(cracks, picture.size), scene).point(FAINT * 3))


def brightest(picture: Image.Image) -> tuple[float, float]:
    """Return the middle of the light, in pixels: where it is brightest, rather near the middle."""
    small = picture.convert("L").resize((GRID, GRID), Image.Resampling.BOX)
    tones = np.asarray(small.filter(ImageFilter.BoxBlur(2)), np.float32)
    x, y = axes(GRID)
    weight = (tones / max(1.0, float(tones.max()))) ** 6 * np.exp(
        -((x - 0.5) ** 2 + (y - 0.45) ** 2) * 4
    )
    weight /= weight.sum()
    return float((weight * x).sum()) * picture.width, float((weight * y).sum()) * picture.height


@lru_cache(maxsize=1)
def pool(side: int) -> Image.Image:
    """Return how much is seen at each distance from the light, L."""
    x, y = axes(side)
    far = np.sqrt((x * 2 - 1) ** 2 + (y * 2 - 1) ** 2)
    return level(GLOOM + (255 - GLOOM) / (1 + np.exp((far - 0.56) * 9)))
