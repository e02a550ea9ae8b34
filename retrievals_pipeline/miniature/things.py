"""How each outdoor subject is painted: standing on (x, y), `s` high, in its own colour.

A thing keeps within half its height to either side of x, more or less, so that a row of them can be
counted.
"""

import math
from collections.abc import Callable

from retrievals_pipeline.miniature.canvas import FOLIAGE, PIGMENTS, Canvas, Color, mix

Thing = Callable[[Canvas, float, float, float, Color], None]

WOOD: Color = (104, 70, 44)
STONE: Color = (206, 196, 176)
PLASTER: Color = (234, 222, 198)
TILES: Color = (168, 84, 58)
SLATE: Color = (92, 98, 112)
SNOW: Color = (240, 244, 248)
SKIN: Color = (232, 190, 156)


def _window(canvas: Canvas, x: float, y: float, r: float) -> None:
    lit = canvas.scene.time_of_day in ("night", "dusk")
    color = (250, 206, 104) if lit else canvas.shade((70, 78, 92))
    canvas.draw.rectangle((x - r, y - r * 1.3, x + r, y + r * 1.3), fill=color)
    if lit:
        canvas.glow(x, y, r * 4, (250, 196, 96), 0.35)


def _roof(canvas: Canvas, points: list[tuple[float, float]], color: Color) -> None:
    snowy = canvas.scene.season == "winter"
    canvas.polygon(points, canvas.shade(SNOW if snowy else color, vary=0.06))


def sailing_boat(canvas: Canvas, x: float, y: float, s: float, color: Color) -> None:
    """A hull with a mast, a main sail and a jib."""
    way = canvas.chance.choice((-1, 1))
    w = s * 0.46
    _reflection(canvas, x, y, w, s * 0.5, color)
    canvas.line(((x, y - s), (x, y - s * 0.1)), canvas.shade(WOOD), s * 0.016)
    canvas.polygon(
        ((x + way * s * 0.02, y - s * 0.97), (x + way * s * 0.05, y - s * 0.2),
         (x + way * w * 0.86, y - s * 0.22), (x + way * w * 0.42, y - s * 0.55)),
        canvas.shade(color),
    )  # fmt: skip
    canvas.polygon(
        ((x + way * s * 0.03, y - s * 0.9), (x + way * s * 0.05, y - s * 0.22),
         (x + way * w * 0.3, y - s * 0.22), (x + way * w * 0.22, y - s * 0.5)),
        canvas.shade(mix(color, (255, 250, 235), 0.3)),
    )  # fmt: skip
    canvas.polygon(
        ((x - way * s * 0.02, y - s * 0.86), (x - way * s * 0.03, y - s * 0.2),
         (x - way * w * 0.72, y - s * 0.19)),
        canvas.shade(mix(color, (40, 36, 48), 0.16)),
    )  # fmt: skip
    _hull(canvas, x, y, w, s * 0.15, WOOD)


def _hull(canvas: Canvas, x: float, y: float, w: float, depth: float, color: Color) -> None:
    canvas.polygon(
        ((x - w, y - depth), (x + w * 1.02, y - depth * 1.15), (x + w * 0.76, y),
         (x + w * 0.5, y + depth * 0.16), (x - w * 0.5, y + depth * 0.16), (x - w * 0.74, y)),
        canvas.shade(mix(color, (30, 22, 22), 0.3)),
    )  # fmt: skip
    rim = ((x - w, y - depth), (x + w * 1.02, y - depth * 1.15))
    canvas.line(rim, canvas.shade(mix(color, (240, 220, 180), 0.45)), depth * 0.18)


def _reflection(canvas: Canvas, x: float, y: float, w: float, depth: float, color: Color) -> None:
    dark = mix(canvas.shade(mix(color, WOOD, 0.6)), canvas.tint(canvas.light.top), 0.3)
    for step in range(9):
        t = step / 9
        half = w * (0.85 - 0.6 * t) * canvas.chance.uniform(0.7, 1.1)
        shift = canvas.chance.uniform(-0.1, 0.1) * w
        level = y + depth * t + w * 0.03
        ends = ((x - half + shift, level), (x + half + shift, level))
        canvas.line(ends, dark, depth * 0.05 * (1 - t * 0.5))


