"""What saints wear and hold in icons: robes with lines of gold, a book, a hand that blesses."""

from dataclasses import dataclass

from retrievals_pipeline.miniature.painting.canvas import Canvas, Color, Point, mix
from retrievals_pipeline.miniature.painting.relief import ring, soft

GOLD: Color = (222, 172, 68)
PALE_GOLD: Color = (250, 218, 128)
DARK_GOLD: Color = (150, 98, 30)
LINE: Color = (58, 32, 24)
AZURITE: Color = (38, 66, 120)
BLACK: Color = (0, 0, 0)
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
    way: int  # 1 holds the book to our right, -1 to our left
    half_length: bool

    def at(self, u: float, t: float) -> Point:
        """Return a place on the body: u across, -1 to 1, t from the neck (0) to the hem (1)."""
        neck = self.y + self.r * 1.5
        return self.x + self.way * u * self.r * 2.5, neck + t * (self.low - neck)


def gilded(canvas: Canvas, color: Color, share: float = 0.35) -> Color:
    """Return a colour in the palette of the scene, of which gold leaf takes little."""
    return mix(color, canvas.tint(color), share)


def paint_robe(canvas: Canvas, saint: Saint) -> None:
    """Paint the tunic, the robe over it, and its lines of gold."""
    r, at = saint.r, saint.at
    robe, dark = canvas.tint(saint.robe), canvas.tint(mix(saint.robe, BLACK, 0.58))
    if not saint.half_length:
        for u in (-0.26, 0.2):
            foot = ring(*at(u, 1.01), r * 0.34, r * 0.3, 14)
            canvas.polygon(foot, canvas.tint((96, 48, 34)))
    body = [at(u, t) for u, t in (
        (-0.2, 0.0), (-0.62, 0.06), (-0.86, 0.16), (-0.98, 0.4), (-0.84, 0.7), (-0.8, 0.99),
        (-0.62, 0.96), (-0.48, 1.0), (0.4, 1.0), (0.56, 0.96), (0.72, 1.0), (0.82, 0.97),
        (0.84, 0.7), (0.98, 0.4), (0.86, 0.16), (0.62, 0.06), (0.2, 0.0))]  # fmt: skip
    canvas.polygon(body, robe)
    tunic = [at(u, t) for u, t in (
        (-0.22, -0.02), (0.22, -0.02), (0.34, 0.12), (0.2, 0.5), (0.36, 0.99), (0.1, 1.01),
        (-0.3, 0.99), (-0.16, 0.5), (-0.34, 0.12))]  # fmt: skip
    canvas.polygon(tunic, canvas.tint(saint.tunic))
    for u in (-0.16, 0.0, 0.16):
        fold = [at(u * 0.9, 0.1), at(u * 0.6, 0.5), at(u * 1.5, 0.99)]
        canvas.line(fold, canvas.tint(mix(saint.tunic, BLACK, 0.35)), r * 0.07)
    drape = [at(u, t) for u, t in (
        (-0.5, 0.1), (0.3, 0.42), (0.72, 0.46), (0.9, 0.36), (0.86, 0.62), (0.7, 0.7), (0.5, 0.61),
        (0.2, 0.66), (-0.5, 0.5), (-0.86, 0.34))]  # fmt: skip
    canvas.polygon(drape, robe)
    under = [at(u, t) for u, t in ((-0.7, 0.42), (0.2, 0.64), (0.8, 0.62), (0.2, 0.74))]
    soft(canvas, under, dark, 0.6, r * 0.1)
    for side in (-1, 1):
        edge = [at(side * u, t) for u, t in ((0.98, 0.4), (0.7, 0.3), (0.6, 0.97), (0.82, 0.97))]
        soft(canvas, edge, dark, 0.5, r * 0.14)
    _folds(canvas, saint)
    for shape in (body, drape):
        canvas.line([*shape, shape[0]], canvas.tint(LINE), r * 0.05)


