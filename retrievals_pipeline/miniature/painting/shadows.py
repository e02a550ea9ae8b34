"""The shadows that things cast on the ground, from the shape each was painted in."""

from PIL import Image, ImageChops

from retrievals_pipeline.miniature.painting.canvas import Canvas, PixelBox, mix

COARSE = 4  # a shadow is soft: it is made at a quarter of the canvas
STRENGTH = {"clear": 0.5, "cloudy": 0.26, "misty": 0.16, "stormy": 0.2}
SEEN = [0] * 16 + [255] * 240
LENGTH = {"noon": 0.16, "morning": 0.3}


def cast(
    canvas: Canvas, before: Image.Image, box: PixelBox, foot: float, light_from: float
) -> None:
    """Cast on the ground at `foot` the shadow of what was painted in `box` over `before`."""
    after = canvas.image.crop(box).reduce(COARSE)
    changed = ImageChops.difference(before.reduce(COARSE), after).convert("L").point(SEEN)
    rows = max(2, min(changed.height, round((foot - box[1]) / COARSE)))
    depth = max(2, round(rows * LENGTH.get(canvas.scene.time_of_day, 0.34)))
    middle = (box[0] + box[2]) / 2
    slant = (middle - light_from) / canvas.width * 1.6 * rows
    pad = round(abs(slant))
    size = (changed.width + 2 * pad, depth)
    sheared = (1, -slant / depth, -pad, 0, -rows / depth, rows - 1)
    shape = changed.transform(size, Image.Transform.AFFINE, sheared)
    strength = STRENGTH[canvas.scene.weather]
    mask = shape.point([round(level * strength) for level in range(256)])
    mask = mask.resize((size[0] * COARSE, depth * COARSE), Image.Resampling.BILINEAR)
    dark = mix(canvas.shade((40, 48, 60)), canvas.tint(canvas.light.top), 0.2)
    canvas.image.paste(dark, (box[0] - pad * COARSE, round(foot) - COARSE), mask)
