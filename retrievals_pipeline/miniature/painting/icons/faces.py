"""The heads of saints, as icons have them: dark skin, long nose, large eyes."""

import math

from retrievals_pipeline.miniature.painting.canvas import Canvas, Color, Point, mix
from retrievals_pipeline.miniature.painting.relief import ring, soft

OCHRE: Color = (150, 96, 54)
FLESH: Color = (214, 158, 104)
LIGHT: Color = (246, 214, 164)
LINE: Color = (48, 26, 18)
HAIRS: tuple[Color, ...] = ((206, 198, 184), (92, 54, 30), (92, 54, 30))


def paint_saints_head(canvas: Canvas, x: float, y: float, r: float, kind: int, robe: Color) -> None:
    """Paint the head; kind 0 has a long white beard, 1 a short brown one, 2 a veil."""
    hair = HAIRS[kind]
    if kind == 2:
        _veil(canvas, x, y, r, robe)
    else:
        _hair(canvas, x, y, r, hair)
    canvas.polygon(
        [
            (x - r * 0.4, y + r * 0.8),
            (x + r * 0.4, y + r * 0.8),
            (x + r * 0.5, y + r * 1.75),
            (x - r * 0.5, y + r * 1.75),
        ],
        _tinted(canvas, mix(OCHRE, LINE, 0.25)),
    )
    canvas.polygon(_egg(x, y, r * 1.04), _tinted(canvas, LINE))
    canvas.polygon(_egg(x, y, r), _tinted(canvas, OCHRE))
    soft(canvas, _egg(x + r * 0.04, y - r * 0.03, r * 0.74), _tinted(canvas, FLESH), 0.95, r * 0.2)
    for side in (-1, 1):
        cheek = ring(x + side * r * 0.46, y + r * 0.36, r * 0.2, r * 0.24, 14)
        soft(canvas, cheek, _tinted(canvas, LIGHT), 0.8, r * 0.14)
    soft(
        canvas, ring(x, y - r * 0.72, r * 0.5, r * 0.24, 16), _tinted(canvas, LIGHT), 0.7, r * 0.16
    )
    _features(canvas, x, y, r)
    if kind == 0:
        _beard(canvas, x, y, r, hair, 1.5)
    elif kind == 1:
        _beard(canvas, x, y, r, hair, 0.62)
    if kind != 2:
        cap = [(x + r * 1.0 * math.cos(turn), y - r * 0.42 - r * 0.95 * math.sin(turn))
               for turn in (math.pi * step / 16 for step in range(17))]  # fmt: skip
        low = [(x - r * 0.86, y - r * 0.6), (x, y - r * 1.02), (x + r * 0.86, y - r * 0.6)]
        canvas.polygon([*cap, *low], _tinted(canvas, hair))
        for step in range(9):
            u = -0.8 + 0.2 * step
            canvas.line(((x + u * r * 0.5, y - r * 1.3), (x + u * r, y - r * 0.72)),
                        _tinted(canvas, mix(hair, LINE, 0.4)), r * 0.04)  # fmt: skip


def _tinted(canvas: Canvas, color: Color) -> Color:
    """Return a colour that takes but half of the palette, so that faces stay faces."""
    return mix(color, canvas.tint(color), 0.5)


def _egg(x: float, y: float, r: float) -> list[Point]:
    return [(x + r * 0.92 * math.cos(turn) * (1 - 0.16 * max(0.0, math.sin(turn)) ** 2),
             y + r * (1.38 if math.sin(turn) < 0 else 1.36) * math.sin(turn))
            for turn in (math.tau * step / 36 for step in range(36))]  # fmt: skip


def _features(canvas: Canvas, x: float, y: float, r: float) -> None:
    line = _tinted(canvas, LINE)
    for side in (-1, 1):
        ex, ey = x + side * r * 0.4, y - r * 0.1
        soft(
            canvas,
            ring(ex, ey + r * 0.02, r * 0.3, r * 0.2, 14),
            _tinted(canvas, OCHRE),
            0.9,
            r * 0.1,
        )
        eye = [
            (ex - r * 0.25, ey + r * 0.03),
            (ex - r * 0.1, ey - r * 0.11),
            (ex + r * 0.1, ey - r * 0.11),
            (ex + r * 0.25, ey + r * 0.03),
            (ex + r * 0.08, ey + r * 0.1),
            (ex - r * 0.08, ey + r * 0.1),
        ]
        canvas.polygon(eye, _tinted(canvas, (244, 228, 196)))
        canvas.oval(ex, ey - r * 0.005, r * 0.1, r * 0.1, line)
        canvas.line([*eye, eye[0]], line, r * 0.045)
        lid = [(ex - r * 0.26, ey - r * 0.1), (ex, ey - r * 0.2), (ex + r * 0.26, ey - r * 0.08)]
        canvas.line(lid, _tinted(canvas, mix(OCHRE, LINE, 0.5)), r * 0.03)
        brow = [
            (x + side * r * 0.12, y - r * 0.22),
            (ex, y - r * 0.42),
            (x + side * r * 0.72, y - r * 0.24),
        ]
        canvas.line(brow, line, r * 0.075)
        nose = [
            (x + side * r * 0.12, y - r * 0.2),
            (x + side * r * 0.07, y + r * 0.34),
            (x + side * r * 0.14, y + r * 0.46),
            (x + side * r * 0.05, y + r * 0.54),
        ]
        canvas.line(nose, _tinted(canvas, mix(OCHRE, LINE, 0.55)), r * 0.04)
    canvas.line(((x, y - r * 0.2), (x, y + r * 0.44)), _tinted(canvas, LIGHT), r * 0.09)
    canvas.line(((x - r * 0.2, y + r * 0.72), (x, y + r * 0.69), (x + r * 0.2, y + r * 0.72)),
                _tinted(canvas, (122, 44, 32)), r * 0.09)  # fmt: skip
    canvas.line(
        ((x - r * 0.12, y + r * 0.81), (x + r * 0.12, y + r * 0.81)),
        _tinted(canvas, (180, 92, 66)),
        r * 0.07,
    )


