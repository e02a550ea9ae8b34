"""The close-up: birds on a great branch, which blossoms, bears leaves, is bare or snowy."""

import math
from collections.abc import Callable

from retrievals_pipeline.miniature.painting.canvas import (
    FOLIAGE,
    PIGMENTS,
    SNOW,
    Canvas,
    Color,
    Point,
    mix,
)
from retrievals_pipeline.miniature.painting.outdoors.pose import Pose
from retrievals_pipeline.miniature.scenes import Subject

BARK: Color = (84, 64, 54)
DARK: Color = (30, 26, 32)
SIZES = (0.44, 0.36, 0.29, 0.25)  # how high a bird is of the unit, by how many there are
WIDE = 1.25  # a bird, in heights


def perch(canvas: Canvas, subject: Subject) -> None:
    """Paint the branch and as many birds on it as there are, each with its own room."""
    chance = canvas.chance
    base, slope = chance.uniform(0.66, 0.74), chance.choice((-1, 1)) * chance.uniform(0.05, 0.12)
    bend, turn = chance.uniform(0.015, 0.035), chance.uniform(0, math.tau)

    def level(x: float) -> float:
        return canvas.height * (base + slope * (x - 0.5) + bend * math.sin(5 * x + turn))

    size = SIZES[subject.count - 1] * (0.62 if canvas.scene.mood == "lonely" else 1.0)
    room = 0.92 / subject.count
    spots = [0.04 + room * (place + 0.5) for place in range(subject.count)]
    if subject.count == 1:
        spots = [chance.uniform(0.3, 0.7)]
    _branch(canvas, level, spots)
    for spot in spots:
        s = min(canvas.unit * size * chance.uniform(0.92, 1.0), canvas.width * room / WIDE * 0.94)
        x, y = spot * canvas.width, level(spot)
        _bird(canvas, x, y, s, subject.color)
        canvas.mark(subject, (x - s * 0.62, y - s, x + s * 0.62, y + s * 0.1))


def _branch(canvas: Canvas, level: Callable[[float], float], spots: list[float]) -> None:
    chance, unit = canvas.chance, canvas.unit
    xs = [step / 24 * 1.1 - 0.05 for step in range(25)]
    way = chance.choice((-1, 1))
    thick = [unit * (0.042 - 0.026 * way * (x - 0.5)) * chance.uniform(0.86, 1.14) for x in xs]
    upper = [(x * canvas.width, level(x)) for x in xs]
    lower = [(x * canvas.width, level(x) + t) for x, t in zip(xs, thick, strict=True)]
    for _ in range(9):
        x = chance.uniform(0.02, 0.98)
        up = chance.random() < 0.5 and min(abs(x - spot) for spot in spots) > 0.14
        _twig(canvas, (x * canvas.width, level(x) + unit * 0.012), -1 if up else 1)
    canvas.polygon([*upper, *reversed(lower)], canvas.shade(BARK))
    shade = [(px, py + t * 0.62) for (px, py), t in zip(upper, thick, strict=True)]
    canvas.polygon([*shade, *reversed(lower)], canvas.shade(mix(BARK, DARK, 0.55)))
    for _ in range(30):
        x = chance.random()
        at = (x * canvas.width, level(x) + unit * chance.uniform(0.006, 0.026))
        tip = (at[0] + unit * 0.03, level(x + 0.02) + at[1] - level(x))
        canvas.line(
            (at, tip), canvas.shade(mix(BARK, (220, 190, 160), 0.3), vary=0.1), unit * 0.003
        )
    if canvas.scene.season == "winter":
        drift = [(px, py - unit * 0.012 * chance.uniform(0.5, 1.5)) for px, py in upper]
        canvas.polygon([*drift, *[(px, py + unit * 0.01) for px, py in reversed(upper)]],
                       canvas.shade(SNOW))  # fmt: skip


def _twig(canvas: Canvas, start: Point, way: int) -> None:
    """Paint a twig up or down from the branch, with what grows on it."""
    chance, unit = canvas.chance, canvas.unit
    angle = chance.uniform(0.5, math.pi - 0.5)
    points = [start]
    for _ in range(4):
        angle += chance.uniform(-0.35, 0.35)
        reach = unit * chance.uniform(0.04, 0.065)
        x, y = points[-1]
        points.append((x + math.cos(angle) * reach, y + way * math.sin(angle) * reach))
    for part in range(4):
        canvas.line(points[part : part + 2], canvas.shade(BARK), unit * (0.013 - 0.0026 * part))
    for x, y in points[1:]:
        for _ in range(3):
            near = (
                x + unit * chance.uniform(-0.035, 0.035),
                y + unit * chance.uniform(-0.03, 0.03),
            )
            GROWTH[canvas.scene.season](canvas, near)


