"""Paint a scene: lay it out, then give it the surface of its manner.

Deterministic: equal scenes and sides give equal pixels on one version of numpy and Pillow.
"""

from PIL import Image

from retrievals_pipeline.miniature.painting.canvas import OVERSAMPLING, Canvas, Mark
from retrievals_pipeline.miniature.painting.figures.portraits import paint_portrait
from retrievals_pipeline.miniature.painting.figures.readers import paint_reader
from retrievals_pipeline.miniature.painting.icons.panels import paint_icon
from retrievals_pipeline.miniature.painting.outdoors.layout import paint_outdoors
from retrievals_pipeline.miniature.painting.still_life.layout import paint_table
from retrievals_pipeline.miniature.painting.surfaces import SURFACES
from retrievals_pipeline.miniature.scenes import Scene

LAYOUTS = {"portrait": paint_portrait, "reading": paint_reader, "icon": paint_icon,
           "table": paint_table}  # fmt: skip
TALL = ("portrait", "reading", "icon")


def paint(scene: Scene, side: int = 1024) -> Image.Image:
    """Paint `scene` as an RGB picture whose longer side is `side` pixels."""
    picture, _ = paint_marked(scene, side)
    return picture


def paint_marked(scene: Scene, side: int = 1024) -> tuple[Image.Image, list[Mark]]:
    """Paint `scene` as `paint` does, and say where its subjects stand."""
    canvas = Canvas(scene, picture_size(scene, side))
    LAYOUTS.get(scene.setting, paint_outdoors)(canvas)
    picture = canvas.image.reduce(OVERSAMPLING)
    return SURFACES[scene.manner](picture, scene), canvas.marks


def picture_size(scene: Scene, side: int = 1024) -> tuple[int, int]:
    """Return the width and height of the picture of `scene` without painting it."""
    shapes = (0.64, 0.72, 0.78) if scene.setting == "open sea" else (0.72, 0.78, 0.82)
    short = round(side * shapes[scene.seed % len(shapes)])
    return (short, side) if scene.setting in TALL else (side, short)
