"""The portrait: a sitter before a wall, to the chest."""

from dataclasses import dataclass

from retrievals_pipeline.miniature.canvas import INK, PIGMENTS, SKIN, Canvas, Color, mix
from retrievals_pipeline.miniature.indoors import lit_wall
from retrievals_pipeline.miniature.places import WOMEN

WALLS: tuple[Color, ...] = ((88, 74, 58), (64, 78, 74), (104, 92, 86), (82, 62, 60), (74, 80, 104))
HAIR: tuple[Color, ...] = (
    (46, 34, 30),
    (96, 64, 40),
    (150, 106, 58),
    (196, 158, 92),
    (150, 74, 40),
)
GREY: Color = (206, 202, 196)


@dataclass(frozen=True)
class Head:
    """Where the head is and what it is made of: centre, half width `r`, colours."""

    x: float
    y: float
    r: float
    skin: Color
    hair: Color
    turn: float  # -1 left … 1 right


def paint_portrait(canvas: Canvas) -> None:
    """Paint the sitter with what is worn."""
    sitter, coat, *others = canvas.scene.subjects
    headgear = [each for each in others if each.name in ("hat", "cap", "veil")]
    old, small = sitter.name.startswith("old"), sitter.name in ("boy", "girl")
    female = sitter.name in WOMEN
    chance = canvas.chance
    lit_wall(canvas, chance.choice(WALLS), (chance.uniform(0.2, 0.8), 0.35))
    skin = mix(SKIN, (150, 98, 66), chance.random() * 0.7)
    head = Head(
        x=canvas.width * chance.uniform(0.46, 0.54),
        y=canvas.height * (0.44 if small else 0.4),
        r=canvas.unit * (0.165 if small else 0.18),
        skin=skin,
        hair=GREY if old else chance.choice(HAIR),
        turn=chance.choice((-1, 1)) * chance.uniform(0.3, 1.0),
    )
    if female:
        _long_hair(canvas, head)
    _coat(canvas, head, PIGMENTS.get(coat.color, INK), small, female)
    _face(canvas, head, old, female)
    if sitter.name == "old man":
        _beard(canvas, head)
    _fringe(canvas, head, old and not female)
    for worn in headgear:
        _headgear(canvas, head, worn.name, PIGMENTS[worn.color])


def _long_hair(canvas: Canvas, head: Head) -> None:
    dark = mix(head.hair, INK, 0.3)
    x, y, r = head.x, head.y, head.r
    canvas.oval(x, y + r * 0.1, r * 1.2, r * 1.4, canvas.shade(dark))
    canvas.oval(x, y + r * 0.75, r * 1.18, r * 1.05, canvas.shade(dark))
    for step in range(26):
        side = -1 if step % 2 else 1
        top = x + side * r * canvas.chance.uniform(0.7, 1.05)
        end = (top + side * r * canvas.chance.uniform(-0.05, 0.15), y + r * 1.6)
        tone = canvas.shade(head.hair, vary=0.18)
        canvas.line(((top, y - r * 0.4), end), tone, r * 0.04)


def _coat(canvas: Canvas, head: Head, color: Color, small: bool, female: bool) -> None:
    x, y, r, bottom = head.x, head.y, head.r, float(canvas.height)
    half = canvas.width * (0.34 if small else 0.42)
    neck = y + r * 1.62
    body = ((x - half * 1.12, bottom), (x - half, y + r * 3.0), (x - half * 0.78, y + r * 2.3),
            (x - r * 0.6, neck), (x + r * 0.6, neck), (x + half * 0.78, y + r * 2.3),
            (x + half, y + r * 3.0), (x + half * 1.12, bottom))  # fmt: skip
    canvas.polygon(body, canvas.shade(color))
    away = 1 if head.turn < 0 else -1  # the side in the shade
    shade = ((x + away * r * 0.3, bottom), (x + away * r * 0.45, neck + r * 0.2),
             (x + away * half * 0.78, y + r * 2.3), (x + away * half, y + r * 3.0),
             (x + away * half * 1.12, bottom))  # fmt: skip
    canvas.polygon(shade, canvas.shade(mix(color, INK, 0.3)))
    for fold in range(9):
        a = -0.8 + 1.6 * fold / 8 + canvas.chance.uniform(-0.07, 0.07)
        top = (x + a * r * 1.5, y + r * (2.0 + abs(a) * 0.5))
        bend = (x + a * half * 0.8 + r * canvas.chance.uniform(-0.1, 0.1), y + r * 2.9)
        tone = mix(color, (255, 240, 220), 0.14) if fold % 2 else mix(color, INK, 0.22)
        if a * away > 0:
            tone = mix(tone, INK, 0.25)
        end = bend[0] + (a + canvas.chance.uniform(-0.1, 0.1)) * r * 0.5
        hem = ((end, bottom), (end + r * 0.2, bottom), (bend[0] + r * 0.1, bend[1]))
        canvas.polygon((top, bend, *hem), canvas.shade(tone))
    for button in range(3):
        canvas.oval(
            x, y + r * (2.7 + 0.45 * button), r * 0.06, r * 0.06, canvas.shade(mix(color, INK, 0.6))
        )
    throat = canvas.shade(mix(head.skin, INK, 0.22))
    canvas.polygon(
        ((x - r * 0.46, y + r * 0.8), (x + r * 0.46, y + r * 0.8), (x + r * 0.56, neck + r * 0.1),
         (x, neck + r * (0.75 if female else 0.5)), (x - r * 0.56, neck + r * 0.1)), throat,
    )  # fmt: skip
    linen = canvas.shade((240, 234, 220))
    for side in (-1, 1):
        canvas.polygon(
            ((x + side * r * 0.5, neck - r * 0.16), (x + side * r * 0.95, neck + r * 0.26),
             (x + side * r * 0.5, neck + r * 0.8), (x, neck + r * 0.62)), linen,
        )  # fmt: skip


