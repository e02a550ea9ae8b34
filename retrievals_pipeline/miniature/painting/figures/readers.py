"""Readers: a sitter over an open book, by a candle or a tall window."""

from dataclasses import replace

from retrievals_pipeline.miniature.painting.candles import darken, paint_candle, paint_flame
from retrievals_pipeline.miniature.painting.canvas import INK, Canvas, Color, mix
from retrievals_pipeline.miniature.painting.figures.faces import EXPRESSIONS
from retrievals_pipeline.miniature.painting.figures.heads import BUILDS
from retrievals_pipeline.miniature.painting.figures.open_books import (
    paint_held_book,
    paint_lying_book,
)
from retrievals_pipeline.miniature.painting.figures.portraits import level_of, paint_sitter, pose
from retrievals_pipeline.miniature.painting.relief import Lamp, dimmed, ring, soft
from retrievals_pipeline.miniature.painting.rooms import lamp_of, paint_background, paint_window

WOODS: tuple[Color, ...] = ((108, 74, 48), (92, 62, 44), (126, 90, 60))


def paint_reader(canvas: Canvas) -> None:
    """Paint the reader at half length, the book and the light."""
    scene, chance = canvas.scene, canvas.chance
    reader, _, book, light = scene.subjects
    side = chance.choice((-1, 1))
    lamp = lamp_of(scene.mood, side, candlelit=scene.candlelit)
    paint_background(canvas, lamp, level_of(scene), daylight=light.name == "window")
    if light.name == "window":
        canvas.mark(light, paint_window(canvas, side))
    small = BUILDS[reader.name].small
    head = pose(canvas, (0.5 - 0.08 * side, 0.36 if small else 0.31), 0.138, side)
    head = replace(head, pitch=0.62, roll=head.roll * 0.8)
    face = replace(EXPRESSIONS[scene.mood], open=0.22, look=0.05)
    table = canvas.height * 0.82
    paint_sitter(canvas, head, lamp, face, low=table)
    _table(canvas, table, lamp)
    held = chance.random() < 0.45
    canvas.mark(book, (paint_held_book if held else paint_lying_book)(canvas, head, table, lamp))
    if light.name == "candle":
        high = canvas.unit * 0.4
        x, y = canvas.width * (0.5 + side * 0.37), table + canvas.height * 0.09
        flame = paint_candle(canvas, x, y, high)
        darken(canvas, flame, canvas.unit * 0.78)
        paint_flame(canvas, flame, high)
        canvas.mark(light, (x - high * 0.17, flame[1] - high * 0.1, x + high * 0.17, y))


def _table(canvas: Canvas, top: float, lamp: Lamp) -> None:
    w, h = canvas.width, canvas.height
    wood = canvas.chance.choice(WOODS)
    canvas.draw.rectangle((0, top, w, h), fill=dimmed(canvas, wood, 0.86))
    for step in range(16):
        y = top + (h - top) * (step + canvas.chance.random()) / 16
        x = w * canvas.chance.uniform(-0.2, 0.7)
        tone = dimmed(canvas, wood, canvas.chance.uniform(0.7, 1.02))
        canvas.line(
            ((x, y), (x + w * canvas.chance.uniform(0.2, 0.6), y)), tone, canvas.unit * 0.004
        )
    canvas.line(((0, top), (w, top)), dimmed(canvas, mix(wood, (255, 230, 190), 0.3), 1),
                canvas.unit * 0.006)  # fmt: skip
    soft(
        canvas,
        ring(w / 2 - lamp.side * w * 0.1, top + (h - top) * 0.3, w * 0.42, (h - top) * 0.34),
        dimmed(canvas, INK, 0.8),
        0.5,
        canvas.unit * 0.04,
    )