def _hair(canvas: Canvas, x: float, y: float, r: float, hair: Color) -> None:
    canvas.oval(x, y - r * 0.3, r * 1.16, r * 1.24, _tinted(canvas, LINE))
    canvas.oval(x, y - r * 0.3, r * 1.1, r * 1.18, _tinted(canvas, mix(hair, LINE, 0.25)))
    for side in (-1, 1):
        lock = ring(x + side * r * 0.92, y + r * 0.42, r * 0.28, r * 0.7, 16)
        canvas.polygon(lock, _tinted(canvas, mix(hair, LINE, 0.3)))


def _beard(canvas: Canvas, x: float, y: float, r: float, hair: Color, long: float) -> None:
    tip = y + r * (1.36 + long)
    shape = [
        (x - r * 0.88, y + r * 0.2),
        (x - r * 0.72, y + r * 1.1),
        (x - r * 0.16, tip),
        (x + r * 0.16, tip),
        (x + r * 0.72, y + r * 1.1),
        (x + r * 0.88, y + r * 0.2),
        (x + r * 0.5, y + r * 0.62),
        (x + r * 0.3, y + r * 0.98),
        (x, y + r * 0.92),
        (x - r * 0.3, y + r * 0.98),
        (x - r * 0.5, y + r * 0.62),
    ]
    canvas.polygon(shape, _tinted(canvas, mix(hair, LINE, 0.15)))
    dark, pale = (
        _tinted(canvas, mix(hair, LINE, 0.6)),
        _tinted(canvas, mix(hair, (255, 250, 236), 0.4)),
    )
    for step in range(9):
        u = -0.8 + 0.2 * step
        line = [
            (x + u * r * 0.95, y + r * (0.95 - 0.3 * abs(u))),
            (x + u * r * 0.6, y + r * 1.2),
            (x + u * r * 0.2, tip - r * 0.12),
        ]
        canvas.line(line, dark if step % 2 else pale, r * 0.05)
    for side in (-1, 1):
        moustache = [(x + side * r * 0.04, y + r * 0.6), (x + side * r * 0.34, y + r * 0.66),
                     (x + side * r * 0.44, y + r * 1.0)]  # fmt: skip
        canvas.line(moustache, _tinted(canvas, mix(hair, LINE, 0.2)), r * 0.13)


def _veil(canvas: Canvas, x: float, y: float, r: float, robe: Color) -> None:
    for grown, tone in ((1.06, LINE), (1.0, robe)):
        shape = [(x - r * 1.9 * grown, y + r * 2.2), (x - r * 1.5 * grown, y + r * 0.9)]
        shape += [
            (x - r * 1.3 * grown * math.cos(turn), y - r * 0.1 - r * 1.6 * grown * math.sin(turn))
            for turn in (math.pi * step / 20 for step in range(21))
        ]
        shape += [(x + r * 1.5 * grown, y + r * 0.9), (x + r * 1.9 * grown, y + r * 2.2)]
        canvas.polygon(shape, _tinted(canvas, tone))
    edge = [(x - r * 1.08 * math.cos(turn), y - r * 1.4 * math.sin(turn) + r * 0.06)
            for turn in (math.pi * step / 20 - 0.5 for step in range(27))]  # fmt: skip
    canvas.line(edge, _tinted(canvas, (244, 206, 110)), r * 0.1)
    gold = _tinted(canvas, (244, 206, 110))
    for turn in range(4):
        at = (
            x + math.cos(turn * math.pi / 2) * r * 0.12,
            y - r * 1.52 + math.sin(turn * math.pi / 2) * r * 0.12,
        )
        canvas.line(((x, y - r * 1.52), at), gold, r * 0.05)