def _face(canvas: Canvas, head: Head, old: bool, female: bool) -> None:
    x, y, r, skin = head.x, head.y, head.r, head.skin
    away = -head.turn
    canvas.oval(x, y, r, r * 1.3, canvas.shade(mix(skin, (70, 34, 30), 0.42)))
    for inner, dark in ((0.93, 0.24), (0.84, 0.1), (0.72, 0.0)):
        shift = head.turn * r * (1 - inner) * 0.85
        tone = canvas.shade(mix(skin, (96, 48, 40), dark))
        canvas.oval(x + shift, y - r * 0.02, r * inner, r * 1.3 * inner, tone)
    canvas.glow(x + head.turn * r * 0.3, y - r * 0.5, r * 0.7, canvas.shade((255, 238, 214)), 0.5)
    canvas.glow(x - r * 0.45, y + r * 0.34, r * 0.4, canvas.shade((214, 108, 92)), 0.45)
    canvas.glow(x + r * 0.5, y + r * 0.34, r * 0.4, canvas.shade((214, 108, 92)), 0.45)
    look = head.turn * r * 0.12
    brow = canvas.shade(mix(head.hair, INK, 0.35))
    for side in (-1, 1):
        ex, ey = x + side * r * 0.4 + look, y - r * 0.1
        canvas.glow(ex, ey, r * 0.34, canvas.shade(mix(skin, (70, 40, 40), 0.6)), 0.55)
        canvas.oval(ex, ey, r * 0.16, r * 0.085, canvas.shade((240, 234, 222)))
        canvas.oval(ex + look * 0.5, ey, r * 0.082, r * 0.085, canvas.shade((62, 50, 44)))
        canvas.oval(
            ex + look * 0.5 + r * 0.03, ey - r * 0.03, r * 0.022, r * 0.022, (250, 248, 240)
        )
        lid = ((ex - r * 0.18, ey - r * 0.02), (ex, ey - r * 0.1), (ex + r * 0.18, ey - r * 0.01))
        canvas.line(lid, canvas.shade(mix(skin, INK, 0.62)), r * 0.035)
        arch = ((ex - side * r * 0.18, ey - r * 0.2), (ex, ey - r * 0.27),
                (ex + side * r * 0.22, ey - r * 0.19))  # fmt: skip
        canvas.line(arch, brow, r * (0.04 if female else 0.065))
        if old:
            for level in (0.14, 0.2):
                fold = ((ex - r * 0.13, ey + r * level), (ex + r * 0.14, ey + r * (level - 0.02)))
                canvas.line(fold, canvas.shade(mix(skin, INK, 0.3)), r * 0.02)
    bridge = ((x + look * 1.2 + away * r * 0.06, y - r * 0.06),
              (x + look * 1.6 + away * r * 0.12, y + r * 0.3),
              (x + look * 1.6, y + r * 0.36))  # fmt: skip
    canvas.line(bridge, canvas.shade(mix(skin, (80, 40, 36), 0.45)), r * 0.045)
    canvas.glow(x + look * 1.7, y + r * 0.26, r * 0.12, canvas.shade((255, 236, 216)), 0.6)
    mx, my = x + look * 1.2, y + r * 0.66
    lips = canvas.shade((176, 72, 68) if female else mix(skin, (140, 60, 56), 0.55))
    canvas.polygon(
        ((mx - r * 0.25, my), (mx - r * 0.07, my - r * 0.06), (mx, my - r * 0.035),
         (mx + r * 0.07, my - r * 0.06), (mx + r * 0.25, my), (mx, my + r * 0.1)), lips,
    )  # fmt: skip
    canvas.line(
        ((mx - r * 0.25, my), (mx + r * 0.25, my)), canvas.shade(mix(skin, INK, 0.6)), r * 0.025
    )


