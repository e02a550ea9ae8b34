"""How buildings are painted: standing on (x, y), `s` high; snow lies on them in winter."""

import math

from retrievals_pipeline.miniature.canvas import (
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


def church(canvas: Canvas, x: float, y: float, s: float, _: Color) -> None:
    """Paint a nave with a tower and its spire."""
    nave = (x - s * 0.06, y - s * 0.34, x + s * 0.46, y)
    canvas.draw.rectangle(nave, fill=canvas.shade(PLASTER))
    _roof(canvas, [(x - s * 0.08, y - s * 0.33), (x + s * 0.04, y - s * 0.54),
                   (x + s * 0.38, y - s * 0.54), (x + s * 0.5, y - s * 0.33)], TILES)  # fmt: skip
    for arch in range(3):
        window(canvas, x + s * (0.12 + 0.12 * arch), y - s * 0.17, s * 0.02)
    canvas.draw.rectangle((x - s * 0.26, y - s * 0.62, x - s * 0.04, y), fill=canvas.shade(STONE))
    shadow = (x - s * 0.11, y - s * 0.62, x - s * 0.04, y)
    canvas.draw.rectangle(shadow, fill=canvas.shade(mix(STONE, (40, 40, 60), 0.25)))
    _roof(canvas, [(x - s * 0.29, y - s * 0.61), (x - s * 0.15, y - s * 0.98),
                   (x - s * 0.01, y - s * 0.61)], SLATE)  # fmt: skip
    window(canvas, x - s * 0.17, y - s * 0.48, s * 0.024)
    door = (x - s * 0.2, y - s * 0.14, x - s * 0.13, y)
    canvas.draw.rectangle(door, fill=canvas.shade(WOOD))
    tip = y - s * 0.98
    canvas.line(((x - s * 0.15, tip), (x - s * 0.15, tip - s * 0.07)), canvas.shade(WOOD), s * 0.01)


def cottage(canvas: Canvas, x: float, y: float, s: float, _: Color) -> None:
    """Paint a low cottage with a steep roof and a smoking chimney."""
    wall = canvas.shade(PLASTER, vary=0.06)
    canvas.draw.rectangle((x - s * 0.42, y - s * 0.42, x + s * 0.42, y), fill=wall)
    flue = (x + s * 0.2, y - s, x + s * 0.3, y - s * 0.6)
    canvas.draw.rectangle(flue, fill=canvas.shade(TILES))
    for step in range(5):
        at = (x + s * (0.26 + 0.05 * step), y - s * (1.06 + 0.13 * step))
        canvas.glow(*at, s * (0.09 + 0.04 * step), canvas.shade((224, 222, 220)), 0.5)
    thatch = canvas.chance.choice((TILES, (164, 130, 82)))
    _roof(canvas, [(x - s * 0.5, y - s * 0.4), (x - s * 0.3, y - s * 0.86),
                   (x + s * 0.3, y - s * 0.86), (x + s * 0.5, y - s * 0.4)], thatch)  # fmt: skip
    canvas.draw.rectangle((x - s * 0.08, y - s * 0.28, x + s * 0.07, y), fill=canvas.shade(WOOD))
    for side in (-0.25, 0.25):
        window(canvas, x + s * side, y - s * 0.22, s * 0.055)


def house(canvas: Canvas, x: float, y: float, s: float, _: Color) -> None:
    """Paint a tall gabled town house."""
    tones: tuple[Color, ...] = ((196, 116, 84), (224, 196, 140), (206, 164, 132), (170, 178, 180))
    wall = canvas.chance.choice(tones)
    w = s * 0.27
    canvas.draw.rectangle((x - w, y - s * 0.68, x + w, y), fill=canvas.shade(wall, vary=0.05))
    shadow = canvas.shade(mix(wall, (40, 36, 56), 0.2))
    canvas.draw.rectangle((x + w * 0.72, y - s * 0.68, x + w, y), fill=shadow)
    gable = [(x - w * 1.12, y - s * 0.67), (x, y - s), (x + w * 1.12, y - s * 0.67)]
    _roof(canvas, gable, canvas.chance.choice((TILES, SLATE)))
    for floor in range(2):
        for side in (-0.48, 0.0, 0.48):
            window(canvas, x + w * side, y - s * (0.34 + 0.2 * floor), s * 0.032)
    window(canvas, x, y - s * 0.78, s * 0.026)
    door = (x - w * 0.2, y - s * 0.2, x + w * 0.2, y)
    canvas.draw.rectangle(door, fill=canvas.shade(canvas.chance.choice((WOOD, (60, 84, 70)))))


def windmill(canvas: Canvas, x: float, y: float, s: float, _: Color) -> None:
    """Paint a tapered mill with four sails."""
    body = ((x - s * 0.2, y), (x - s * 0.11, y - s * 0.58), (x + s * 0.11, y - s * 0.58),
            (x + s * 0.2, y))  # fmt: skip
    canvas.polygon(body, canvas.shade(STONE))
    side = ((x + s * 0.05, y), (x + s * 0.03, y - s * 0.58), (x + s * 0.11, y - s * 0.58),
            (x + s * 0.2, y))  # fmt: skip
    canvas.polygon(side, canvas.shade(mix(STONE, (48, 40, 56), 0.28)))
    cap = [(x - s * 0.14, y - s * 0.57), (x - s * 0.07, y - s * 0.7), (x + s * 0.07, y - s * 0.7),
           (x + s * 0.14, y - s * 0.57)]  # fmt: skip
    _roof(canvas, cap, TILES)
    canvas.draw.rectangle((x - s * 0.05, y - s * 0.15, x + s * 0.04, y), fill=canvas.shade(WOOD))
    window(canvas, x - s * 0.02, y - s * 0.34, s * 0.026)
    turn = canvas.chance.uniform(0.2, 1.3)
    hub = (x, y - s * 0.62)
    for quarter in range(4):
        angle = turn + quarter * math.pi / 2
        c, d = math.cos(angle), math.sin(angle)
        tip = (hub[0] + c * s * 0.42, hub[1] + d * s * 0.42)
        cloth = [(hub[0] + c * s * 0.1, hub[1] + d * s * 0.1), tip,
                 (tip[0] - d * s * 0.09, tip[1] + c * s * 0.09),
                 (hub[0] + c * s * 0.1 - d * s * 0.09,
                  hub[1] + d * s * 0.1 + c * s * 0.09)]  # fmt: skip
        canvas.polygon(cloth, canvas.shade((238, 228, 204)))
        canvas.line((hub, tip), canvas.shade(WOOD), s * 0.016)


def window(canvas: Canvas, x: float, y: float, r: float) -> None:
    """Paint a pane of half width `r`, lit in the evening."""
    lit = canvas.scene.time_of_day in ("night", "dusk")
    color = (250, 206, 104) if lit else canvas.shade((70, 78, 92))
    canvas.draw.rectangle((x - r, y - r * 1.3, x + r, y + r * 1.3), fill=color)
    if lit:
        canvas.glow(x, y, r * 4, (250, 196, 96), 0.35)


def _roof(canvas: Canvas, points: list[Point], color: Color) -> None:
    snowy = canvas.scene.season == "winter"
    canvas.polygon(points, canvas.shade(SNOW if snowy else color, vary=0.06))
