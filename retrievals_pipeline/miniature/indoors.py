"""The pictures inside: a table with things on it, and the portrait."""

import math
from collections.abc import Callable

import numpy as np

from retrievals_pipeline.miniature.canvas import INK, PIGMENTS, Canvas, Color, cloud_noise, mix

CLOTHS: tuple[Color, ...] = ((120, 78, 48), (146, 44, 40), (222, 214, 196), (52, 78, 88))


def lit_wall(canvas: Canvas, color: Color, lamp: tuple[float, float]) -> None:
    """Cover the canvas with a wall lit from the point `lamp` (shares of width and height)."""
    width, height = canvas.size[0] // 4, canvas.size[1] // 4
    x = np.linspace(0, 1, width, dtype=np.float32)[None, :] - lamp[0]
    y = np.linspace(0, 1, height, dtype=np.float32)[:, None] - lamp[1]
    light = np.exp(-(x**2 + y**2) / 0.32)
    mottle = cloud_noise(canvas.noise, (width, height), (5, 5), 4) - 0.5
    tone = (0.42 + 0.78 * light + 0.3 * mottle)[..., None]
    canvas.fill(tone.astype(np.float32) * np.asarray(canvas.shade(color), np.float32))


def paint_table(canvas: Canvas) -> None:
    """Set the things of the scene in a row on a table before a wall."""
    walls: tuple[Color, ...] = ((122, 112, 92), (92, 104, 108), (138, 104, 78), (78, 84, 72))
    lit_wall(canvas, canvas.chance.choice(walls), (canvas.chance.uniform(0.2, 0.5), 0.35))
    edge = canvas.height * canvas.chance.uniform(0.58, 0.64)
    cloth = canvas.chance.choice(CLOTHS)
    canvas.draw.rectangle((0, edge, canvas.width, canvas.height), fill=canvas.shade(cloth))
    front = canvas.height * 0.9
    canvas.dabs(
        150, (0, edge, canvas.width, front), mix(cloth, (250, 230, 190), 0.14), canvas.unit * 0.05
    )
    canvas.dabs(150, (0, edge, canvas.width, front), mix(cloth, INK, 0.2), canvas.unit * 0.05)
    canvas.draw.rectangle(
        (0, front, canvas.width, canvas.height), fill=canvas.shade(mix(cloth, INK, 0.5))
    )
    tall = [s for s in canvas.scene.subjects if s.name in TALL]
    low = [s for s in canvas.scene.subjects if s.name not in TALL]
    side = canvas.chance.choice((0.2, 0.8))
    for subject in tall:
        color = PIGMENTS.get(subject.color, PIGMENTS["brown"])
        TALL[subject.name](
            canvas, canvas.width * side, edge + canvas.height * 0.1, canvas.unit * 0.5, color
        )
    left, right = (0.04, 0.96) if not tall else (0.36, 0.97) if side < 0.5 else (0.03, 0.64)
    _fruit_row(canvas, [(s.name, s.color) for s in low for _ in range(s.count)], left, right, edge)


def _fruit_row(
    canvas: Canvas, items: list[tuple[str, str]], left: float, right: float, edge: float
) -> None:
    canvas.chance.shuffle(items)
    if not items:
        return
    slot = canvas.width * (right - left) / len(items)
    for place, (name, color) in enumerate(items):
        r = min(canvas.unit * 0.1, slot * 0.46)
        x = canvas.width * left + slot * (place + 0.5)
        y = edge + canvas.height * (0.15 + (0.045 if place % 2 else -0.045))
        canvas.glow(x + r * 0.5, y + r * 0.12, r * 1.5, canvas.shade(INK), 0.8)
        FRUIT[name](canvas, x, y, r, PIGMENTS.get(color, PIGMENTS["red"]))


def apple(canvas: Canvas, x: float, y: float, r: float, color: Color) -> None:
    """Paint an apple with its stalk and a leaf, standing on (x, y)."""
    canvas.ball(x, y - r * 0.9, r, color, 0.93)
    canvas.oval(x, y - r * 1.62, r * 0.22, r * 0.08, canvas.shade(mix(color, INK, 0.6)))
    canvas.line(
        ((x, y - r * 1.6), (x + r * 0.12, y - r * 2.1)), canvas.shade((72, 48, 30)), r * 0.1
    )
    canvas.polygon(
        ((x + r * 0.08, y - r * 1.9), (x + r * 0.4, y - r * 2.16), (x + r * 0.66, y - r * 1.94),
         (x + r * 0.34, y - r * 1.82)), canvas.shade((74, 116, 52)),
    )  # fmt: skip