def _blossom(canvas: Canvas, at: Point) -> None:
    r = canvas.unit * canvas.chance.uniform(0.011, 0.017)
    petal = canvas.shade((252, 214, 224), vary=0.06)
    turn = canvas.chance.uniform(0, math.tau)
    for part in range(5):
        a = turn + part * math.tau / 5
        canvas.oval(at[0] + math.cos(a) * r, at[1] + math.sin(a) * r, r * 0.78, r * 0.78, petal)
    canvas.oval(*at, r * 0.45, r * 0.45, canvas.shade((214, 92, 122)))


def _leaf(canvas: Canvas, at: Point) -> None:
    chance = canvas.chance
    length, turn = canvas.unit * chance.uniform(0.034, 0.052), chance.uniform(0.1, math.pi - 0.1)
    c, d = math.cos(turn) * length, math.sin(turn) * length
    tone = mix(FOLIAGE[canvas.scene.season], (236, 196, 80), chance.uniform(0, 0.35))
    tip, side = (at[0] + c, at[1] + d), (-d * 0.28, c * 0.28)
    middle = (at[0] + c * 0.5, at[1] + d * 0.5)
    for sign, color in ((1, tone), (-1, mix(tone, DARK, 0.25))):
        edge = (middle[0] + sign * side[0], middle[1] + sign * side[1])
        canvas.polygon((at, edge, tip), canvas.shade(color))


def _frost(canvas: Canvas, at: Point) -> None:
    r = canvas.unit * canvas.chance.uniform(0.004, 0.009)
    canvas.oval(*at, r * 1.5, r, canvas.shade(SNOW))


def _bird(canvas: Canvas, x: float, y: float, s: float, name: str) -> None:
    """Paint a songbird: round breast, folded wing, tail, beak and a bright eye."""
    color = PIGMENTS[name]
    pose = Pose(canvas, x, y, s, canvas.chance.choice((-1, 1)))
    shade = canvas.shade
    own, dark = shade(color), shade(mix(color, DARK, 0.45))
    light = shade(mix(color, (255, 248, 232), 0.42))
    pose.polygon(((-0.2, 0.34), (-0.6, -0.06), (-0.5, -0.1), (-0.1, 0.2)), dark)
    pose.polygon(
        ((-0.2, 0.3), (-0.5, -0.1), (-0.44, -0.1), (-0.08, 0.18)), shade(mix(color, DARK, 0.65))
    )
    for foot in (0.0, 0.12):
        pose.line(((foot, 0.2), (foot + 0.02, 0.02)), shade((96, 70, 52)), 0.03)
        pose.line(((foot - 0.05, 0.0), (foot + 0.08, 0.0)), shade((96, 70, 52)), 0.03)
    body = ((-0.36, 0.32), (-0.24, 0.52), (0.0, 0.7), (0.2, 0.74), (0.34, 0.6), (0.36, 0.42),
            (0.26, 0.22), (0.06, 0.12), (-0.16, 0.16))  # fmt: skip
    pose.polygon(body, own)
    pose.oval(0.08, 0.42, 0.29, 0.29, own)
    pose.oval(0.2, 0.36, 0.17, 0.2, light)
    pose.oval(0.22, 0.78, 0.21, 0.2, own)
    wing = ((0.06, 0.6), (-0.16, 0.56), (-0.52, 0.14), (-0.2, 0.22), (0.06, 0.34))
    pose.polygon(wing, dark)
    for feather in range(3):
        start = (-0.02 - 0.06 * feather, 0.5 - 0.07 * feather)
        pose.line((start, (-0.36 - 0.04 * feather, 0.2 - 0.02 * feather)), own, 0.022)
    pose.polygon(((0.4, 0.84), (0.62, 0.76), (0.4, 0.72)), shade((226, 160, 52)))
    pose.polygon(((0.4, 0.77), (0.62, 0.76), (0.4, 0.72)), shade((150, 98, 36)))
    pose.oval(0.29, 0.82, 0.042, 0.042, shade((248, 244, 232)))
    pose.oval(0.295, 0.82, 0.03, 0.03, shade((20, 18, 20)))


GROWTH: dict[str, Callable[[Canvas, Point], None]] = {
    "spring": _blossom,
    "summer": _leaf,
    "autumn": _leaf,
    "winter": _frost,
}
