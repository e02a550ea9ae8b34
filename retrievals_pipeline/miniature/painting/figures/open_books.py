"""Open books, lying on a table or held upright, and the hands that hold them."""

import math

from retrievals_pipeline.miniature.painting.canvas import (
    INK,
    PIGMENTS,
    Box,
    Canvas,
    Color,
    Point,
    mix,
)
from retrievals_pipeline.miniature.painting.figures.dress import shoulders
from retrievals_pipeline.miniature.painting.figures.heads import Head
from retrievals_pipeline.miniature.painting.relief import Lamp, dimmed, ring, soft

PAPER: Color = (246, 240, 224)


def paint_lying_book(canvas: Canvas, head: Head, table: float, lamp: Lamp) -> Box:
    """Lay the open book on the table, leaning towards the reader; hands hold its sides."""
    x, y = head.x, table + canvas.unit * 0.02
    half, high = canvas.unit * 0.3, canvas.unit * 0.135
    color = PIGMENTS[canvas.scene.subjects[2].color]
    _sleeves(
        canvas, head, (x - half * 0.92, y - high * 0.1), (x + half * 0.92, y - high * 0.1), lamp
    )
    soft(canvas, ring(x, y + high * 0.95, half * 1.15, high * 0.3), dimmed(canvas, INK, 0.6), 0.7,
         canvas.unit * 0.02)  # fmt: skip
    for side in (-1, 1):
        light = 1.0 if side == lamp.side else 0.84
        cover = [(x, y - high * 0.98), (x + side * half * 1.0, y - high * 1.16),
                 (x + side * half * 1.16, y + high * 0.98), (x, y + high * 1.14)]  # fmt: skip
        canvas.polygon(cover, dimmed(canvas, color, light))
        lip = [
            (x + side * half * 1.16, y + high * 0.98),
            (x, y + high * 1.14),
            (x, y + high * 1.26),
            (x + side * half * 1.16, y + high * 1.1),
        ]
        canvas.polygon(lip, dimmed(canvas, color, light * 0.66))
        for lift, tone in ((0.0, 0.78), (0.06, 0.9), (0.12, 1.0)):
            canvas.polygon(_page(x, y, half, high, side, lift), dimmed(canvas, PAPER, tone * light))
        _text(canvas, x, y, half, high, side)
    canvas.line(((x, y - high * 0.98), (x, y + high * 0.9)), dimmed(canvas, (120, 104, 84), 1),
                canvas.unit * 0.008)  # fmt: skip
    for side in (-1, 1):
        _hand(
            canvas, (x + side * half * 1.06, y + high * 0.1), canvas.unit * 0.06, -side, head, lamp
        )
    return x - half * 1.16, y - high * 1.25, x + half * 1.16, y + high * 1.26


def _page(x: float, y: float, half: float, high: float, side: int, lift: float) -> list[Point]:
    """Return the outline of a page that swells beside the spine."""
    steps = [step / 10 for step in range(11)]
    swell = [0.2 * math.sin(min(1.0, t * 1.15) * math.pi) for t in steps]
    top = [(x + side * half * 0.94 * t, y - high * (0.92 + 0.12 * t + s + lift))
           for t, s in zip(steps, swell, strict=True)]  # fmt: skip
    low = [(x + side * half * 1.08 * t, y + high * (0.98 - 0.12 * t - s - lift))
           for t, s in zip(steps, swell, strict=True)]  # fmt: skip
    return [*top, *reversed(low)]


def _text(canvas: Canvas, x: float, y: float, half: float, high: float, side: int) -> None:
    ink = dimmed(canvas, (128, 116, 104), 1)
    for row in range(8):
        share = 0.14 + 0.1 * row
        line = []
        for t in (0.12, 0.3, 0.5, 0.7, 0.86):
            swell = 0.2 * math.sin(min(1.0, t * 1.15) * math.pi) + 0.12
            top, low = -(0.92 + 0.12 * t + swell), 0.98 - 0.12 * t - swell
            line.append(
                (
                    x + side * half * (0.94 + 0.14 * share) * t,
                    y + high * (top + (low - top) * share),
                )
            )
        canvas.line(line[: 5 if row % 4 < 3 else 4], ink, high * 0.035)


