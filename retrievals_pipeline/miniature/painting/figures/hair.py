"""Hair: what falls behind the head, what covers it, and beards."""

import numpy as np

from retrievals_pipeline.miniature.painting.canvas import INK, Canvas, Color, mix
from retrievals_pipeline.miniature.painting.figures.heads import STEP, Head, round_normals
from retrievals_pipeline.miniature.painting.relief import Field, Lamp, Surface, dimmed, flat, lay

WHITE: Color = (226, 223, 216)
GREY: Color = (190, 188, 184)
COLORS_OF_HAIR: tuple[Color, ...] = (
    (44, 32, 28), (78, 50, 34), (122, 80, 46), (190, 146, 82), (146, 72, 38))  # fmt: skip


def paint_hair_behind(canvas: Canvas, head: Head, lamp: Lamp, *, covered: bool) -> None:
    """Paint what hangs or is pinned up behind the head."""
    if not head.build.female:
        return
    if head.build.old:
        if covered:
            return
        _ball(canvas, head, lamp, (-0.25 * head.yaw, -1.5), 0.44)  # a grey bun on top
    elif not head.build.small:
        if not covered and canvas.chance.random() < 0.35:
            _ball(canvas, head, lamp, (-0.5 * head.yaw, -1.36), 0.36)
        else:
            _tresses(canvas, head, lamp)


def _ball(canvas: Canvas, head: Head, lamp: Lamp, at: tuple[float, float], radius: float) -> None:
    u, v = head.plane()
    x, y = (u - at[0]) / radius, (v - at[1]) / (radius * 0.84)
    reach = np.sqrt(x * x + y * y)
    inside = (1 - reach) * radius / STEP
    coil = 1 + 0.14 * np.sin(reach * 13 + np.arctan2(y, x) * 2)
    normals = round_normals(x, y * 1.5, np.ones_like(x))
    lay(canvas, Surface(inside, normals, flat(head.hair, u) * coil[..., None]), head.box, lamp)


def _tresses(canvas: Canvas, head: Head, lamp: Lamp) -> None:
    """Paint long loose hair."""
    u, v = head.plane()
    half = np.where(v < 0.2, 1.24 * head.half_width(np.minimum(v, 0.2) / 1.16) - 0.04,
                    1.24 + 0.12 * np.sin(v * 2.4) - 0.1 * np.clip(v - 1.0, 0, 1))  # fmt: skip
    inside = np.minimum(half - np.abs(u - head.lean(np.minimum(v, 0.0))), 1.72 - v) / STEP
    tone = strands(canvas, u * 11 + 0.8 * np.sin(v * 2 + 1), 0.34)
    normals = round_normals(u, v * 0.4, half)
    albedo = flat(head.hair, u) * (tone * 0.8)[..., None]
    lay(canvas, Surface(inside, normals, albedo), head.box, lamp)


def paint_plaits(canvas: Canvas, head: Head, lamp: Lamp) -> None:
    """Paint the plaits of a girl."""
    if head.build.small and head.build.female:
        for side in (-1, 1):
            _plait(canvas, head, lamp, side)


def _plait(canvas: Canvas, head: Head, lamp: Lamp, side: int) -> None:
    light = 1.0 if side == lamp.side else 0.62
    for knot in range(7):
        x, y = head.place(side * (1.06 + 0.05 * knot), 0.55 + 0.24 * knot)
        size = head.r * (0.25 - 0.012 * knot)
        if knot == 5:
            tone = dimmed(canvas, (236, 226, 212), light)
            canvas.oval(x, y - size * 0.2, size * 0.9, size * 0.5, tone)
            continue
        canvas.oval(x, y, size, size * 0.86, dimmed(canvas, mix(head.hair, INK, 0.45), light))
        canvas.oval(x - size * 0.1 * side, y - size * 0.1, size * 0.82, size * 0.66,
                    dimmed(canvas, head.hair, light))  # fmt: skip
        lock = ((x - size * 0.5, y - size * 0.4), (x + side * size * 0.3, y + size * 0.35))
        shine = dimmed(canvas, mix(head.hair, (255, 236, 200), 0.25), light)
        canvas.line(lock, shine, size * 0.18)


def strands(canvas: Canvas, along: Field, depth: float) -> Field:
    """Return the tone of strands about 1; equal values of `along` are one strand."""
    locks = canvas.noise.random(96, dtype=np.float32)
    smooth = np.interp(np.arange(1536) / 16, np.arange(97), [*locks, locks[0]])
    tones = smooth.astype(np.float32)
    coarse = tones.take((along * 32).astype(np.intp), mode="wrap")
    fine = tones.take((along * 112).astype(np.intp), mode="wrap")
    tone: Field = 1 + depth * (coarse * 1.3 + fine * 0.7 - 1)
    return tone


def paint_hair(canvas: Canvas, head: Head, lamp: Lamp, *, covered: bool) -> None:
    """Paint the hair on the head; when it is covered only what shows below."""
    u, v = head.plane()
    turn, level, inside = head.egg(u, v, 1.09)
    inside = np.minimum(inside, _growth(canvas, head, turn, level) / STEP)
    if covered:
        inside = np.minimum(inside, (v + 0.75) / STEP)
    part = 0.35 * (1 if lamp.side > 0 else -1)
    along = np.where(head.build.female, np.abs(turn - part * 0.2) * 6 + level * 1.5,
                     (turn - part) * 7 + level * 2.5 + 0.4 * np.sin(level * 5))  # fmt: skip
    tone = strands(canvas, along, 0.3)
    shine = np.exp(-(((level + 1.02 - 0.12 * np.cos(turn * 2)) / 0.16) ** 2))
    albedo = flat(head.hair, u) * (tone * (1 + 0.35 * shine))[..., None]
    normals = round_normals(u - head.lean(v), v, head.half_width(v / 1.09) * 1.09)
    lay(canvas, Surface(inside, normals, albedo, 0.06), head.box, lamp)


def _growth(canvas: Canvas, head: Head, turn: Field, level: Field) -> Field:
    """Return how deep a place is in the hair, in half widths; below 0 it is bare."""
    build, side = head.build, np.abs(turn)
    depth: Field = 0.05 * (strands(canvas, turn * 9, 1.0) - 1)
    if build.old and not build.female:  # bald above, tufts at the sides
        tuft = np.minimum(side - 1.0 - 0.1 * level, 0.5 - level)
        depth += np.minimum(tuft, level + 0.9)
        return depth
    wide, top = (0.86, 0.98) if build.female else (1.02, 0.88)
    if build.small and not build.female:
        top = 0.68  # a fringe
    brow = top - 0.1 * np.cos(turn * 3 + 1) * (not build.small)
    opening = np.sqrt((turn / wide) ** 2 + ((level - 0.1) / (brow + 0.1)) ** 2) - 1
    lowest = 0.62 if build.female and not build.old else 0.3
    if build.small and not build.female:
        lowest = 0.42
    hair = np.where(level > 0.1, side / wide - 1, opening) * 0.7
    depth += np.minimum(hair, lowest - level)
    return depth
