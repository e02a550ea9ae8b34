"""How buildings are painted: standing on (x, y), `s` high; snow lies on them in winter."""

import math
from collections.abc import Sequence

from retrievals_pipeline.miniature.painting.canvas import (
    PLASTER,
    SLATE,
    SNOW,
    STONE,
    TILES,
    WOOD,
    Canvas,
    Color,
    Point,
    mix,
)
from retrievals_pipeline.miniature.painting.outdoors.pose import Pose

DUSK: Color = (44, 38, 58)  # what walls in shade turn to
WALLS: tuple[Color, ...] = ((198, 112, 80), (226, 196, 136), (208, 162, 128), (168, 180, 184),
                            (232, 222, 200))  # fmt: skip


def church(canvas: Canvas, x: float, y: float, s: float, _: Color) -> None:
    """Paint a nave with arched windows, and a tower with its pointed spire and cross."""
    pose = Pose(canvas, x, y, s, canvas.chance.choice((-1, 1)))
    _block(pose, (-0.02, 0.4), 0.34, PLASTER, 0.0)
    _roof(pose, ((-0.06, 0.32), (0.04, 0.53), (0.34, 0.53), (0.44, 0.32)), TILES)
    for arch in range(3):
        _arched(pose, 0.08 + 0.12 * arch, 0.18, 0.024)
    _block(pose, (-0.28, -0.02), 0.64, STONE, 0.36)
    for course in (0.24, 0.44, 0.62):
        pose.line(((-0.29, course), (-0.01, course)), canvas.shade(mix(STONE, DUSK, 0.3)), 0.014)
    _arched(pose, -0.17, 0.53, 0.032)
    pose.polygon(((-0.21, 0), (-0.21, 0.14), (-0.165, 0.19), (-0.12, 0.14), (-0.12, 0)),
                 canvas.shade(WOOD))  # fmt: skip
    _roof(pose, ((-0.31, 0.63), (-0.15, 0.96), (0.01, 0.63)), SLATE)
    pose.polygon(((-0.15, 0.96), (0.01, 0.63), (-0.1, 0.63)), canvas.shade(mix(SLATE, DUSK, 0.6)))
    gold = canvas.shade((214, 180, 92))
    pose.line(((-0.15, 0.95), (-0.15, 1.0)), gold, 0.014)
    pose.line(((-0.175, 0.985), (-0.125, 0.985)), gold, 0.012)


def cottage(canvas: Canvas, x: float, y: float, s: float, _: Color) -> None:
    """Paint a low cottage with a steep roof and a smoking chimney."""
    pose = Pose(canvas, x, y, s, canvas.chance.choice((-1, 1)))
    wall = mix(PLASTER, (214, 186, 150), canvas.chance.random() * 0.6)
    _block(pose, (-0.42, 0.42), 0.42, wall, 0.28)
    pose.polygon(((0.2, 0.7), (0.2, 0.96), (0.3, 0.96), (0.3, 0.7)), canvas.shade(TILES))
    pose.polygon(((0.26, 0.7), (0.26, 0.96), (0.3, 0.96), (0.3, 0.7)),
                 canvas.shade(mix(TILES, DUSK, 0.45)))  # fmt: skip
    for step in range(5):
        smoke = mix(canvas.shade((226, 224, 222)), canvas.tint(canvas.light.low), 0.3)
        pose.glow(0.26 + 0.05 * step, 1.02 + 0.11 * step, 0.08 + 0.035 * step, smoke, 0.4)
    thatch = canvas.chance.choice((TILES, (166, 128, 76)))
    _roof(pose, ((-0.5, 0.39), (-0.34, 0.84), (0.3, 0.84), (0.5, 0.39)), thatch)
    pose.polygon(((-0.09, 0), (-0.09, 0.29), (0.08, 0.29), (0.08, 0)), canvas.shade(WOOD))
    shutter = canvas.shade(canvas.chance.choice(((70, 108, 84), (92, 112, 148), (150, 76, 58))))
    for side in (-0.26, 0.25):
        for edge in (-0.085, 0.085):
            pose.line(((side + edge, 0.15), (side + edge, 0.3)), shutter, 0.028)
        window(canvas, *pose.at(side, 0.22), s * 0.05)


