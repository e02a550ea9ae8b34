"""Hats, caps and veils."""

import math

import numpy as np

from retrievals_pipeline.miniature.painting.canvas import INK, Box, Canvas, Color, Point, mix
from retrievals_pipeline.miniature.painting.figures.hair import strands
from retrievals_pipeline.miniature.painting.figures.heads import STEP, Head, round_normals
from retrievals_pipeline.miniature.painting.relief import (
    Lamp,
    Surface,
    bent,
    dimmed,
    flat,
    lay,
    pigment,
    soft,
)

SHADOWS = {"hat": 0.62, "cap": 0.4, "veil": 0.2}  # that fall on the brow


def box_of(points: list[Point]) -> Box:
    """Return the box about points."""
    xs, ys = [x for x, _ in points], [y for _, y in points]
    return min(xs), min(ys), max(xs), max(ys)


def paint_headgear(canvas: Canvas, head: Head, name: str, color: Color, lamp: Lamp) -> Box:
    """Paint what is worn on the head; return where it can be seen."""
    return {"hat": _hat, "cap": _cap, "veil": _veil}[name](canvas, head, _felt(color), lamp)


def _felt(color: Color) -> Color:
    return mix(color, (104, 100, 108), 0.16) if max(color) < 60 else color


def _hat(canvas: Canvas, head: Head, color: Color, lamp: Lamp) -> Box:
    """Paint a tall crown over a wide brim."""
    u, v = head.plane()
    base = -0.66 + head.pitch * 0.24
    lift = 0.16 * np.sin(u * 1.4 + 0.6)  # the brim swings up at one side
    brim = (1 - (u / 1.68) ** 2 - ((v - base + lift * 0.7) / 0.3) ** 2) * 0.3
    normals = (u * 0.16, np.full_like(u, -0.55), np.full_like(u, 0.8))
    tone = flat(color, u) * strands(canvas, u * 2 + v * 9, 0.06)[..., None]
    lay(canvas, Surface(brim / STEP, normals, tone * 0.82), head.box, lamp)
    half = 0.86 + 0.1 * (v - base)
    top = -1.72 + 0.2 * (u / 0.8) ** 2 * 0.6 + 0.1 * np.cos(u * 4)
    sag = 0.17 * np.sqrt(np.clip(1 - (u / 0.95) ** 2, 0, 1))
    crown = np.minimum(
        np.minimum(half - np.abs(u), v - top - head.pitch * 0.16), base - v + sag - 0.02
    )
    crease = -0.1 * np.exp(-(((u - 0.1) / 0.16) ** 2) - ((v + 1.6) / 0.3) ** 2)
    normals = bent(round_normals(u, v + 0.9, half), crease, STEP)
    band = (0.55 * np.clip((v - base - sag + 0.28) / STEP, 0, 1))[..., None]
    cloth = tone + (pigment(mix(color, INK, 0.75)) - tone) * band
    lay(canvas, Surface(crown / STEP, normals, cloth), head.box, lamp)
    return box_of([head.place(-1.68, base), head.place(1.68, base), head.place(0, -1.72),
                   head.place(0, base + 0.25)])  # fmt: skip


def _cap(canvas: Canvas, head: Head, color: Color, lamp: Lamp) -> Box:
    """Paint a soft flat cap with a peak."""
    u, v = head.plane()
    down = head.pitch * 0.24
    lean = 0.22 * (1 if head.yaw < 0 else -1)
    puff = (1 - (np.abs(u - lean) / 1.26) ** 2.3 - (np.abs(v + 1.03 - down) / 0.48) ** 2.2) * 0.45
    folds = 0.06 * np.sin(np.arctan2(u - lean, 1.4 + v) * 11) * np.clip(-(v + 0.8), 0, 1)
    normals = bent(round_normals((u - lean) / 1.26, (v + 1.0) * 2.2, np.ones_like(u)), folds, STEP)
    tone = flat(color, u) * strands(canvas, u * 5 + v * 5, 0.07)[..., None]
    lay(canvas, Surface(puff / STEP, normals, tone), head.box, lamp)
    middle = head.yaw * 0.9
    peak = [head.place(middle + 0.9 * math.cos(turn), -0.74 + down + 0.26 * math.sin(turn))
            for turn in (math.pi * step / 14 for step in range(15))]  # fmt: skip
    peak += [head.place(middle - 0.5, -0.84 + down), head.place(middle + 0.5, -0.84 + down)]
    soft(canvas, [(x, y + head.r * 0.06) for x, y in peak], canvas.tint((60, 32, 28)), 0.5,
         head.r * 0.06)  # fmt: skip
    canvas.polygon(peak, dimmed(canvas, mix(color, INK, 0.28), 1))
    canvas.line(peak[2:12], dimmed(canvas, mix(color, (255, 244, 224), 0.25), 1), head.r * 0.035)
    return box_of([head.place(lean - 1.22, -1.0), head.place(lean + 1.22, -1.0),
                   head.place(0, -1.5 + down), head.place(0, -0.5 + down)])  # fmt: skip


def _veil(canvas: Canvas, head: Head, color: Color, lamp: Lamp) -> Box:
    """Paint a cloth over the head that falls on both shoulders."""
    u, v = head.plane()
    down = head.pitch * 0.2
    grown = head.half_width(np.minimum(v, 0.1) / 1.2) * 1.2
    half = np.where(v < 0.1, grown, 1.2 + 0.2 * np.clip(v - 0.1, 0, 2) ** 1.2)
    face = 1 - np.sqrt(((u - head.yaw * 0.62) / (0.84 - 0.1 * np.abs(head.yaw))) ** 2
                       + ((v - 0.3 - down) / 1.12) ** 2)  # fmt: skip
    face = np.where(v > 0.9, np.maximum(face, 0.84 - 0.62 * (v - 0.9) - np.abs(u - head.yaw * 0.5)),
                    face)  # fmt: skip
    inside = np.minimum(half - np.abs(u - head.lean(np.minimum(v, 0.0))), -face * 0.9)
    hem_at = 1.74 - 0.5 * (1.45 - np.abs(u)) ** 2 * (np.abs(u) < 1.45)
    inside = np.minimum(np.minimum(inside, hem_at - v), v + 1.56)
    spread = np.arctan2(u, 2.2 + v)
    folds = 0.07 * np.sin(spread * 26 + np.sin(v * 2)) * np.clip(v + 1.0, 0, 1)
    hem = 0.12 * np.exp(-(((face + 0.07) / 0.06) ** 2))
    normals = bent(round_normals(u, v * 0.6, half), folds + hem, STEP)
    tone = flat(color, u) * strands(canvas, u * 4 + v * 2, 0.05)[..., None]
    lay(canvas, Surface(inside / STEP, normals, tone), head.box, lamp)
    return box_of([head.place(-1.35, 0.6), head.place(1.35, 0.6), head.place(0, -1.55),
                   head.place(0, 1.7)])  # fmt: skip
