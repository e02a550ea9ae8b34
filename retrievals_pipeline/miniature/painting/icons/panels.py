"""Icons: saints on a ground of gold leaf, facing us, under an arch."""

import math

import numpy as np

from retrievals_pipeline.miniature.painting.canvas import PIGMENTS, Box, Canvas, Color, cloud_noise
from retrievals_pipeline.miniature.painting.icons.faces import paint_saints_head
from retrievals_pipeline.miniature.painting.icons.robes import (
    AZURITE,
    DARK_GOLD,
    GOLD,
    LINE,
    PALE_GOLD,
    TUNICS,
    Saint,
    gilded,
    paint_hands,
    paint_robe,
)
from retrievals_pipeline.miniature.painting.relief import begin, pigment, refine, soft

CINNABAR: Color = (168, 42, 34)
EARTHS: tuple[Color, ...] = ((74, 84, 52), (92, 66, 44), (60, 70, 66))


def paint_icon(canvas: Canvas) -> None:
    """Paint the panel and its saints."""
    saints, robe, halo = canvas.scene.subjects
    _ground(canvas)
    figures = _places(canvas, saints.count, robe.color)
    if not figures[0].half_length:
        _earth(canvas)
    _arch(canvas)
    for saint in figures:
        _halo(canvas, saint)
    for saint in figures:
        x, y, r = saint.x, saint.y, saint.r
        paint_robe(canvas, saint)
        paint_saints_head(canvas, x, y, r, saint.kind, saint.robe)
        paint_hands(canvas, saint)
        _letters(canvas, saint, beside=len(figures) == 1)
        reach = r * 2.3
        canvas.mark(halo, (x - reach, y - r * 0.3 - reach, x + reach, y - r * 0.3 + reach))
        canvas.mark(saints, (x - r * 2.5, y - r * 0.3 - reach, x + r * 2.5, saint.low))
    canvas.mark(robe, _box_of_robes(figures))


def _box_of_robes(saints: list[Saint]) -> Box:
    left, right = saints[0].x - 2.5 * saints[0].r, saints[-1].x + 2.5 * saints[-1].r
    return left, min(saint.y + 1.5 * saint.r for saint in saints), right, saints[0].low


def _ground(canvas: Canvas) -> None:
    """Lay leaves of gold: worn here and there, with the edges where they meet."""
    columns, rows = 120, round(120 * canvas.height / canvas.width)
    cloud = cloud_noise(canvas.noise, (columns, rows), (4, 5), 4) - 0.5
    y, x = np.mgrid[0:rows, 0:columns].astype(np.float32)
    leaf = 0.024 * np.sin(np.floor(x / 20) * 2.1 + np.floor(y / 20) * 3.7)
    edges = -0.035 * ((np.mod(x, 20) < 1) | (np.mod(y, 20) < 1))
    shine = 0.2 * np.exp(-(((x / columns - 0.35) / 0.4) ** 2) - ((y / rows - 0.3) / 0.4) ** 2)
    tone = (0.94 + 0.5 * cloud + leaf + edges + shine)[..., None]
    pixels = pigment(gilded(canvas, GOLD)) * tone
    worn = np.clip((cloud - 0.24) / 0.1, 0, 1)[..., None] * 0.4
    begin(canvas, pixels + (pigment((150, 70, 40)) - pixels) * worn)
    refine(canvas)


def _earth(canvas: Canvas) -> None:
    """Paint the strip of ground that whole figures stand on."""
    w, h = canvas.width, canvas.height
    color = canvas.tint(canvas.chance.choice(EARTHS))
    strip = ((0.0, h * 0.87), (w, h * 0.87), (w, float(h)), (0.0, float(h)))
    soft(canvas, strip, color, 0.92, canvas.unit * 0.008)


def _arch(canvas: Canvas) -> None:
    """Paint the arch, the ornament in its corners and the border."""
    w, h, u = canvas.width, canvas.height, canvas.unit
    border = gilded(canvas, canvas.chance.choice((CINNABAR, AZURITE)), 0.5)
    left, right = u * 0.075, w - u * 0.075
    half, spring = (right - left) / 2, h * 0.3
    turns = [math.pi * step / 40 for step in range(41)]
    arc = [(w / 2 - half * math.cos(turn), spring - h * 0.235 * math.sin(turn)) for turn in turns]
    top = u * 0.045
    for corner, points in ((left, arc[:21]), (right, arc[:19:-1])):
        canvas.polygon([*points, (w / 2, top), (corner, top)], border)
        for step in range(3):
            x = corner + (1 if corner == left else -1) * u * (0.05 + 0.075 * step)
            _flourish(canvas, x, u * 0.1, u * (0.034 - 0.006 * step))
    inner = [(left, h - u * 0.075), *arc, (right, h - u * 0.075)]
    shadow = [(x + u * 0.008, y + u * 0.01) for x, y in inner]
    canvas.line([*shadow, shadow[0]], gilded(canvas, DARK_GOLD), u * 0.014)
    canvas.line([*inner, inner[0]], gilded(canvas, PALE_GOLD), u * 0.01)
    for inset, width, color in ((0.004, 0.04, LINE), (0.008, 0.026, border)):
        rim = (u * inset, u * inset, w - u * inset, h - u * inset)
        canvas.draw.rectangle(rim, outline=gilded(canvas, color), width=round(u * width))