def paint_held_book(canvas: Canvas, head: Head, table: float, lamp: Lamp) -> Box:
    """Hold the open book upright: we see its two boards and, above them, the pages."""
    x, y = head.x + head.yaw * head.r * 0.3, table - canvas.unit * 0.06
    half, high = canvas.unit * 0.25, canvas.unit * 0.16
    color = PIGMENTS[canvas.scene.subjects[2].color]
    _sleeves(canvas, head, (x - half * 0.9, y + high * 0.7), (x + half * 0.9, y + high * 0.7), lamp)
    for side in (-1, 1):
        light = 1.02 if side == lamp.side else 0.74
        pages = [
            (x, y - high * 0.92),
            (x + side * half * 0.5, y - high * 1.36),
            (x + side * half * 0.98, y - high * 1.3),
            (x + side * half * 0.96, y),
            (x, y),
        ]
        canvas.polygon(pages, dimmed(canvas, PAPER, light))
        for leaf in range(4):
            shift = 0.06 * leaf
            canvas.line(
                (
                    (x, y - high * 0.9),
                    (x + side * half * (0.5 + shift), y - high * (1.3 - shift)),
                    (x + side * half * 0.96, y - high * (1.26 - shift)),
                ),
                dimmed(canvas, (176, 162, 136), light),
                high * 0.02,
            )
        board = [
            (x + side * half * 0.07, y - high * 0.86),
            (x + side * half * 1.04, y - high * 1.16),
            (x + side * half * 1.04, y + high * 0.86),
            (x + side * half * 0.07, y + high * 1.1),
        ]
        canvas.polygon(board, dimmed(canvas, color, light))
        middle = (x + side * half * 0.55, y - high * 0.02)
        frame = [
            (middle[0] + (px - middle[0]) * 0.84, middle[1] + (py - middle[1]) * 0.84)
            for px, py in board
        ]
        canvas.line([*frame, frame[0]], dimmed(canvas, (206, 166, 84), light), high * 0.03)
    spine = [(x - half * 0.08, y - high * 0.86), (x + half * 0.08, y - high * 0.86),
             (x + half * 0.08, y + high * 1.1), (x - half * 0.08, y + high * 1.1)]  # fmt: skip
    canvas.polygon(spine, dimmed(canvas, mix(color, INK, 0.3), 0.9))
    for side in (-1, 1):
        _hand(
            canvas,
            (x + side * half * 0.96, y + high * 0.62),
            canvas.unit * 0.062,
            -side,
            head,
            lamp,
        )
    return x - half * 1.06, y - high * 1.38, x + half * 1.06, y + high * 1.12


def _sleeves(canvas: Canvas, head: Head, left: Point, right: Point, lamp: Lamp) -> None:
    """Paint the forearms that reach for the book."""
    color = PIGMENTS[canvas.scene.subjects[1].color]
    reach = shoulders(head) * head.r
    for side, hand in ((-1, left), (1, right)):
        elbow = (head.x + side * reach * 0.84, head.y + head.r * 3.7)
        dx, dy = hand[0] - elbow[0], hand[1] - elbow[1]
        length = max(1.0, math.hypot(dx, dy))
        nx, ny = -dy / length * head.r * 0.46, dx / length * head.r * 0.46
        shape = [
            (elbow[0] + nx, elbow[1] + ny),
            (hand[0] + nx * 0.6, hand[1] + ny * 0.6),
            (hand[0] - nx * 0.6, hand[1] - ny * 0.6),
            (elbow[0] - nx, elbow[1] - ny),
        ]
        light = 0.98 if side == lamp.side else 0.8
        tone = dimmed(canvas, color, light)
        canvas.polygon(
            [(x, y + head.r * 0.07) for x, y in shape], dimmed(canvas, color, light * 0.6)
        )
        canvas.polygon(shape, tone)
        canvas.oval(*elbow, head.r * 0.46, head.r * 0.46, tone)
        cuff = ring(*hand, head.r * 0.28, head.r * 0.26, 14)
        canvas.polygon(cuff, dimmed(canvas, (238, 232, 218), light))


def _hand(canvas: Canvas, at: Point, size: float, way: int, head: Head, lamp: Lamp) -> None:
    """Paint a hand whose fingers point `way` (1 is right)."""
    x, y = at
    light = 1.0 if way == -lamp.side else 0.72
    skin = dimmed(canvas, head.skin, light)
    dark = dimmed(canvas, mix(head.skin, (90, 40, 34), 0.6), light)
    canvas.oval(x, y, size * 0.66, size * 0.74, dark)
    canvas.oval(x, y - size * 0.04, size * 0.62, size * 0.68, skin)
    for finger in range(4):
        level = y + size * (-0.48 + 0.32 * finger)
        tip = (x + way * size * (0.92 - 0.12 * abs(finger - 1)), level + size * 0.04)
        canvas.line(((x, level), tip), dark, size * 0.34)
        canvas.oval(*tip, size * 0.17, size * 0.17, dark)
        canvas.line(((x, level - size * 0.02), tip), skin, size * 0.27)
        canvas.oval(tip[0], tip[1] - size * 0.01, size * 0.14, size * 0.14, skin)
