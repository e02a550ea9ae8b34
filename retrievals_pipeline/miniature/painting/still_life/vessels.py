"""What stands on a table beside the fruit: a jug, a bottle, a vase of flowers, a book."""

import math
from collections.abc import Callable, Sequence

import numpy as np

from retrievals_pipeline.miniature.painting.canvas import (
    INK,
    PIGMENTS,
    Box,
    Canvas,
    Color,
    Point,
    mix,
)
from retrievals_pipeline.miniature.painting.relief import (
    Field,
    Lamp,
    Surface,
    dimmed,
    flat,
    grid,
    lay,
    pigment,
)
from retrievals_pipeline.miniature.painting.still_life.flowers import (
    BLOSSOMS,
    heads_of_flowers,
    paint_leaf,
)

FRAME: Box = (-0.34, -1.06, 0.34, 0.06)
COLUMNS, ROWS = 64, 104
STEP = 0.68 / (COLUMNS - 1)
Profile = Sequence[tuple[float, float]]  # level above the foot and half width there
LIGHT: Color = (255, 240, 210)
BODIES: tuple[Color, ...] = ((112, 132, 140), (150, 100, 70), (206, 204, 194), (92, 104, 88))


def _turned(profile: Profile) -> tuple[Field, Field, Surface]:
    """Return (share of the half width, level) and the white surface of a turned vessel."""
    x, y = grid(FRAME, COLUMNS, ROWS)
    levels, halves = zip(*profile, strict=True)
    raw = np.interp(-y[:, 0], levels, halves).astype(np.float32)
    half = np.convolve(np.pad(raw, 5, mode="edge"), np.full(11, 1 / 11, np.float32), "valid")
    slope = np.gradient(half, 1.12 / (ROWS - 1))[:, None]
    share = np.clip(x / np.maximum(half[:, None], 0.02), -0.99, 0.99)
    z = np.sqrt(1 - share * share)
    fall = np.clip(-slope, -1.2, 1.2) * z
    length = np.sqrt(1 + fall * fall)
    sag = 0.05 * z * half[:, None] / max(halves) * 1.2
    inside = np.minimum(half[:, None] - np.abs(x), np.minimum(sag - y, y + levels[-1]))
    normals = (share / length, fall / length, z / length)
    return share, -y, Surface(inside / STEP, normals, flat((255, 255, 255), x), 0.45)


def _stand(
    canvas: Canvas, surface: Surface, albedo: Field, at: Point, s: float, lamp: Lamp
) -> None:
    x, y = at
    box = (x + FRAME[0] * s, y + FRAME[1] * s, x + FRAME[2] * s, y + FRAME[3] * s)
    lay(canvas, Surface(surface.inside, surface.normals, albedo, surface.gloss), box, lamp)


def _band(albedo: Field, far: Field, thick: float, color: Color) -> None:
    """Paint a band where `far` is within `thick` of nought."""
    share = np.clip((thick - np.abs(far)) / 0.01 + 0.5, 0, 1)[..., None]
    albedo += (pigment(color) - albedo) * share


def _glint(canvas: Canvas, x: float, y: float, s: float, lamp: Lamp) -> None:
    """Paint the window of the room mirrored in a glaze."""
    side = lamp.side
    for column in range(2):
        for row in range(2):
            left, top = x + side * s * (0.05 + 0.03 * column), y + s * 0.055 * row
            pane = ((left, top), (left + side * s * 0.022, top - s * 0.006),
                    (left + side * s * 0.022, top + s * 0.04), (left, top + s * 0.045))  # fmt: skip
            canvas.polygon(pane, canvas.tint((250, 248, 238)))


