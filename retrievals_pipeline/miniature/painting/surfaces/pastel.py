"""Pastel: chalk that catches on the tooth of a toned paper."""

from functools import lru_cache

import numpy as np
from PIL import Image

from retrievals_pipeline.miniature.painting.canvas import cloud_noise
from retrievals_pipeline.miniature.painting.surfaces.brushwork import varied
from retrievals_pipeline.miniature.painting.surfaces.strokes import Brush, strokes, unpacked
from retrievals_pipeline.miniature.painting.surfaces.textures import (
    coarse,
    field,
    framed,
    inward,
    level,
    turned,
)
from retrievals_pipeline.miniature.scenes import Scene

CHALK = Brush(0.021, 0.0046, 140, 0.1, blunt=True)
DAY = (186, 172, 150)
NIGHT = (58, 62, 78)


def pastel(picture: Image.Image, scene: Scene) -> Image.Image:
    """Rub in the tones, then stroke chalk over them so that the paper stays in between."""
    side = max(picture.size)
    layer = strokes(CHALK, side)
    vary = varied(scene.seed, 13, 5, 1.12)
    chalk = unpacked(layer.paint(vary(layer.under(np.asarray(picture))), picture.size))
    rubbed = Image.blend(chalk, picture, 0.54)
    tone = coarse(picture, 64).convert("L")
    dark = float(np.asarray(tone).mean()) < 84
    sheet = Image.new("RGB", picture.size, NIGHT if dark else DAY)
    sheet.paste(rubbed, mask=turned(framed(caught, picture.size), scene))
    return sheet


@lru_cache(maxsize=4)
def caught(side: int) -> Image.Image:
    """Return where chalk stays on the paper, L: less towards the edges."""
    noise = np.random.default_rng(51)
    laid = cloud_noise(noise, (side, side), (3, 300), 1) - 0.5  # lines of a laid paper
    grain = field(52, side, 420) * 210 + laid * 70
    pressed = 222 + strokes(CHALK, side).inside * np.float32(0.24) + field(53, side, 9) * 36
    edge = np.clip((0.035 + field(54, side, 16) * 0.02 - inward(side)) * 30, 0, 1)
    return level(pressed + grain - edge * 330)
