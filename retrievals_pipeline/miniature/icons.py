"""Icons: saints on a ground of gold leaf, facing us, under an arch."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from retrievals_pipeline.miniature.canvas import (
    PIGMENTS,
    Canvas,
    Color,
    Point,
    cloud_noise,
    mix,
)
from retrievals_pipeline.miniature.icon_faces import paint_saints_head
from retrievals_pipeline.miniature.relief import Field, pigment, ring, soft

GOLD: Color = (222, 172, 68)
PALE_GOLD: Color = (250, 218, 128)
DARK_GOLD: Color = (150, 98, 30)
LINE: Color = (58, 32, 24)
CINNABAR: Color = (168, 42, 34)
AZURITE: Color = (38, 66, 120)
TUNICS: dict[str, Color] = {
    "blue": (112, 40, 44), "red": (34, 56, 104), "green": (122, 58, 36), "violet": (44, 70, 62),
    "white": (128, 92, 60)}  # fmt: skip


@dataclass(frozen=True)
class Saint:
    """Where a saint stands: the middle, the eyes, half the width of the face; how it is clothed."""

    x: float
    y: float
    r: float
    low: float  # the hem
    robe: Color
    tunic: Color
    kind: int  # 0 old with a long beard, 1 young with a short one, 2 a woman in a veil


def paint_icon(canvas: Canvas) -> None:
    """Paint the panel and its saints."""
    saints, robe, halo = canvas.scene.subjects
    _ground(canvas)
    _arch(canvas)
    for saint in _places(canvas, saints.count, robe.color):
        r = saint.r
        reach = r * 2.3
        _halo(canvas, saint)
        _body(canvas, saint)
        paint_saints_head(canvas, saint.x, saint.y, r, saint.kind, saint.robe)
        _hands(canvas, saint)
        _letters(canvas, saint)
        canvas.mark(halo, (saint.x - reach, saint.y - r * 0.3 - reach,
                           saint.x + reach, saint.y - r * 0.3 + reach))  # fmt: skip
        canvas.mark(saints, (saint.x - r * 2.5, saint.y - reach, saint.x + r * 2.5, saint.low))
    canvas.mark(robe, _robe_box(canvas))


def _robe_box(canvas: Canvas) -> tuple[float, float, float, float]:
    """Return the box about all robes."""
    boxes = [mark.box for mark in canvas.marks if mark.subject.name == "saint"]
    top = min(box[1] + 0.4 * (box[3] - box[1]) for box in boxes)
    return (min(box[0] for box in boxes) * canvas.width, top * canvas.height,
            max(box[2] for box in boxes) * canvas.width, boxes[0][3] * canvas.height)  # fmt: skip


def _gold(canvas: Canvas, color: Color, share: float = 0.35) -> Color:
    """Return gold in the palette of the scene; it keeps most of its own colour."""
    return mix(color, canvas.tint(color), share)


def _ground(canvas: Canvas) -> None:
    """Lay leaves of gold: worn here and there, with the edges where they meet."""
    columns, rows = 180, round(180 * canvas.height / canvas.width)
    cloud = cloud_noise(canvas.noise, (columns, rows), (4, 5), 5) - 0.5
    y, x = np.mgrid[0:rows, 0:columns].astype(np.float32)
    leaf = 0.022 * np.sin(np.floor(x / 30) * 2.1 + np.floor(y / 30) * 3.7)
    edges = -0.035 * ((np.mod(x, 30) < 1) | (np.mod(y, 30) < 1))
    shine = 0.2 * np.exp(-(((x / columns - 0.35) / 0.4) ** 2) - ((y / rows - 0.3) / 0.4) ** 2)
    tone: Field = (0.94 + 0.5 * cloud + leaf + edges + shine)[..., None]
    pixels = pigment(_gold(canvas, GOLD)) * tone
    worn = np.clip((cloud - 0.24) / 0.1, 0, 1)[..., None] * 0.4
    canvas.fill(pixels + (pigment((150, 70, 40)) - pixels) * worn)


def _arch(canvas: Canvas) -> None:
    w, h, u = canvas.width, canvas.height, canvas.unit
    border = _gold(canvas, canvas.chance.choice((CINNABAR, AZURITE)), 0.5)
    left, right = u * 0.075, w - u * 0.075
    half, spring = (right - left) / 2, h * 0.3
    arc = [(w / 2 - half * math.cos(turn), spring - h * 0.235 * math.sin(turn))
           for turn in (math.pi * step / 40 for step in range(41))]  # fmt: skip
    top = u * 0.045
    for corner, points in ((left, arc[:21]), (right, arc[:19:-1])):
        canvas.polygon([*points, (w / 2, top), (corner, top)], border)
        for step in range(3):
            x = corner + (1 if corner == left else -1) * u * (0.05 + 0.075 * step)
            _flourish(canvas, x, u * 0.1, u * (0.034 - 0.006 * step))
    inner = [(left, h - u * 0.075), *arc, (right, h - u * 0.075)]
    shadow = [(x + u * 0.008, y + u * 0.01) for x, y in inner]
    canvas.line([*shadow, shadow[0]], _gold(canvas, DARK_GOLD), u * 0.014)
    canvas.line([*inner, inner[0]], _gold(canvas, PALE_GOLD), u * 0.01)
    edge = u * 0.022
    rim = [(edge, edge), (w - edge, edge), (w - edge, h - edge), (edge, h - edge), (edge, edge)]
    canvas.line(rim, _gold(canvas, LINE), u * 0.034)
    canvas.line(rim, border, u * 0.026)


def _flourish(canvas: Canvas, x: float, y: float, size: float) -> None:
    gold = _gold(canvas, PALE_GOLD)
    for turn in range(4):
        at = (
            x + math.cos(turn * math.pi / 2) * size * 0.5,
            y + math.sin(turn * math.pi / 2) * size * 0.5,
        )
        canvas.oval(*at, size * 0.3, size * 0.3, gold)
    canvas.oval(x, y, size * 0.22, size * 0.22, _gold(canvas, LINE))


def _places(canvas: Canvas, count: int, color: str) -> list[Saint]:
    chance, w, h = canvas.chance, canvas.width, canvas.height
    kinds = chance.sample((0, 1, 2), count)
    robe, tunic = PIGMENTS[color], TUNICS[color]
    half_length = count == 1 and chance.random() < 0.6
    r = canvas.unit * (0.135 if half_length else (0.085, 0.08, 0.062)[count - 1])
    level = h * (0.36 if half_length else (0.27, 0.3, 0.31)[count - 1])
    low = h - canvas.unit * 0.085 if half_length else h * 0.9
    spread = {1: (0.5,), 2: (0.3, 0.7), 3: (0.225, 0.5, 0.775)}[count]
    return [
        Saint(
            w * at,
            level - (h * 0.025 if count == 3 and at == 0.5 else 0),
            r,
            low,
            robe,
            tunic,
            kind,
        )
        for at, kind in zip(spread, kinds, strict=True)
    ]


def _halo(canvas: Canvas, saint: Saint) -> None:
    x, y, r = saint.x, saint.y - saint.r * 0.3, saint.r * 2.25
    canvas.oval(x, y, r * 1.04, r * 1.04, _gold(canvas, LINE))
    canvas.oval(x, y, r * 0.99, r * 0.99, _gold(canvas, CINNABAR))
    canvas.oval(x, y, r * 0.95, r * 0.95, _gold(canvas, PALE_GOLD))
    canvas.glow(x, y, r * 0.95, _gold(canvas, GOLD), 0.8)
    dark = _gold(canvas, DARK_GOLD)
    for reach, count, size in ((0.86, 40, 0.022), (0.72, 20, 0.034)):
        for step in range(count):
            turn = math.tau * step / count
            canvas.oval(x + math.cos(turn) * r * reach, y + math.sin(turn) * r * reach,
                        r * size, r * size, dark)  # fmt: skip
    for step in range(40):
        turn = math.tau * step / 40
        a, b = (x + math.cos(turn) * r * 0.5, y + math.sin(turn) * r * 0.5), (
            x + math.cos(turn) * r * 0.66, y + math.sin(turn) * r * 0.66)  # fmt: skip
        canvas.line((a, b), dark, r * 0.012)


def _body(canvas: Canvas, saint: Saint) -> None:
    """Paint the tunic, the robe over it, and its lines of gold."""
    x, r, low = saint.x, saint.r, saint.low
    neck, half = saint.y + r * 1.5, r * 2.5

    def at(u: float, t: float) -> Point:
        return x + u * half, neck + t * (low - neck)

    line, robe = canvas.tint(LINE), canvas.tint(saint.robe)
    body = [at(u, t) for u, t in (
        (-0.2, 0.0), (-0.62, 0.06), (-0.86, 0.16), (-0.98, 0.4), (-0.84, 0.7), (-0.8, 1.0),
        (0.8, 1.0), (0.84, 0.7), (0.98, 0.4), (0.86, 0.16), (0.62, 0.06), (0.2, 0.0))]  # fmt: skip
    canvas.polygon(body, robe)
    tunic = [at(u, t) for u, t in (
        (-0.22, -0.02), (0.22, -0.02), (0.34, 0.12), (0.2, 0.5), (0.36, 1.0), (-0.3, 1.0),
        (-0.16, 0.5), (-0.34, 0.12))]  # fmt: skip
    canvas.polygon(tunic, canvas.tint(saint.tunic))
    for u in (-0.16, 0.0, 0.16):
        canvas.line([at(u * 0.9, 0.1), at(u * 0.6, 0.5), at(u * 1.5, 1.0)],
                    canvas.tint(mix(saint.tunic, (0, 0, 0), 0.35)), r * 0.07)  # fmt: skip
    drape = [at(u, t) for u, t in (
        (-0.5, 0.1), (0.3, 0.42), (0.72, 0.46), (0.9, 0.36), (0.86, 0.62), (0.2, 0.64), (-0.5, 0.5),
        (-0.86, 0.34))]  # fmt: skip
    canvas.polygon(drape, robe)
    soft(canvas, [at(u, t) for u, t in ((-0.7, 0.42), (0.2, 0.62), (0.8, 0.6), (0.2, 0.72))],
         canvas.tint(mix(saint.robe, (0, 0, 0), 0.6)), 0.6, r * 0.1)  # fmt: skip
    for side in (-1, 1):
        soft(canvas, [at(side * u, t) for u, t in ((0.98, 0.4), (0.7, 0.3), (0.6, 1.0), (0.84, 1.0))],
             canvas.tint(mix(saint.robe, (0, 0, 0), 0.55)), 0.5, r * 0.14)  # fmt: skip
    _folds(canvas, saint, at)
    for shape in (body, drape):
        canvas.line([*shape, shape[0]], line, r * 0.05)


def _folds(canvas: Canvas, saint: Saint, at: Callable[[float, float], Point]) -> None:
    """Draw dark lines in the folds and, over them, combs of gold."""
    r, gold = saint.r, canvas.tint(mix(PALE_GOLD, (255, 240, 190), 0.4))
    if min(saint.robe) > 200:
        gold = canvas.tint((196, 138, 44))
    dark = canvas.tint(mix(saint.robe, (0, 0, 0), 0.5))
    for side in (-1, 1):
        for u, top, end in ((0.48, 0.68, 0.98), (0.64, 0.64, 0.98), (0.74, 0.5, 0.96)):
            bend = canvas.chance.uniform(-0.03, 0.03)
            canvas.line([at(side * u, top), at(side * (u + bend), (top + end) / 2), at(side * u * 1.04, end)],
                        dark, r * 0.07)  # fmt: skip
            canvas.line(
                [at(side * (u + 0.05), top), at(side * (u + 0.05 + bend), end)], gold, r * 0.045
            )
        for step in range(5):  # rays on the shoulders and sleeves
            t = 0.12 + 0.055 * step
            canvas.line([at(side * 0.46, t - 0.03), at(side * (0.72 + 0.04 * step), t + 0.03)],
                        gold, r * 0.04)  # fmt: skip
    for step in range(8):  # the drape across
        u = -0.6 + 0.18 * step
        top = 0.2 + 0.032 * step + 0.02
        canvas.line([at(u, top + 0.04), at(u + 0.16, top + 0.2)], gold, r * 0.045)
    canvas.line([at(-0.74, 0.36), at(-0.1, 0.54), at(0.8, 0.58)], gold, r * 0.05)


def _hands(canvas: Canvas, saint: Saint) -> None:
    """Paint a hand that blesses and one that holds a book with jewels."""
    x, r = saint.x, saint.r
    y = saint.y + r * 1.5 + (saint.low - saint.y - r * 1.5) * 0.34
    skin, line = canvas.tint((188, 130, 82)), canvas.tint(LINE)
    cover, page = canvas.tint((120, 36, 34)), canvas.tint((236, 222, 184))
    left, top = x + r * 0.5, y - r * 0.5
    canvas.draw.rectangle(
        (left - r * 0.06, top - r * 0.06, left + r * 1.26, top + r * 1.66), fill=line
    )
    canvas.draw.rectangle((left, top, left + r * 1.2, top + r * 1.6), fill=page)
    canvas.draw.rectangle((left, top, left + r * 1.06, top + r * 1.6), fill=cover)
    for u, v in ((0.2, 0.2), (0.86, 0.2), (0.53, 0.8), (0.2, 1.4), (0.86, 1.4)):
        canvas.oval(left + u * r, top + v * r, r * 0.13, r * 0.13, _gold(canvas, PALE_GOLD))
        canvas.oval(left + u * r, top + v * r, r * 0.06, r * 0.06, canvas.tint(AZURITE))
    for step in range(4):
        canvas.line(((left + r * 1.2, top + r * (0.8 + 0.17 * step)),
                     (left + r * 0.8, top + r * (0.82 + 0.17 * step))), line, r * 0.2)  # fmt: skip
        canvas.line(((left + r * 1.2, top + r * (0.8 + 0.17 * step)),
                     (left + r * 0.82, top + r * (0.82 + 0.17 * step))), skin, r * 0.14)  # fmt: skip
    hx, hy = x - r * 0.62, y + r * 0.2
    for width, tone in ((0.34, line), (0.24, skin)):
        for dx, high in ((-0.16, 1.0), (0.06, 1.1), (0.26, 0.62)):
            tip = (hx + r * (dx * 1.3 + 0.06), hy - r * high)
            canvas.line(((hx + r * dx, hy), tip), tone, r * width * 0.62)
            canvas.oval(*tip, r * width * 0.3, r * width * 0.3, tone)
        canvas.oval(
            hx + r * 0.02, hy + r * 0.06, r * (0.24 + width * 0.3), r * (0.3 + width * 0.3), tone
        )
    cuff = ring(hx - r * 0.04, hy + r * 0.56, r * 0.4, r * 0.2, 16)
    canvas.polygon(cuff, _gold(canvas, GOLD))
    canvas.line([*cuff, cuff[0]], line, r * 0.05)


def _letters(canvas: Canvas, saint: Saint) -> None:
    """Write strokes that look like letters beside the halo."""
    chance, u = canvas.chance, canvas.unit
    red = _gold(canvas, CINNABAR, 0.4)
    size = u * 0.02
    for side in (-1, 1):
        x = saint.x + side * saint.r * 2.75
        for row in range(4):
            y = saint.y + saint.r * 0.6 + row * size * 2.6
            canvas.line(((x - size * 0.5, y - size), (x - size * 0.5, y + size)), red, size * 0.34)
            for _ in range(chance.randint(1, 2)):
                at = y + size * chance.choice((-1, 0, 1))
                canvas.line(((x - size * 0.5, at), (x + size * 0.6, at + size * chance.choice((-0.6, 0, 0.6)))),
                            red, size * 0.3)  # fmt: skip
