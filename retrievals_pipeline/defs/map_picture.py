"""A picture of the map of the collection: each work a dot of its own mean colour."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from retrievals_serving.collection_map import Int16

GROUND = "#f5f0e8"
COLOURLESS = "#8a8378"
MARGIN = 0.03  # of the side, around the works
SMOOTHING = 2  # dots are drawn so many times as large, then made smaller


def draw_map(places: Int16, colors: Sequence[str | None], *, side: int) -> Image.Image:
    """Return a square picture of `places`, (works, 2), `side` pixels wide: all of them fit in it.

    `colors` are those of the works, as `#a86845`; None where it is not known.
    """
    drawn = SMOOTHING * side
    low, high = places.min(axis=0).astype(float), places.max(axis=0).astype(float)
    scale = drawn * (1 - 2 * MARGIN) / max(float((high - low).max()), 1.0)
    centres = drawn / 2 + (places - (low + high) / 2) * scale
    # Dots cover a part of the ground, be they few or many.
    radius = float(np.clip(drawn / np.sqrt(len(places)) / 5, SMOOTHING, drawn / 80))
    picture = Image.new("RGB", (drawn, drawn), GROUND)
    draw = ImageDraw.Draw(picture)
    for centre, color in zip(centres.tolist(), colors, strict=True):
        draw.circle(centre, radius, fill=color or COLOURLESS)
    return picture.reduce(SMOOTHING)