def _beard(canvas: Canvas, head: Head) -> None:
    x, y, r = head.x, head.y, head.r
    for step in range(150):
        t = step / 150
        angle = canvas.chance.uniform(-1, 1)
        at = (
            x + angle * r * (0.82 - 0.2 * t),
            y + r * (0.5 + 0.75 * t) + abs(angle) * r * 0.1 * (1 - t),
        )
        if abs(angle) < 0.32 and t < 0.3:
            at = (at[0], y + r * 0.52)  # the moustache, above the mouth
        end = (at[0] + angle * r * 0.06, at[1] + r * canvas.chance.uniform(0.1, 0.24))
        canvas.line((at, end), canvas.shade(mix(head.hair, INK, 0.12), vary=0.14), r * 0.045)


def _fringe(canvas: Canvas, head: Head, bald: bool) -> None:
    x, y, r = head.x, head.y, head.r
    tone = canvas.shade(mix(head.hair, INK, 0.16))
    for side in (-1, 1):
        canvas.oval(x + side * r * 0.95, y - r * 0.26, r * 0.12, r * 0.4, tone)
    if bald:
        return
    crown = [(x + r * 1.05 * a, y - r * (0.42 + 1.02 * (1 - a * a) ** 0.5))
             for a in (-1, -0.9, -0.7, -0.4, 0, 0.4, 0.7, 0.9, 1)]  # fmt: skip
    part = x - head.turn * r * 0.3
    canvas.polygon([*crown, (x + r * 0.84, y - r * 0.46), (part, y - r * 0.9),
                    (x - r * 0.84, y - r * 0.46)], tone)  # fmt: skip
    for step in range(30):
        a = -0.95 + 1.9 * step / 29
        top = (part + (x + r * a - part) * 0.4, y - r * 1.38 * (1 - 0.12 * a * a))
        tip = (x + r * 0.95 * a, y - r * (0.56 + 0.42 * (1 - a * a)))
        canvas.line((top, tip), canvas.shade(head.hair, vary=0.2), r * 0.03)


def _headgear(canvas: Canvas, head: Head, name: str, color: Color) -> None:
    x, y, r = head.x, head.y, head.r
    tone, dark = canvas.shade(color), canvas.shade(mix(color, INK, 0.34))
    light = canvas.shade(mix(color, (255, 246, 226), 0.22))
    if name == "hat":
        canvas.oval(x, y - r * 0.72, r * 1.75, r * 0.34, dark)
        canvas.oval(x, y - r * 0.78, r * 1.72, r * 0.28, tone)
        canvas.polygon(((x - r * 0.94, y - r * 0.8), (x - r * 0.8, y - r * 1.7),
                        (x + r * 0.8, y - r * 1.7), (x + r * 0.94, y - r * 0.8)), tone)  # fmt: skip
        canvas.oval(x, y - r * 1.7, r * 0.8, r * 0.2, light)
        band = (x - r * 0.93, y - r * 1.04, x + r * 0.93, y - r * 0.82)
        canvas.draw.rectangle(band, fill=dark)
    elif name == "cap":
        canvas.oval(x - head.turn * r * 0.2, y - r * 1.08, r * 1.22, r * 0.6, dark)
        canvas.oval(x - head.turn * r * 0.16, y - r * 1.14, r * 1.14, r * 0.5, tone)
        canvas.oval(x + head.turn * r * 0.2, y - r * 1.28, r * 0.5, r * 0.2, light)
        canvas.draw.rectangle((x - r * 0.98, y - r * 0.86, x + r * 0.98, y - r * 0.66), fill=dark)
    else:
        box = (x - r * 1.24, y - r * 1.52, x + r * 1.24, y + r * 1.9)
        canvas.draw.arc(box, 165, 375, fill=tone, width=round(r * 0.34))
        canvas.draw.arc(box, 165, 375, fill=light, width=round(r * 0.08))
        for side in (-1, 1):
            canvas.polygon(
                ((x + side * r * 1.24, y), (x + side * r * 0.92, y + r * 0.2),
                 (x + side * r * 1.0, y + r * 2.2), (x + side * r * 1.6, y + r * 2.4)),
                tone if side == round(head.turn) else dark,
            )  # fmt: skip