def house(canvas: Canvas, x: float, y: float, s: float, _: Color) -> None:
    """Paint a tall gabled town house, three rows of windows high."""
    pose = Pose(canvas, x, y, s, canvas.chance.choice((-1, 1)))
    wall = canvas.chance.choice(WALLS)
    _block(pose, (-0.27, 0.27), 0.68, wall, 0.24)
    roof = canvas.chance.choice((TILES, TILES, SLATE))
    _roof(pose, ((-0.31, 0.66), (0.0, 1.0), (0.31, 0.66)), roof)
    if canvas.chance.random() < 0.5:
        pose.polygon(((-0.2, 0.67), (0.0, 0.9), (0.2, 0.67)), canvas.shade(wall))
        timber = canvas.shade(mix(WOOD, DUSK, 0.4))
        for beam in (0.28, 0.47, 0.67):
            pose.line(((-0.27, beam), (0.27, beam)), timber, 0.016)
        pose.line(((-0.2, 0.67), (0.0, 0.9), (0.2, 0.67)), timber, 0.016)
    for floor in range(2):
        for side in (-0.15, 0.0, 0.15):
            window(canvas, *pose.at(side, 0.37 + 0.2 * floor), s * 0.034)
    window(canvas, *pose.at(0, 0.75), s * 0.028)
    door = canvas.chance.choice((WOOD, (60, 84, 70), (96, 44, 44)))
    pose.polygon(((-0.06, 0), (-0.06, 0.18), (0, 0.215), (0.06, 0.18), (0.06, 0)),
                 canvas.shade(door))  # fmt: skip
    for side in (-0.17, 0.17):
        window(canvas, *pose.at(side, 0.13), s * 0.036)


def windmill(canvas: Canvas, x: float, y: float, s: float, _: Color) -> None:
    """Paint a tapered mill with a cap and four great sails."""
    pose = Pose(canvas, x, y, s)
    pose.polygon(((-0.19, 0), (-0.1, 0.56), (0.1, 0.56), (0.19, 0)), canvas.shade(STONE))
    pose.polygon(((-0.19, 0), (-0.1, 0.56), (-0.05, 0.56), (-0.09, 0)),
                 canvas.shade(mix(STONE, (255, 250, 230), 0.5)))  # fmt: skip
    pose.polygon(((0.05, 0), (0.03, 0.56), (0.1, 0.56), (0.19, 0)),
                 canvas.shade(mix(STONE, DUSK, 0.4)))  # fmt: skip
    pose.line(((-0.2, 0.24), (0.2, 0.24)), canvas.shade(WOOD), 0.022)
    _roof(pose, ((-0.13, 0.55), (-0.08, 0.67), (0.0, 0.71), (0.08, 0.67), (0.13, 0.55)), TILES)
    pose.polygon(((-0.05, 0), (-0.05, 0.15), (0.04, 0.15), (0.04, 0)), canvas.shade(WOOD))
    window(canvas, *pose.at(-0.02, 0.4), s * 0.026)
    turn = canvas.chance.uniform(0.25, 1.3)
    for quarter in range(4):
        _sail(pose, turn + quarter * math.pi / 2)
    pose.oval(0, 0.61, 0.024, 0.024, canvas.shade(mix(WOOD, DUSK, 0.5)))


def _sail(pose: Pose, angle: float) -> None:
    c, d = math.cos(angle), math.sin(angle)

    def at(out: float, aside: float) -> Point:
        return c * out - d * aside, 0.61 + d * out + c * aside

    cloth = pose.canvas.shade((240, 230, 206))
    beam = pose.canvas.shade(mix(WOOD, DUSK, 0.4))
    pose.polygon((at(0.09, 0.0), at(0.4, 0.0), at(0.4, 0.095), at(0.09, 0.095)), cloth)
    for rung in (0.09, 0.19, 0.3, 0.4):
        pose.line((at(rung, 0.0), at(rung, 0.095)), beam, 0.008)
    pose.line((at(0.0, 0.0), at(0.41, 0.0)), beam, 0.018)


