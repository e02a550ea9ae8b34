"""Beards: a mass of hair, and single locks over it."""

import math

import numpy as np

from retrievals_pipeline.miniature.painting.canvas import Canvas, Point
from retrievals_pipeline.miniature.painting.figures.hair import strands
from retrievals_pipeline.miniature.painting.figures.heads import STEP, Head, round_normals
from retrievals_pipeline.miniature.painting.relief import Lamp, Surface, dimmed, flat, lay, light_at

ROWS = 11


def paint_beard(canvas: Canvas, head: Head, lamp: Lamp, *, length: float) -> None:
    """Paint a full beard with its moustache, reaching `length` half widths below the chin."""
    end = head.build.chin + length
    _mass(canvas, head, lamp, end)
    cheeks = head.on([(-0.5, 0.3), (0.5, 0.3)])
    left, right = (0.15 + 0.85 * light_at(canvas, cheek, head.skin) for cheek in cheeks)
    _locks(canvas, head, end, left, right)
    nod, forward = head.pitch * 0.3, head.yaw * 0.55
    for side, light in ((-1, left), (1, right)):
        for step in range(10):
            start = (forward + side * 0.04, 0.56 + 0.008 * step + nod)
            tip = (forward + side * (0.16 + 0.024 * step), 0.64 + 0.022 * step + nod)
            _lock(canvas, head, start, tip, light * 1.08)


def _mass(canvas: Canvas, head: Head, lamp: Lamp, end: float) -> None:
    u, v = head.plane()
    side, down = u - head.yaw * 0.55, v - head.pitch * 0.3
    half = np.sqrt(np.clip(1 - np.clip((down - 0.2) / end, 0, 1) ** 2.2, 0, 1))
    cheek = down - 0.7 + 0.55 * np.clip(np.abs(side), 0, 1) ** 1.6
    mouth = np.maximum(np.abs(side) - 0.3, np.abs(down - 0.8) - 0.1)
    ragged = 0.04 * (strands(canvas, side * 6, 1.0) - 1)
    inside = np.minimum(np.minimum(half - np.abs(side), cheek), mouth) + ragged
    tone = strands(canvas, side * 5 / np.maximum(half, 0.3) + 0.3 * np.sin(down * 5), 0.3)
    normals = round_normals(side, (down - 0.6) * 0.6, half)
    albedo = flat(head.hair, u) * (0.84 * tone)[..., None]
    lay(canvas, Surface(inside / STEP, normals, albedo), head.box, lamp)


def _locks(canvas: Canvas, head: Head, end: float, left: float, right: float) -> None:
    """Draw locks of hair from cheek to cheek, in the light that falls on either."""
    chance, nod = canvas.chance, head.pitch * 0.3
    for row in range(ROWS):
        t = row / (ROWS - 1)
        count = 16 - round(8 * t)
        for step in range(count):
            a = -1 + 2 * (step + chance.random()) / count
            if 0.06 < t < 0.36 and abs(a) < 0.3:
                continue  # the mouth
            high = 0.36 + 0.22 * (1 - abs(a)) ** 0.8
            v = high + (end - high) * t + nod
            wide = 0.96 * math.sqrt(max(0.06, 1 - (0.93 * t) ** 2.4))
            x = math.sin(a * 1.12) * wide + head.yaw * 0.55
            tip = (x + chance.uniform(-0.05, 0.05) - 0.06 * a, v + chance.uniform(0.2, 0.4))
            light = (left + (right - left) * (0.5 + 0.5 * a)) * (0.66 + 0.34 * t)
            _lock(canvas, head, (x, v), tip, light)


def _lock(canvas: Canvas, head: Head, start: Point, end: Point, light: float) -> None:
    tone = dimmed(canvas, head.hair, min(1.06, light * canvas.chance.uniform(0.84, 1.1)))
    canvas.line((head.place(*start), head.place(*end)), tone, head.r * 0.028)