def pear(canvas: Canvas, x: float, y: float, r: float, _: Color) -> None:
    """Paint a green-gold pear."""
    green: Color = (186, 178, 74)
    canvas.ball(x, y - r * 1.72, r * 0.5, green, 1.15)
    canvas.polygon(
        ((x - r * 0.44, y - r * 1.72), (x + r * 0.44, y - r * 1.72), (x + r * 0.84, y - r * 1.05),
         (x - r * 0.84, y - r * 1.05)), canvas.shade(mix(green, INK, 0.06)),
    )  # fmt: skip
    canvas.ball(x, y - r * 0.86, r * 0.92, green, 0.94)
    canvas.glow(x + r * 0.2, y - r * 1.4, r * 0.5, canvas.shade((196, 120, 60)), 0.35)
    canvas.line(
        ((x, y - r * 2.2), (x + r * 0.16, y - r * 2.66)), canvas.shade((72, 48, 30)), r * 0.1
    )


def orange(canvas: Canvas, x: float, y: float, r: float, _: Color) -> None:
    """Paint a dimpled orange."""
    canvas.ball(x, y - r * 0.9, r * 0.96, (232, 134, 36), 0.97)
    for _step in range(22):
        angle, reach = canvas.chance.uniform(0, math.tau), r * 0.85 * canvas.chance.random() ** 0.5
        at = (x + math.cos(angle) * reach, y - r * 0.9 + math.sin(angle) * reach)
        canvas.oval(*at, r * 0.025, r * 0.025, canvas.shade((196, 102, 26)))


def lemon(canvas: Canvas, x: float, y: float, r: float, _: Color) -> None:
    """Paint a lemon lying on its side."""
    yellow: Color = (240, 208, 62)
    for way in (-1, 1):
        canvas.oval(
            x + way * r * 0.88,
            y - r * 0.62,
            r * 0.2,
            r * 0.13,
            canvas.shade(mix(yellow, INK, 0.16)),
        )
    canvas.ball(x, y - r * 0.62, r * 0.92, yellow, 0.7)


def grapes(canvas: Canvas, x: float, y: float, r: float, color: Color) -> None:
    """Paint a bunch of grapes with its stalk."""
    grape = (150, 168, 74) if color == PIGMENTS["green"] else (92, 52, 110)
    for row, (count, level) in enumerate(((5, 1.5), (4, 1.1), (5, 0.72), (3, 0.36))):
        for i in range(count):
            at = x + r * 0.42 * (i - (count - 1) / 2) + r * canvas.chance.uniform(-0.05, 0.05)
            canvas.ball(at, y - r * level, r * 0.27, mix(grape, INK, 0.05 * (row % 2)))
    canvas.line(((x, y - r * 1.7), (x + r * 0.2, y - r * 2.3)), canvas.shade((86, 62, 36)), r * 0.1)


def jug(canvas: Canvas, x: float, y: float, s: float, _: Color) -> None:
    """Paint a blue and white jug with a handle."""
    _vessel(canvas, x, y, s, (206, 212, 216), ((0.1, 0.13), (0.3, 0.19), (0.55, 0.16), (0.7, 0.09),
                                               (0.84, 0.11)))  # fmt: skip
    canvas.draw.arc((x + s * 0.06, y - s * 0.74, x + s * 0.3, y - s * 0.3), -100, 110,
                    fill=canvas.shade((150, 160, 172)), width=round(s * 0.04))  # fmt: skip
    for level, half in ((0.28, 0.185), (0.5, 0.17)):
        band = (x - s * half, y - s * (level + 0.02), x + s * half, y - s * level)
        canvas.draw.rectangle(band, fill=canvas.shade((58, 92, 156)))


def bottle(canvas: Canvas, x: float, y: float, s: float, _: Color) -> None:
    """Paint a dark green wine bottle."""
    _vessel(canvas, x, y, s, (44, 70, 50), ((0.03, 0.115), (0.3, 0.12), (0.56, 0.118), (0.7, 0.05),
                                            (0.96, 0.038)))  # fmt: skip
    label = (x - s * 0.1, y - s * 0.42, x + s * 0.1, y - s * 0.2)
    canvas.draw.rectangle(label, fill=canvas.shade((226, 212, 176)))
    canvas.draw.rectangle((x - s * 0.03, y - s * 1.02, x + s * 0.03, y - s * 0.94),
                          fill=canvas.shade((168, 126, 80)))  # fmt: skip