def rowing_boat(canvas: Canvas, x: float, y: float, s: float, _: Color) -> None:
    """A low open boat with one rower and two oars."""
    w = s * 0.5
    _reflection(canvas, x, y, w, s * 0.3, WOOD)
    head = y - s * 0.52
    jacket = canvas.shade(canvas.chance.choice((PIGMENTS["red"], PIGMENTS["blue"], STONE)))
    canvas.polygon(
        ((x - s * 0.1, y - s * 0.1), (x - s * 0.06, y - s * 0.44), (x + s * 0.06, y - s * 0.44),
         (x + s * 0.12, y - s * 0.1)),
        jacket,
    )  # fmt: skip
    canvas.oval(x, head, s * 0.07, s * 0.08, canvas.shade(SKIN))
    canvas.oval(x, head - s * 0.06, s * 0.09, s * 0.035, canvas.shade((60, 46, 40)))
    _hull(canvas, x, y, w, s * 0.2, (150, 104, 62))
    for way in (-1, 1):
        oar = ((x + way * s * 0.04, y - s * 0.3), (x + way * s * 0.56, y + s * 0.1))
        canvas.line(oar, canvas.shade((190, 150, 100)), s * 0.024)


def steamship(canvas: Canvas, x: float, y: float, s: float, _: Color) -> None:
    """A dark hull with a white deck, a red funnel and its smoke."""
    w = s * 0.62
    _reflection(canvas, x, y, w, s * 0.4, (60, 56, 60))
    smoke = canvas.shade((118, 112, 114))
    for step in range(9):
        t = step / 9
        puff = s * (0.09 + 0.13 * t)
        canvas.glow(x + s * 0.1 + w * 1.1 * t, y - s * 0.86 - s * 0.22 * t, puff * 1.5, smoke, 0.8)
    for mast in (-0.62, 0.66):
        canvas.line(
            ((x + w * mast, y - s * 0.86), (x + w * mast, y - s * 0.2)),
            canvas.shade(WOOD),
            s * 0.02,
        )
    deck = (x - w * 0.55, y - s * 0.42, x + w * 0.5, y - s * 0.2)
    canvas.draw.rectangle(deck, fill=canvas.shade(PLASTER))
    for port in range(5):
        _window(canvas, x - w * 0.42 + port * w * 0.2, y - s * 0.31, s * 0.022)
    funnel = (x + s * 0.02, y - s * 0.8, x + s * 0.17, y - s * 0.4)
    canvas.draw.rectangle(funnel, fill=canvas.shade(PIGMENTS["red"]))
    canvas.draw.rectangle((*funnel[:2], funnel[2], y - s * 0.72), fill=canvas.shade((40, 38, 40)))
    _hull(canvas, x, y, w, s * 0.22, (66, 58, 60))


def lighthouse(canvas: Canvas, x: float, y: float, s: float, _: Color) -> None:
    """A banded tower on a rock."""
    rock = canvas.shade((92, 82, 76))
    canvas.polygon(
        ((x - s * 0.5, y + s * 0.06), (x - s * 0.36, y - s * 0.1), (x - s * 0.14, y - s * 0.2),
         (x + s * 0.16, y - s * 0.19), (x + s * 0.3, y - s * 0.08), (x + s * 0.52, y + s * 0.06)),
        rock,
    )  # fmt: skip
    canvas.dabs(
        26, (x - s * 0.3, y - s * 0.14, x + s * 0.26, y + s * 0.03), (120, 108, 98), s * 0.08
    )
    foot, top = s * 0.1, s * 0.066
    for band in range(5):
        low, high = band / 5, (band + 1) / 5
        a, b = foot + (top - foot) * low, foot + (top - foot) * high
        y0, y1 = y - s * (0.18 + 0.62 * low), y - s * (0.18 + 0.62 * high)
        color = PIGMENTS["red"] if band % 2 else PLASTER
        canvas.polygon(((x - a, y0), (x - b, y1), (x + b, y1), (x + a, y0)), canvas.shade(color))
        canvas.polygon(
            ((x + a * 0.3, y0), (x + b * 0.3, y1), (x + b, y1), (x + a, y0)),
            canvas.shade(mix(color, (30, 26, 40), 0.25)),
        )
    canvas.draw.rectangle(
        (x - top * 0.8, y - s * 0.9, x + top * 0.8, y - s * 0.8), fill=(252, 226, 140)
    )
    roof = ((x - top * 1.1, y - s * 0.9), (x, y - s), (x + top * 1.1, y - s * 0.9))
    canvas.polygon(roof, canvas.shade(SLATE))
    canvas.glow(x, y - s * 0.85, s * 0.24, (255, 236, 170), 0.7)


