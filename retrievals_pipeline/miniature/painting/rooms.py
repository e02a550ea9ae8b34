"""Rooms: their light, walls, curtains and windows."""

import math

import numpy as np

from retrievals_pipeline.miniature.painting.canvas import (
    INK,
    OVERSAMPLING,
    Box,
    Canvas,
    Color,
    Point,
    cloud_noise,
    mix,
)
from retrievals_pipeline.miniature.painting.relief import (
    Lamp,
    Surface,
    Tone,
    begin,
    bent,
    flat,
    grid,
    lamp_from,
    lay,
    pigment,
    soft,
)

WALLS: tuple[Color, ...] = (
    (92, 80, 66),
    (78, 86, 80),
    (104, 94, 86),
    (90, 74, 68),
    (84, 86, 98),
    (112, 98, 78),
)
CURTAINS: tuple[Color, ...] = ((92, 52, 46), (58, 70, 60), (74, 64, 82), (96, 78, 52))
DAY: tuple[Tone, Tone] = ((1.14, 1.08, 0.98), (0.46, 0.43, 0.45))
BRIGHT: tuple[Tone, Tone] = ((1.14, 1.1, 1.02), (0.56, 0.52, 0.52))
COOL: tuple[Tone, Tone] = ((0.98, 0.99, 1.02), (0.42, 0.43, 0.5))
FLAME: tuple[Tone, Tone] = ((1.2, 1.08, 0.88), (0.24, 0.19, 0.2))
DARK: tuple[Tone, Tone] = ((1.2, 1.06, 0.86), (0.1, 0.08, 0.1))


def lamp_of(mood: str, side: int, *, candlelit: bool) -> Lamp:
    """Return the light of a figure: a candle is low and near, half the face dark if mysterious."""
    if mood == "mysterious":
        return lamp_from(side * 1.0, -0.1, 0.22, *DARK)
    if candlelit:
        return lamp_from(side * 0.85, 0.1, 0.55, *FLAME)
    tones = {"cheerful": BRIGHT, "melancholy": COOL}.get(mood, DAY)
    return lamp_from(side * 0.6, -0.5, 0.76, *tones)


def paint_wall(
    canvas: Canvas, color: Color, lamp: Point, level: float = 1.0, beam: int = 0
) -> None:
    """Cover the canvas with a wall lit about the point `lamp` (shares of width and height).

    `beam` lets daylight fall slanting from the left (-1) or the right (1).
    """
    columns, rows = 120, max(2, round(120 * canvas.height / canvas.width))
    x, y = grid((-lamp[0], -lamp[1], 1 - lamp[0], 1 - lamp[1]), columns, rows)
    light = np.exp(-(x**2 + (y * 0.8) ** 2) / 0.3)
    mottle = cloud_noise(canvas.noise, (columns, rows), (5, 5), 4) - 0.5
    tone = ((0.34 + 0.86 * light + 0.3 * mottle) * level)[..., None]
    if beam:
        away = 0.5 + beam * (0.5 - x - lamp[0])  # from the window
        slant = (y + lamp[1]) - 0.42 - 0.5 * away
        tone += (0.5 * np.exp(-((slant / 0.24) ** 2)) * np.clip(1.2 - away, 0, 1))[..., None]
    begin(canvas, tone * pigment(canvas.shade(color)))


def paint_background(canvas: Canvas, lamp: Lamp, level: float, *, daylight: bool = False) -> None:
    """Paint a wall and before it a curtain, panels or an arch; none of them beside a window."""
    chance = canvas.chance
    wall = chance.choice(WALLS)
    bright = 0.5 - 0.3 * lamp.side if chance.random() < 0.5 else 0.5 + 0.28 * lamp.side
    if daylight:
        paint_wall(canvas, wall, (0.5, 0.4), level, beam=lamp.side)
        return
    paint_wall(canvas, wall, (bright, chance.uniform(0.25, 0.5)), level)
    kind = chance.choice(("plain", "curtain", "curtain", "panels", "arch"))
    if kind == "curtain":
        paint_curtain(canvas, lamp, -lamp.side if chance.random() < 0.6 else lamp.side, level)
    elif kind == "panels":
        _panels(canvas, wall, level)
    elif kind == "arch":
        _arch(canvas, wall, level)