def _folds(canvas: Canvas, saint: Saint) -> None:
    """Draw dark lines in the folds and, over them, combs of gold."""
    r, at = saint.r, saint.at
    white = min(saint.robe) > 200
    gold = canvas.tint((196, 138, 44) if white else mix(PALE_GOLD, (255, 240, 190), 0.4))
    dark = canvas.tint(mix(saint.robe, BLACK, 0.3 if white else 0.5))
    for side in (-1, 1):
        for u, top, end in ((0.48, 0.7, 0.97), (0.64, 0.72, 0.95), (0.74, 0.5, 0.95)):
            bend = canvas.chance.uniform(-0.03, 0.03)
            fold = [at(side * u, top), at(side * (u + bend), (top + end) / 2),
                    at(side * u * 1.04, end)]  # fmt: skip
            canvas.line(fold, dark, r * 0.07)
            ray = [at(side * (u + 0.05), top), at(side * (u + 0.05 + bend), end)]
            canvas.line(ray, gold, r * 0.045)
        for step in range(5):  # rays on the shoulders and sleeves
            t = 0.12 + 0.055 * step
            ray = [at(side * 0.46, t - 0.03), at(side * (0.72 + 0.04 * step), t + 0.03)]
            canvas.line(ray, gold, r * 0.04)
    for step in range(8):  # the drape across
        u, top = -0.6 + 0.17 * step, 0.25 + 0.032 * step
        canvas.line([at(u, top), at(u + 0.16, top + 0.16)], gold, r * 0.045)
    canvas.line([at(-0.74, 0.36), at(-0.1, 0.54), at(0.8, 0.58)], gold, r * 0.05)


def paint_hands(canvas: Canvas, saint: Saint) -> None:
    """Paint a hand that blesses and one that holds a book with jewels."""
    r, way = saint.r, saint.way
    y = saint.at(0, 0.34)[1]
    _book(canvas, saint.x + way * r * 1.1, y + r * 0.3, r, way)
    _blessing(canvas, saint.x - way * r * 0.62, y + r * 0.2, r, way)


def _book(canvas: Canvas, x: float, y: float, r: float, way: int) -> None:
    skin, line = canvas.tint((188, 130, 82)), canvas.tint(LINE)
    for grown, shift, color in ((0.66, 0.06, LINE), (0.6, 0.06, (236, 222, 184)),
                                (0.53, 0.0, (120, 36, 34))):  # fmt: skip
        middle, tall = x + way * r * shift, r * (grown + 0.2)
        box = (middle - r * grown, y - tall, middle + r * grown, y + tall)
        canvas.draw.rectangle(box, fill=canvas.tint(color))
    for u, v in ((-0.33, -0.55), (0.33, -0.55), (0.0, 0.0), (-0.33, 0.55), (0.33, 0.55)):
        canvas.oval(x + u * r, y + v * r, r * 0.13, r * 0.13, gilded(canvas, PALE_GOLD))
        canvas.oval(x + u * r, y + v * r, r * 0.06, r * 0.06, canvas.tint(AZURITE))
    for width, tone in ((0.2, line), (0.13, skin)):
        for step in range(4):
            level = y + r * (0.1 + 0.17 * step)
            finger = ((x + way * r * 0.68, level), (x + way * r * 0.28, level + r * 0.02))
            canvas.line(finger, tone, r * width)


def _blessing(canvas: Canvas, x: float, y: float, r: float, way: int) -> None:
    line = canvas.tint(LINE)
    for width, tone in ((0.34, line), (0.24, canvas.tint((188, 130, 82)))):
        for across, high in ((-0.16, 1.0), (0.06, 1.1), (0.26, 0.62)):
            tip = (x + way * r * (across * 1.3 + 0.06), y - r * high)
            canvas.line(((x + way * r * across, y), tip), tone, r * width * 0.62)
            canvas.oval(*tip, r * width * 0.3, r * width * 0.3, tone)
        reach = r * width * 0.3
        canvas.oval(x, y + r * 0.06, r * 0.24 + reach, r * 0.3 + reach, tone)
    cuff = ring(x, y + r * 0.56, r * 0.4, r * 0.2, 16)
    canvas.polygon(cuff, gilded(canvas, GOLD))
    canvas.line([*cuff, cuff[0]], line, r * 0.05)