def tree(canvas: Canvas, x: float, y: float, s: float, _: Color) -> None:
    """A broad tree with the leaves of the season, bare in winter."""
    if canvas.scene.season == "winter":
        _branch(canvas, x, y, s * 0.34, -math.pi / 2, 6)
        return
    trunk = ((x - s * 0.05, y), (x - s * 0.03, y - s * 0.5), (x + s * 0.03, y - s * 0.5),
             (x + s * 0.05, y))  # fmt: skip
    canvas.polygon(trunk, canvas.shade(WOOD))
    leaves = FOLIAGE[canvas.scene.season]
    for step in range(34):
        angle, reach = canvas.chance.uniform(0, math.tau), canvas.chance.random() ** 0.6
        dx, dy = math.cos(angle) * reach * s * 0.3, math.sin(angle) * reach * s * 0.28
        light = (-dx - dy) / s * 0.9 + step * 0.004
        tone = mix(leaves, (255, 246, 190) if light > 0 else (18, 26, 40), min(0.45, abs(light)))
        r = s * canvas.chance.uniform(0.07, 0.13)
        canvas.oval(x + dx, y - s * 0.66 + dy, r, r * 0.85, canvas.shade(tone, vary=0.08))


def _branch(canvas: Canvas, x: float, y: float, length: float, angle: float, depth: int) -> None:
    tip = (x + math.cos(angle) * length, y + math.sin(angle) * length)
    color = canvas.shade((74, 60, 56))
    canvas.line(((x, y), tip), color, length * 0.12)
    if depth == 0:
        return
    for turn in (-0.5, 0.42):
        bend = angle + turn * canvas.chance.uniform(0.6, 1.3)
        _branch(canvas, *tip, length * canvas.chance.uniform(0.62, 0.76), bend, depth - 1)


def cypress(canvas: Canvas, x: float, y: float, s: float, _: Color) -> None:
    """A dark flame of a tree."""
    green = (46, 78, 52)
    canvas.line(((x, y), (x, y - s * 0.2)), canvas.shade(WOOD), s * 0.03)
    for step in range(26):
        t = step / 25
        half = s * 0.11 * math.sin(math.pi * min(1.0, (1 - t) * 0.86 + 0.1)) + s * 0.008
        shift = canvas.chance.uniform(-0.3, 0.3) * half
        tone = canvas.shade(mix(green, (130, 150, 80), canvas.chance.uniform(0, 0.35)))
        canvas.oval(x + shift, y - s * (0.1 + 0.86 * t), half, s * 0.055, tone)


def fir(canvas: Canvas, x: float, y: float, s: float, _: Color) -> None:
    """A fir in four tiers, snowy in winter."""
    canvas.line(((x, y), (x, y - s * 0.2)), canvas.shade(WOOD), s * 0.05)
    for tier in range(5):
        t = tier / 5
        low, half = y - s * (0.1 + 0.7 * t), s * 0.26 * (1 - t * 0.72)
        top = low - s * 0.34 * (1 - t * 0.35)
        canvas.polygon(
            ((x - half, low), (x - half * 0.3, low + s * 0.025), (x + half, low), (x, top)),
            canvas.shade(mix((34, 70, 58), (96, 130, 90), t * 0.4)),
        )
        if canvas.scene.season == "winter":
            canvas.polygon(((x - half * 0.8, low - s * 0.02), (x - half * 0.1, low - s * 0.06),
                            (x, top)), canvas.shade(SNOW))  # fmt: skip


def church(canvas: Canvas, x: float, y: float, s: float, _: Color) -> None:
    """A nave with a tower and its spire."""
    nave = (x - s * 0.06, y - s * 0.34, x + s * 0.46, y)
    canvas.draw.rectangle(nave, fill=canvas.shade(PLASTER))
    _roof(canvas, [(x - s * 0.08, y - s * 0.33), (x + s * 0.04, y - s * 0.54),
                   (x + s * 0.38, y - s * 0.54), (x + s * 0.5, y - s * 0.33)], TILES)  # fmt: skip
    for arch in range(3):
        _window(canvas, x + s * (0.12 + 0.12 * arch), y - s * 0.17, s * 0.02)
    canvas.draw.rectangle((x - s * 0.26, y - s * 0.62, x - s * 0.04, y), fill=canvas.shade(STONE))
    shadow = (x - s * 0.11, y - s * 0.62, x - s * 0.04, y)
    canvas.draw.rectangle(shadow, fill=canvas.shade(mix(STONE, (40, 40, 60), 0.25)))
    _roof(canvas, [(x - s * 0.29, y - s * 0.61), (x - s * 0.15, y - s * 0.98),
                   (x - s * 0.01, y - s * 0.61)], SLATE)  # fmt: skip
    _window(canvas, x - s * 0.17, y - s * 0.48, s * 0.024)
    door = (x - s * 0.2, y - s * 0.14, x - s * 0.13, y)
    canvas.draw.rectangle(door, fill=canvas.shade(WOOD))
    tip = y - s * 0.98
    canvas.line(((x - s * 0.15, tip), (x - s * 0.15, tip - s * 0.07)), canvas.shade(WOOD), s * 0.01)