def paint_curtain(canvas: Canvas, lamp: Lamp, side: int, level: float = 1.0) -> None:
    """Hang a heavy curtain at one side, gathered low down."""
    x, y = grid((0.0, 0.0, 1.0, 1.0), 60, 90)
    wave = canvas.chance.uniform(0, 6)
    gather = 0.62 - 0.3 * np.exp(-(((y - 0.72) / 0.3) ** 2)) + 0.04 * np.sin(y * 7 + wave)
    along = x / np.maximum(gather, 0.1)
    folds = 0.05 * np.sin(along * 24 + wave + 0.6 * np.sin(y * 3))
    folds += 0.02 * np.sin(along * 53 + wave * 2 + y * 2)
    normals = bent((np.zeros_like(x), np.zeros_like(x), np.ones_like(x)), folds, 0.02)
    color = canvas.chance.choice(CURTAINS)
    albedo = flat(color, x) * level * 0.85
    inside = (gather - x) * 60
    wide = canvas.width * 0.5
    box = (0.0, 0.0, wide, float(canvas.height))
    if side > 0:
        nx, ny, nz = (each[:, ::-1] for each in normals)
        normals, inside = (-nx, ny, nz), inside[:, ::-1]
        box = (canvas.width - wide, 0.0, float(canvas.width), float(canvas.height))
    lay(canvas, Surface(inside, normals, albedo), box, lamp)


def _panels(canvas: Canvas, wall: Color, level: float) -> None:
    w, h = canvas.size
    unit = min(canvas.size)
    dark = canvas.shade(mix(INK, wall, 0.35 * level))
    light = canvas.shade(mix(wall, (255, 244, 220), 0.16 * level))
    shift = canvas.chance.uniform(-0.08, 0.08)
    for left in (-0.42, 0.06, 0.54, 1.02):
        box = ((left + shift) * w, h * 0.08, (left + shift + 0.4) * w, h * 0.86)
        frame = [(box[0], box[1]), (box[2], box[1]), (box[2], box[3]), (box[0], box[3])]
        canvas.line([*frame, frame[0]], dark, unit * 0.008)
        canvas.line([(x + unit * 0.008, y + unit * 0.008) for x, y in frame[:2]], light,
                    unit * 0.004)  # fmt: skip


def _arch(canvas: Canvas, wall: Color, level: float) -> None:
    """Paint a dark niche behind the figure."""
    w, h = canvas.width, canvas.height
    left, right, spring = w * 0.1, w * 0.9, h * 0.42
    turns = [math.pi * step / 24 for step in range(25)]
    arc = [((left + right) / 2 - (right - left) / 2 * math.cos(turn),
            spring - h * 0.34 * math.sin(turn)) for turn in turns]  # fmt: skip
    niche = [(left, float(h)), *arc, (right, float(h))]
    soft(canvas, niche, canvas.shade(mix(INK, wall, 0.4 * level)), 0.55, canvas.unit * 0.012)


def paint_window(canvas: Canvas, side: int) -> Box:
    """Paint a tall mullioned window in daylight at one side; return where it is seen."""
    w, h = canvas.size
    unit = min(canvas.size)
    left, right = (w * 0.05, w * 0.3) if side < 0 else (w * 0.7, w * 0.95)
    top, bottom = h * 0.06, h * 0.6
    stone = canvas.shade((150, 138, 118))
    deep = unit * 0.022
    canvas.draw.rectangle((left - deep, top - deep, right + deep, bottom + deep * 1.6), fill=stone)
    canvas.draw.rectangle((left - deep * 1.6, bottom + deep, right + deep * 1.6,
                           bottom + deep * 2.2), fill=canvas.shade((186, 172, 146)))  # fmt: skip
    sky, low = canvas.tint((206, 226, 240)), canvas.tint((250, 246, 226))
    for step in range(24):
        y = top + (bottom - top) * step / 24
        tone = mix(sky, low, step / 23)
        canvas.draw.rectangle((left, y, right, y + (bottom - top) / 24 + 1), fill=tone)
    hills = [(left + (right - left) * step / 12,
              bottom - h * (0.06 + 0.02 * math.sin(step * 0.45) + 0.01 * math.sin(step * 1.3)))
             for step in range(13)]  # fmt: skip
    hills += [(right, bottom), (left, bottom)]
    canvas.polygon(hills, canvas.tint((158, 178, 160)))
    lead = canvas.tint((70, 60, 52))
    for column in range(3):
        x = left + (right - left) * column / 2
        canvas.line(((x, top), (x, bottom)), lead, unit * 0.014)
    for row in range(5):
        y = top + (bottom - top) * row / 4
        canvas.line(((left, y), (right, y)), lead, unit * (0.014 if row % 2 == 0 else 0.01))
    scale = OVERSAMPLING
    return left * scale, top * scale, right * scale, bottom * scale
