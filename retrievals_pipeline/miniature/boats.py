"""How what floats is painted, and the lighthouse: standing on (x, y), `s` high, in its colour."""

from retrievals_pipeline.miniature.buildings import window
from retrievals_pipeline.miniature.canvas import (
    PIGMENTS,
    PLASTER,
    SKIN,
    SLATE,
    STONE,
    WOOD,
    Canvas,
    Color,
    mix,
)


def sailing_boat(canvas: Canvas, x: float, y: float, s: float, color: Color) -> None:
    """Paint a hull with a mast, a main sail and a jib."""
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


def rowing_boat(canvas: Canvas, x: float, y: float, s: float, _: Color) -> None:
    """Paint a low open boat with one rower and two oars."""
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
    """Paint a dark hull with a white deck, a red funnel and its smoke."""
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
        window(canvas, x - w * 0.42 + port * w * 0.2, y - s * 0.31, s * 0.022)
    funnel = (x + s * 0.02, y - s * 0.8, x + s * 0.17, y - s * 0.4)
    canvas.draw.rectangle(funnel, fill=canvas.shade(PIGMENTS["red"]))
    canvas.draw.rectangle((*funnel[:2], funnel[2], y - s * 0.72), fill=canvas.shade((40, 38, 40)))
    _hull(canvas, x, y, w, s * 0.22, (66, 58, 60))


def lighthouse(canvas: Canvas, x: float, y: float, s: float, _: Color) -> None:
    """Paint a banded tower on a rock."""
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