def _flourish(canvas: Canvas, x: float, y: float, size: float) -> None:
    for turn in (0.0, 0.5, 1.0, 1.5):
        at = (math.cos(turn * math.pi) * size * 0.5, math.sin(turn * math.pi) * size * 0.5)
        canvas.oval(x + at[0], y + at[1], size * 0.3, size * 0.3, gilded(canvas, PALE_GOLD))
    canvas.oval(x, y, size * 0.22, size * 0.22, gilded(canvas, LINE))


def _places(canvas: Canvas, count: int, color: str) -> list[Saint]:
    """Return the saints from left to right; one alone may be seen to the waist, and larger."""
    chance, w, h = canvas.chance, canvas.width, canvas.height
    kinds = chance.sample((0, 1, 2), count)
    half_length = count == 1 and chance.random() < 0.6
    r = canvas.unit * (0.135 if half_length else (0.088, 0.08, 0.062)[count - 1])
    level = h * (0.36 if half_length else (0.27, 0.29, 0.31)[count - 1])
    low = h - canvas.unit * 0.08 if half_length else h * 0.9
    spread = {1: (0.5,), 2: (0.295, 0.705), 3: (0.225, 0.5, 0.775)}[count]
    return [
        Saint(
            x=w * at,
            y=level - (h * 0.03 if count == 3 and at == 0.5 else 0),
            r=r,
            low=low,
            robe=PIGMENTS[color],
            tunic=TUNICS[color],
            kind=kind,
            way=chance.choice((-1, 1)),
            half_length=half_length,
        )
        for at, kind in zip(spread, kinds, strict=True)
    ]


def _halo(canvas: Canvas, saint: Saint) -> None:
    x, y, r = saint.x, saint.y - saint.r * 0.3, saint.r * 2.25
    canvas.oval(x, y, r * 1.04, r * 1.04, gilded(canvas, LINE))
    canvas.oval(x, y, r * 0.99, r * 0.99, gilded(canvas, CINNABAR))
    canvas.oval(x, y, r * 0.95, r * 0.95, gilded(canvas, PALE_GOLD))
    canvas.glow(x, y, r * 0.95, gilded(canvas, GOLD), 0.8)
    dark = gilded(canvas, DARK_GOLD)
    for reach, count, size in ((0.86, 40, 0.022), (0.72, 20, 0.034)):
        for step in range(count):
            turn = math.tau * step / count
            at = (x + math.cos(turn) * r * reach, y + math.sin(turn) * r * reach)
            canvas.oval(*at, r * size, r * size, dark)
    for step in range(40):
        dx, dy = math.cos(math.tau * step / 40) * r, math.sin(math.tau * step / 40) * r
        ray = ((x + dx * 0.5, y + dy * 0.5), (x + dx * 0.66, y + dy * 0.66))
        canvas.line(ray, dark, r * 0.012)


def _letters(canvas: Canvas, saint: Saint, *, beside: bool) -> None:
    """Write strokes that look like letters beside the halo, or above it."""
    size = canvas.unit * 0.018
    for side in (-1, 1):
        for place in range(4 if beside else 2):
            x = saint.x + side * saint.r * 2.75
            y = saint.y + saint.r * 0.6 + place * size * 2.6
            if not beside:
                x = saint.x + side * size * 2.2 * (place + 0.8)
                y = saint.y - saint.r * 2.6 - size * (1.4 - 0.08 * place * place)
            _letter(canvas, x, y, size)


def _letter(canvas: Canvas, x: float, y: float, size: float) -> None:
    red = gilded(canvas, CINNABAR, 0.4)
    canvas.line(((x - size * 0.5, y - size), (x - size * 0.5, y + size)), red, size * 0.34)
    for _ in range(canvas.chance.randint(1, 2)):
        level = y + size * canvas.chance.choice((-1, 0, 1))
        end = (x + size * 0.6, level + size * canvas.chance.choice((-0.6, 0, 0.6)))
        canvas.line(((x - size * 0.5, level), end), red, size * 0.3)