def jug(canvas: Canvas, x: float, y: float, s: float, _: str, lamp: Lamp) -> Box:
    """Paint a white jug with blue bands, a spout and a handle."""
    way = canvas.chance.choice((-1, 1))
    white: Color = (216, 218, 214)
    for thick, tone in ((0.05, 0.62), (0.026, 0.95)):
        handle = [
            (x + way * s * (0.13 + 0.19 * math.sin(turn)), y - s * (0.5 + 0.24 * math.cos(turn)))
            for turn in (math.pi * step / 14 for step in range(15))
        ]
        canvas.line(handle, dimmed(canvas, white, tone), s * thick)
    share, level, surface = _turned(
        ((0.0, 0.13), (0.06, 0.14), (0.3, 0.235), (0.45, 0.22), (0.62, 0.12), (0.74, 0.11),
         (0.84, 0.15)))  # fmt: skip
    albedo = flat(white, level)
    curve = level + 0.035 * np.sqrt(1 - share * share)
    for at, thick in ((0.14, 0.02), (0.42, 0.02), (0.47, 0.01), (0.72, 0.014)):
        _band(albedo, curve - at, thick, (52, 84, 150))
    _band(albedo, curve - 0.28 + 0.05 * np.sin(np.arcsin(share) * 6), 0.016, (70, 104, 164))
    _stand(canvas, surface, albedo, (x, y), s, lamp)
    spout = ((x - way * s * 0.1, y - s * 0.84), (x - way * s * 0.24, y - s * 0.88),
             (x - way * s * 0.12, y - s * 0.74))  # fmt: skip
    canvas.polygon(spout, dimmed(canvas, white, 0.8))
    canvas.oval(x, y - s * 0.84, s * 0.15, s * 0.036, dimmed(canvas, white, 0.92))
    canvas.oval(x, y - s * 0.835, s * 0.13, s * 0.026, dimmed(canvas, (84, 86, 92), 0.8))
    _glint(canvas, x, y - s * 0.4, s, lamp)
    return x - s * 0.3, y - s * 0.9, x + s * 0.3, y + s * 0.04


def bottle(canvas: Canvas, x: float, y: float, s: float, _: str, lamp: Lamp) -> Box:
    """Paint a dark green wine bottle with its label and cork."""
    share, level, surface = _turned(
        ((0.0, 0.125), (0.05, 0.135), (0.5, 0.138), (0.62, 0.1), (0.7, 0.052), (0.9, 0.046),
         (0.91, 0.055), (0.95, 0.055), (0.96, 0.044), (1.0, 0.044)))  # fmt: skip
    glass = flat((52, 82, 56), level)
    glass += (pigment((104, 140, 70)) - glass) * (0.5 * np.abs(share) ** 3)[..., None]
    wine = (level < 0.55)[..., None] * np.float32(0.4)
    glass = glass * (1 - wine)
    curve = level + 0.03 * np.sqrt(1 - share * share)
    glass[(np.abs(curve - 0.3) < 0.11) & (np.abs(share) < 0.86)] = (228, 214, 178)
    glass[(np.abs(curve - 0.34) < 0.012) & (np.abs(share) < 0.5)] = (120, 60, 48)
    glass[(np.abs(curve - 0.28) < 0.006) & (np.abs(share) < 0.6)] = (120, 100, 80)
    glass[level > 0.955] = (184, 140, 92)
    _stand(canvas, surface, glass, (x, y), s, lamp)
    shine = x + lamp.side * s * 0.085
    canvas.line(((shine, y - s * 0.52), (shine, y - s * 0.44)), canvas.tint((226, 236, 222)),
                s * 0.016)  # fmt: skip
    return x - s * 0.15, y - s * 1.0, x + s * 0.15, y + s * 0.03