def cottage(canvas: Canvas, x: float, y: float, s: float, _: Color) -> None:
    """A low cottage with a steep roof and a smoking chimney."""
    wall = canvas.shade(PLASTER, vary=0.06)
    canvas.draw.rectangle((x - s * 0.42, y - s * 0.42, x + s * 0.42, y), fill=wall)
    flue = (x + s * 0.2, y - s, x + s * 0.3, y - s * 0.6)
    canvas.draw.rectangle(flue, fill=canvas.shade(TILES))
    for step in range(5):
        at = (x + s * (0.26 + 0.05 * step), y - s * (1.06 + 0.13 * step))
        canvas.glow(*at, s * (0.09 + 0.04 * step), canvas.shade((224, 222, 220)), 0.5)
    thatch = canvas.chance.choice((TILES, (164, 130, 82)))
    _roof(canvas, [(x - s * 0.5, y - s * 0.4), (x - s * 0.3, y - s * 0.86),
                   (x + s * 0.3, y - s * 0.86), (x + s * 0.5, y - s * 0.4)], thatch)  # fmt: skip
    canvas.draw.rectangle((x - s * 0.08, y - s * 0.28, x + s * 0.07, y), fill=canvas.shade(WOOD))
    for side in (-0.25, 0.25):
        _window(canvas, x + s * side, y - s * 0.22, s * 0.055)


def house(canvas: Canvas, x: float, y: float, s: float, _: Color) -> None:
    """A tall gabled town house."""
    tones: tuple[Color, ...] = ((196, 116, 84), (224, 196, 140), (206, 164, 132), (170, 178, 180))
    wall = canvas.chance.choice(tones)
    w = s * 0.27
    canvas.draw.rectangle((x - w, y - s * 0.68, x + w, y), fill=canvas.shade(wall, vary=0.05))
    shadow = canvas.shade(mix(wall, (40, 36, 56), 0.2))
    canvas.draw.rectangle((x + w * 0.72, y - s * 0.68, x + w, y), fill=shadow)
    gable = [(x - w * 1.12, y - s * 0.67), (x, y - s), (x + w * 1.12, y - s * 0.67)]
    _roof(canvas, gable, canvas.chance.choice((TILES, SLATE)))
    for floor in range(2):
        for side in (-0.48, 0.0, 0.48):
            _window(canvas, x + w * side, y - s * (0.34 + 0.2 * floor), s * 0.032)
    _window(canvas, x, y - s * 0.78, s * 0.026)
    door = (x - w * 0.2, y - s * 0.2, x + w * 0.2, y)
    canvas.draw.rectangle(door, fill=canvas.shade(canvas.chance.choice((WOOD, (60, 84, 70)))))


def windmill(canvas: Canvas, x: float, y: float, s: float, _: Color) -> None:
    """A tapered mill with four sails."""
    body = ((x - s * 0.2, y), (x - s * 0.11, y - s * 0.58), (x + s * 0.11, y - s * 0.58),
            (x + s * 0.2, y))  # fmt: skip
    canvas.polygon(body, canvas.shade(STONE))
    side = ((x + s * 0.05, y), (x + s * 0.03, y - s * 0.58), (x + s * 0.11, y - s * 0.58),
            (x + s * 0.2, y))  # fmt: skip
    canvas.polygon(side, canvas.shade(mix(STONE, (48, 40, 56), 0.28)))
    cap = [(x - s * 0.14, y - s * 0.57), (x - s * 0.07, y - s * 0.7), (x + s * 0.07, y - s * 0.7),
           (x + s * 0.14, y - s * 0.57)]  # fmt: skip
    _roof(canvas, cap, TILES)
    canvas.draw.rectangle((x - s * 0.05, y - s * 0.15, x + s * 0.04, y), fill=canvas.shade(WOOD))
    _window(canvas, x - s * 0.02, y - s * 0.34, s * 0.026)
    turn = canvas.chance.uniform(0.2, 1.3)
    hub = (x, y - s * 0.62)
    for quarter in range(4):
        angle = turn + quarter * math.pi / 2
        c, d = math.cos(angle), math.sin(angle)
        tip = (hub[0] + c * s * 0.42, hub[1] + d * s * 0.42)
        cloth = [(hub[0] + c * s * 0.1, hub[1] + d * s * 0.1), tip,
                 (tip[0] - d * s * 0.09, tip[1] + c * s * 0.09),
                 (hub[0] + c * s * 0.1 - d * s * 0.09,
                  hub[1] + d * s * 0.1 + c * s * 0.09)]  # fmt: skip
        canvas.polygon(cloth, canvas.shade((238, 228, 204)))
        canvas.line((hub, tip), canvas.shade(WOOD), s * 0.016)