def _vessel(
    canvas: Canvas,
    x: float,
    y: float,
    s: float,
    color: Color,
    profile: tuple[tuple[float, float], ...],
) -> None:
    canvas.glow(x + s * 0.1, y + s * 0.01, s * 0.26, canvas.shade(INK), 0.8)
    foot = profile[0][1]
    canvas.oval(
        x, y - s * profile[0][0], s * foot, s * foot * 0.3, canvas.shade(mix(color, INK, 0.4))
    )
    tones = ((1.0, 0.0, 0.42), (0.8, -0.1, 0.2), (0.56, -0.22, 0.0), (0.26, -0.34, -0.3))
    for inner, shift, dark in tones:
        tone = mix(color, INK, dark) if dark >= 0 else mix(color, (255, 252, 240), -dark)
        left = [(x + s * (shift - inner) * half, y - s * level) for level, half in profile]
        right = [(x + s * (shift + inner) * half, y - s * level) for level, half in profile]
        canvas.polygon([*left, *reversed(right)], canvas.shade(tone))
    level, half = profile[-1]
    canvas.oval(x, y - s * level, s * half, s * half * 0.26, canvas.shade(mix(color, INK, 0.5)))


def candle(canvas: Canvas, x: float, y: float, s: float, _: Color) -> None:
    """Paint a burning candle in a brass stick."""
    brass: Color = (190, 148, 70)
    _vessel(canvas, x, y, s * 0.6, brass, ((0.04, 0.24), (0.1, 0.2), (0.16, 0.06), (0.5, 0.07),
                                           (0.58, 0.12)))  # fmt: skip
    canvas.draw.rectangle((x - s * 0.04, y - s * 0.72, x + s * 0.04, y - s * 0.33),
                          fill=canvas.shade((240, 232, 208)))  # fmt: skip
    canvas.line(((x, y - s * 0.72), (x, y - s * 0.76)), INK, s * 0.012)
    canvas.glow(x, y - s * 0.82, s * 0.62, (255, 206, 110), 0.62)
    canvas.oval(x, y - s * 0.81, s * 0.032, s * 0.075, (255, 226, 130))
    canvas.oval(x, y - s * 0.795, s * 0.016, s * 0.045, (255, 250, 226))


def vase(canvas: Canvas, x: float, y: float, s: float, color: Color) -> None:
    """Paint a vase with a bunch of flowers."""
    heads = []
    for step in range(11):
        angle = math.pi * (0.06 + 0.88 * step / 10)
        reach = s * canvas.chance.uniform(0.24, 0.46)
        head = (x + math.cos(angle) * reach * 0.8, y - s * 0.56 - math.sin(angle) * reach)
        canvas.line(((x, y - s * 0.4), head), canvas.shade((66, 98, 50)), s * 0.012)
        heads.append(head)
    for _step in range(18):
        angle, reach = canvas.chance.uniform(0.1, 3.0), s * canvas.chance.uniform(0.1, 0.3)
        at = (x + math.cos(angle) * reach, y - s * 0.52 - math.sin(angle) * reach)
        canvas.oval(*at, s * 0.05, s * 0.022, canvas.shade((74, 112, 58), vary=0.2))
    for head in heads:
        r = s * canvas.chance.uniform(0.045, 0.065)
        for petal in range(6):
            turn = petal * math.tau / 6
            at = (head[0] + math.cos(turn) * r * 0.8, head[1] + math.sin(turn) * r * 0.8)
            canvas.oval(*at, r * 0.62, r * 0.62, canvas.shade(color, vary=0.12))
        canvas.oval(*head, r * 0.4, r * 0.4, canvas.shade((226, 178, 60)))
    _vessel(canvas, x, y, s * 0.62, (84, 120, 138), ((0.04, 0.12), (0.26, 0.22), (0.5, 0.18),
                                                     (0.72, 0.1), (0.84, 0.13)))  # fmt: skip


def book(canvas: Canvas, x: float, y: float, s: float, color: Color) -> None:
    """Paint a closed book lying flat."""
    w, h = s * 0.27, s * 0.1
    canvas.glow(x + w * 0.2, y, w * 1.3, canvas.shade(INK), 0.7)
    canvas.draw.rectangle((x - w, y - h, x + w, y), fill=canvas.shade((230, 216, 184)))
    for leaf in range(4):
        level = y - h * (0.25 + 0.17 * leaf)
        canvas.line(((x - w, level), (x + w, level)), canvas.shade((190, 172, 138)), 1)
    top = ((x - w, y - h), (x - w * 0.8, y - h * 2), (x + w * 1.12, y - h * 2), (x + w, y - h))
    canvas.polygon(top, canvas.shade(color))
    canvas.line(((x - w * 1.02, y), (x + w, y)), canvas.shade(mix(color, INK, 0.3)), h * 0.18)
    spine = (x - w * 1.06, y - h * 1.06, x - w * 0.94, y)
    canvas.draw.rectangle(spine, fill=canvas.shade(mix(color, INK, 0.3)))


Still = Callable[[Canvas, float, float, float, Color], None]
FRUIT: dict[str, Still] = {
    "apple": apple,
    "pear": pear,
    "orange": orange,
    "lemon": lemon,
    "bunch of grapes": grapes,
}
TALL: dict[str, Still] = {
    "jug": jug,
    "bottle": bottle,
    "candle": candle,
    "vase": vase,
    "book": book,
}
