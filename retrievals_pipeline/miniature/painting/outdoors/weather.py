"""What the weather lays before things: rain, falling snow, mist; and which way the wind bends."""

import numpy as np
from PIL import Image, ImageDraw

from retrievals_pipeline.miniature.painting.canvas import Canvas, mix
from retrievals_pipeline.miniature.scenes import Scene


def wind(scene: Scene) -> float:
    """Return how far things lean to the right, in heights; 0 unless it storms."""
    if scene.weather != "stormy":
        return 0.0
    return 0.2 if scene.seed & 1 else -0.2


def veil(canvas: Canvas, level: float, depth: float, strength: float) -> None:
    """Lay a bank of mist about the height `level`, `depth` high, in pixels."""
    top, bottom = max(0, round(level - depth)), min(canvas.height, round(level + depth))
    if bottom - top < 2:
        return
    t = np.linspace(-1, 1, 24, dtype=np.float32)[:, None]
    thick = canvas.noise.random((24, 7), dtype=np.float32) * 0.5 + 0.6
    mask = np.clip((1 - t**2) * thick * strength, 0, 1) * 255
    soft = Image.fromarray(mask.astype(np.uint8))
    soft = soft.resize((canvas.width, bottom - top), Image.Resampling.BICUBIC)
    pale = mix(canvas.light.low, canvas.lit((255, 255, 255)), 0.3)
    canvas.image.paste(canvas.tint(pale), (0, top), soft)


def falling(canvas: Canvas) -> None:
    """Let it rain, or snow in winter, where it storms on land."""
    if canvas.scene.weather != "stormy" or not canvas.scene.season:
        return
    if canvas.scene.season == "winter":
        _snow(canvas)
    else:
        _rain(canvas)


def _rain(canvas: Canvas) -> None:
    """Let slanting rain fall as a thin veil, drawn at half the size of the canvas."""
    chance, lean = canvas.chance, wind(canvas.scene) * 1.5
    mask = Image.new("L", canvas.size)
    draw = ImageDraw.Draw(mask)
    width, height = canvas.size
    wide = canvas.unit * 0.0011
    faint = min(1.0, wide)  # no stroke is thinner than a pixel: in a small picture it is paler
    for _ in range(320):
        x, y = chance.uniform(-0.2, 1.2) * width, chance.uniform(-0.15, 1) * height
        near = chance.random() ** 2
        length = canvas.unit * (0.03 + 0.05 * near)
        draw.line(((x, y), (x + lean * length, y + length)), fill=round((90 + 90 * near) * faint),
                  width=max(1, round(wide)))  # fmt: skip
    pale = mix(canvas.shade((240, 244, 250)), canvas.tint(canvas.light.low), 0.4)
    whole = mask.resize((canvas.width, canvas.height), Image.Resampling.NEAREST)
    canvas.image.paste(pale, (0, 0), whole)


def _snow(canvas: Canvas) -> None:
    chance = canvas.chance
    white = mix(canvas.shade((250, 252, 255)), (255, 255, 255), 0.35)
    for _ in range(230):
        r = canvas.unit * (0.0022 + 0.0065 * chance.random() ** 3)
        x, y = chance.random() * canvas.width, chance.random() * canvas.height
        canvas.oval(x, y, r, r, white)
