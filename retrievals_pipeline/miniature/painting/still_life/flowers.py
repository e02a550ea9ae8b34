"""Flowers in a bunch: where they are, their leaves, three kinds of blossoms."""

import math
from collections.abc import Callable

from retrievals_pipeline.miniature.painting.canvas import Canvas, Color, Point, mix
from retrievals_pipeline.miniature.painting.relief import Lamp, dimmed


def heads_of_flowers(canvas: Canvas, x: float, y: float, s: float) -> list[Point]:
    """Return where the flowers are: spread over a dome above the vase."""
    heads = []
    for ring_at, count in ((0.13, 3), (0.26, 5), (0.4, 6)):
        for step in range(count):
            turn = math.pi * (0.1 + 0.8 * (step + canvas.chance.uniform(0.25, 0.75)) / count)
            reach = s * ring_at * canvas.chance.uniform(0.9, 1.1)
            heads.append((x + math.cos(turn) * reach * 0.95, y - s * 0.53 - math.sin(turn) * reach))
    return heads


def paint_leaf(canvas: Canvas, x: float, y: float, long: float, turn: float) -> None:
    """Paint a narrow leaf about a point."""
    tone = dimmed(canvas, mix((46, 78, 42), (118, 148, 72), canvas.chance.random()), 0.95)
    dx, dy = math.cos(turn) * long, -math.sin(turn) * long
    canvas.polygon(((x - dx, y - dy), (x - dy * 0.32, y + dx * 0.32), (x + dx, y + dy),
                    (x + dy * 0.32, y - dx * 0.32)), tone)  # fmt: skip


def _daisy(canvas: Canvas, at: Point, r: float, color: Color, lamp: Lamp) -> None:
    first = canvas.chance.uniform(0, 1)
    for tone, size, move in ((0.62, 0.44, 0.06), (1.0, 0.38, 0.0)):
        for petal in range(9):
            turn = first + petal * math.tau / 9
            x, y = at[0] + math.cos(turn) * r * 0.62, at[1] + math.sin(turn) * r * 0.56 + r * move
            light = tone * (1.04 + 0.16 * math.cos(turn) * lamp.side)
            canvas.oval(x, y, r * size, r * size * 0.84, dimmed(canvas, color, light))
    canvas.oval(*at, r * 0.3, r * 0.26, dimmed(canvas, (150, 98, 34), 1))
    canvas.oval(at[0], at[1] - r * 0.04, r * 0.22, r * 0.18, dimmed(canvas, (226, 176, 60), 1))


def _rose(canvas: Canvas, at: Point, r: float, color: Color, lamp: Lamp) -> None:
    x, y = at
    canvas.oval(x, y + r * 0.06, r * 0.98, r * 0.92, dimmed(canvas, color, 0.58))
    for size, tone in ((0.92, 0.86), (0.74, 1.02), (0.56, 0.8), (0.42, 1.1), (0.24, 0.7)):
        turn = canvas.chance.uniform(0, math.tau)
        px = x + math.cos(turn) * r * 0.08 + lamp.side * r * 0.05
        py = y + math.sin(turn) * r * 0.06 - r * 0.05
        canvas.oval(px, py, r * size, r * size * 0.86, dimmed(canvas, color, tone))
        canvas.draw.arc(
            (px - r * size, py - r * size * 0.86, px + r * size, py + r * size * 0.86),
            math.degrees(turn),
            math.degrees(turn) + 200,
            fill=dimmed(canvas, color, tone * 0.7),
            width=max(1, round(r * 0.06)),
        )


def _tulip(canvas: Canvas, at: Point, r: float, color: Color, lamp: Lamp) -> None:
    x, y = at
    for shift, tone in (
        (-0.34, 0.7),
        (0.34, 0.7),
        (-0.2 * lamp.side, 0.86),
        (0.18 * lamp.side, 1.05),
    ):
        canvas.oval(x + shift * r, y, r * 0.46, r * 0.82, dimmed(canvas, color, tone))
        canvas.polygon(
            (
                (x + shift * r - r * 0.36, y - r * 0.5),
                (x + shift * r * 1.4, y - r * 1.06),
                (x + shift * r + r * 0.36, y - r * 0.5),
            ),
            dimmed(canvas, color, tone),
        )


Blossom = Callable[[Canvas, Point, float, Color, Lamp], None]
BLOSSOMS: tuple[Blossom, ...] = (_daisy, _rose, _tulip)