def vase(canvas: Canvas, x: float, y: float, s: float, color: str, lamp: Lamp) -> Box:
    """Paint a vase with a bunch of flowers of that colour."""
    chance = canvas.chance
    heads = heads_of_flowers(canvas, x, y, s)
    for head in heads:
        stem = (
            (x, y - s * 0.4),
            ((x + head[0]) / 2 + (head[0] - x) * 0.1, (y - s * 0.52 + head[1]) / 2),
            head,
        )
        canvas.line(stem, dimmed(canvas, (66, 98, 50), 0.9), s * 0.012)
    for _ in range(34):
        turn, reach = chance.uniform(0.0, math.pi), s * chance.uniform(0.08, 0.34)
        paint_leaf(canvas, x + math.cos(turn) * reach * 0.9, y - s * 0.5 - math.sin(turn) * reach,
               s * chance.uniform(0.05, 0.1), turn)  # fmt: skip
    kind = chance.choice(BLOSSOMS)
    for head in sorted(heads, key=lambda at: abs(at[0] - x), reverse=True):
        kind(canvas, head, s * chance.uniform(0.07, 0.088), PIGMENTS[color], lamp)
    share, level, surface = _turned(
        chance.choice((
            ((0.0, 0.1), (0.05, 0.12), (0.22, 0.19), (0.34, 0.16), (0.42, 0.1), (0.46, 0.13)),
            ((0.0, 0.12), (0.04, 0.09), (0.1, 0.1), (0.36, 0.15), (0.46, 0.17)),
            ((0.0, 0.13), (0.1, 0.16), (0.25, 0.2), (0.38, 0.13), (0.46, 0.11)),
        )))  # fmt: skip
    body = chance.choice(BODIES)
    albedo = flat(body, level)
    _band(albedo, level + 0.04 * np.sqrt(1 - share * share) - 0.3, 0.013, mix(body, LIGHT, 0.4))
    _stand(canvas, surface, albedo, (x, y), s, lamp)
    _glint(canvas, x, y - s * 0.28, s * 0.9, lamp)
    reach = max(abs(head[0] - x) for head in heads) + s * 0.08
    top = min(head[1] for head in heads) - s * 0.08
    return x - reach, top, x + reach, y + s * 0.04


def book(canvas: Canvas, x: float, y: float, s: float, color: str, lamp: Lamp) -> Box:
    """Paint a closed book lying flat, its cover in that colour."""
    cover = PIGMENTS[color]
    w, h, deep = s * 0.4, s * 0.13, s * 0.26
    slant = s * 0.1 * lamp.side
    y -= s * 0.02
    under = ((x - w, y), (x + w, y), (x + w, y - h * 0.12), (x - w, y - h * 0.12))
    canvas.polygon(under, dimmed(canvas, cover, 0.5))
    pages = (
        (x - w * 0.95, y - h * 0.12),
        (x + w * 0.98, y - h * 0.12),
        (x + w * 0.98, y - h * 0.9),
        (x - w * 0.95, y - h * 0.9),
    )
    canvas.polygon(pages, dimmed(canvas, (232, 220, 190), 0.92))
    for leaf in range(6):
        level = y - h * (0.22 + 0.11 * leaf)
        canvas.line(
            ((x - w * 0.93, level), (x + w * 0.97, level)),
            dimmed(canvas, (170, 152, 120), 1),
            s * 0.004,
        )
    top = ((x - w, y - h), (x - w * 0.9 + slant, y - h - deep), (x + w * 0.9 + slant, y - h - deep),
           (x + w, y - h))  # fmt: skip
    canvas.polygon(top, dimmed(canvas, cover, 1.08))
    edge = ((x - w, y - h), (x + w, y - h), (x + w, y - h * 0.86), (x - w, y - h * 0.86))
    canvas.polygon(edge, dimmed(canvas, cover, 0.66))
    spine = ((x - w * 1.04, y), (x - w * 0.93, y), (x - w * 0.93, y - h), (x - w * 1.04, y - h))
    canvas.polygon(spine, dimmed(canvas, mix(cover, INK, 0.2), 0.8))
    gold = dimmed(canvas, (206, 166, 84), 1)
    frame = [(x + (px - x) * 0.86 + slant * 0.07, y - h - deep / 2 + (py - y + h + deep / 2) * 0.8)
             for px, py in top]  # fmt: skip
    canvas.line([*frame, frame[0]], gold, s * 0.008)
    canvas.oval(x + slant / 2, y - h - deep / 2, s * 0.06, s * 0.03, gold)
    return x - w * 1.04, y - h - deep, x + w, y


Vessel = Callable[[Canvas, float, float, float, str, Lamp], Box]
VESSELS: dict[str, Vessel] = {"jug": jug, "bottle": bottle, "vase": vase, "book": book}
