"""Candles: the stick, the flame, and a room that has no other light."""

import math

import numpy as np
from PIL import Image

from retrievals_pipeline.miniature.painting.canvas import INK, Canvas, Color, Point, mix
from retrievals_pipeline.miniature.painting.relief import dimmed, grid


def paint_candle(canvas: Canvas, x: float, y: float, high: float) -> Point:
    """Stand a candle in a brass stick on (x, y), `high` with its flame; return the flame."""
    brass: Color = (196, 152, 74)
    for half, level, thick in ((0.17, 0.02, 0.045), (0.05, 0.12, 0.1), (0.075, 0.2, 0.03),
                               (0.045, 0.28, 0.09), (0.13, 0.37, 0.03)):  # fmt: skip
        rx, ry, at = half * high, thick * high, y - level * high
        canvas.oval(x, at, rx, ry, dimmed(canvas, mix(brass, INK, 0.5), 1))
        canvas.oval(x - rx * 0.08, at - ry * 0.12, rx * 0.8, ry * 0.74, dimmed(canvas, brass, 1))
        canvas.oval(x - rx * 0.3, at - ry * 0.2, rx * 0.24, ry * 0.4, (255, 232, 168))
    thick, top, low = high * 0.052, y - high * 0.8, y - high * 0.38
    canvas.draw.rectangle((x - thick, top, x + thick, low), fill=(226, 204, 158))
    canvas.draw.rectangle((x - thick, top, x + thick * 0.3, low), fill=(246, 232, 196))
    canvas.oval(x, top, thick, thick * 0.4, (255, 240, 196))
    canvas.draw.rectangle((x - thick, top, x + thick, top + high * 0.06), fill=(255, 234, 176))
    return x, y - high * 0.9


def paint_flame(canvas: Canvas, flame: Point, high: float) -> None:
    """Paint the flame of a candle `high` and its glow."""
    x, y = flame
    canvas.glow(x, y, high * 1.05, (255, 170, 70), 0.42)
    canvas.glow(x, y, high * 0.42, (255, 216, 130), 0.7)
    rx, ry = high * 0.052, high * 0.13
    drop = [(x + rx * math.sin(turn) * (1 + 0.5 * math.cos(turn)), y + ry * 0.62 * math.cos(turn))
            for turn in (math.tau * step / 24 for step in range(24))]  # fmt: skip
    canvas.line(((x, y + ry * 0.5), (x, y + ry * 0.8)), INK, high * 0.012)
    canvas.polygon([(px, py if py > y else y - (y - py) * 1.35) for px, py in drop], (255, 196, 84))
    canvas.polygon([(x + (px - x) * 0.6, y + ry * 0.1 + (py - y) * 0.8) for px, py in drop],
                   (255, 246, 206))  # fmt: skip


def darken(canvas: Canvas, flame: Point, reach: float, night: float = 0.86) -> None:
    """Leave the canvas lit by a flame alone; `night` is how much of the light is lost far away."""
    columns, rows = 64, max(2, round(64 * canvas.height / canvas.width))
    x, y = grid((0.0, 0.0, float(canvas.width), float(canvas.height)), columns, rows)
    far = ((x - flame[0]) ** 2 + (y - flame[1]) ** 2) / (reach * reach)
    share = night * (1 - 1 / (1 + far * far * 1.6 + far * 0.2))
    dark = Image.fromarray((share * 255).astype(np.uint8))
    dark = dark.resize(canvas.size, Image.Resampling.BILINEAR)
    dark = dark.resize((canvas.width, canvas.height), Image.Resampling.NEAREST)
    canvas.image.paste(mix((12, 7, 8), canvas.tint((12, 7, 8)), 0.12), (0, 0), dark)