def window(canvas: Canvas, x: float, y: float, r: float) -> None:
    """Paint a pane of half width `r`, lit in the evening."""
    lit = canvas.scene.time_of_day in ("night", "dusk")
    color = (250, 206, 104) if lit else canvas.shade((70, 78, 92))
    frame = canvas.shade(mix(PLASTER, WOOD, 0.2))
    canvas.draw.rectangle((x - r * 1.25, y - r * 1.55, x + r * 1.25, y + r * 1.55), fill=frame)
    canvas.draw.rectangle((x - r, y - r * 1.3, x + r, y + r * 1.3), fill=color)
    canvas.line(((x, y - r * 1.3), (x, y + r * 1.3)), frame, r * 0.3)
    if lit:
        canvas.glow(x, y, r * 4, (250, 196, 96), 0.35)


def _arched(pose: Pose, dx: float, dy: float, r: float) -> None:
    lit = pose.canvas.scene.time_of_day in ("night", "dusk")
    color = (250, 206, 104) if lit else pose.canvas.shade((62, 70, 88))
    pose.polygon(((dx - r, dy - r * 1.6), (dx - r, dy + r), (dx, dy + r * 2.2), (dx + r, dy + r),
                  (dx + r, dy - r * 1.6)), color)  # fmt: skip
    if lit:
        pose.glow(dx, dy, r * 4, (250, 196, 96), 0.35)


def _block(pose: Pose, ends: tuple[float, float], high: float, wall: Color, shaded: float) -> None:
    """Paint a wall between `ends`; the share `shaded` of it, at the back, turns from the light."""
    left, right = ends
    edge = right - (right - left) * shaded
    canvas = pose.canvas
    pose.polygon(((left, 0), (left, high), (right, high), (right, 0)), canvas.shade(wall))
    if shaded:
        dark = canvas.shade(mix(wall, DUSK, 0.34))
        pose.polygon(((edge, 0), (edge, high), (right, high), (right, 0)), dark)
    pose.line(
        ((left, high - 0.012), (right, high - 0.012)), canvas.shade(mix(wall, DUSK, 0.5)), 0.03
    )
    pose.line(((left, 0.01), (right, 0.01)), canvas.shade(mix(wall, DUSK, 0.4)), 0.025)


def _roof(pose: Pose, outline: Sequence[Point], color: Color) -> None:
    """Paint a roof, its rows of tiles, and in winter the snow on it with a dark eave."""
    canvas = pose.canvas
    left, right = outline[0], outline[-1]
    top = max(dy for _, dy in outline)
    pose.polygon(outline, canvas.shade(color, vary=0.05))
    if canvas.scene.season == "winter":
        rise = 0.13 * (top - left[1])
        snow = [(dx * 0.97 + 0.03 * outline[1][0], max(dy, left[1] + rise)) for dx, dy in outline]
        pose.polygon(snow, canvas.shade(SNOW))
        shade = mix(SNOW, (112, 132, 186), 0.4)
        low = [(dx, dy if dy < top else left[1] + rise * 2.4) for dx, dy in snow]
        pose.polygon(low, canvas.shade(shade))
        return
    for row in (0.25, 0.5, 0.75):
        dy = left[1] + (top - left[1]) * row
        start = left[0] + (outline[1][0] - left[0]) * row
        end = right[0] + (outline[-2][0] - right[0]) * row
        pose.line(((start, dy), (end, dy)), canvas.shade(mix(color, DUSK, 0.28)), 0.012)
    pose.line((left, right), canvas.shade(mix(color, DUSK, 0.55)), 0.022)
