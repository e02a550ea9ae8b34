"""How animals, walkers, birds and the lights of the sky are painted, standing on (x, y)."""

from retrievals_pipeline.miniature.canvas import SKIN, Canvas, Color, mix

DARK: Color = (48, 40, 38)


def _shadow(canvas: Canvas, x: float, y: float, s: float) -> None:
    canvas.oval(x + s * 0.06, y, s * 0.5, s * 0.07, canvas.shade((84, 92, 62)))


def sheep(canvas: Canvas, x: float, y: float, s: float, _: Color) -> None:
    """Paint a woolly body on four dark legs, head to one side."""
    way = canvas.chance.choice((-1, 1))
    _shadow(canvas, x, y, s)
    for leg in (-0.26, -0.14, 0.14, 0.26):
        foot = ((x + s * leg, y - s * 0.3), (x + s * leg, y))
        canvas.line(foot, canvas.shade(DARK), s * 0.06)
    for step in range(16):
        dx, dy = canvas.chance.uniform(-0.3, 0.3), canvas.chance.uniform(-0.14, 0.14)
        tone = mix((236, 228, 210), (150, 140, 140), max(0.0, dy * 2.4) + step * 0.004)
        canvas.oval(
            x + s * dx, y - s * (0.5 - dy), s * 0.17, s * 0.15, canvas.shade(tone, vary=0.04)
        )
    head = (x + way * s * 0.46, y - s * 0.58)
    canvas.oval(*head, s * 0.13, s * 0.12, canvas.shade(DARK))
    canvas.oval(head[0] - way * s * 0.08, head[1] - s * 0.1, s * 0.06, s * 0.04, canvas.shade(DARK))


def cow(canvas: Canvas, x: float, y: float, s: float, color: Color) -> None:
    """Paint a long body, a low head with horns, a hanging tail."""
    _beast(canvas, x, y, s, color, horse_like=False)


def horse(canvas: Canvas, x: float, y: float, s: float, color: Color) -> None:
    """Paint a lean body on long legs, the head high, with a mane."""
    _beast(canvas, x, y, s, color, horse_like=True)


def _beast(canvas: Canvas, x: float, y: float, s: float, color: Color, *, horse_like: bool) -> None:
    way = canvas.chance.choice((-1, 1))
    body = canvas.shade(mix(color, (255, 240, 220), 0.08))
    dark, light = (
        canvas.shade(mix(color, DARK, 0.4)),
        canvas.shade(mix(color, (255, 244, 224), 0.3)),
    )
    _shadow(canvas, x, y, s)
    for leg, tone in ((-0.3, dark), (0.18, dark), (-0.2, body), (0.28, body)):
        top, thick = y - s * 0.42, 0.055 if horse_like else 0.065
        canvas.polygon(
            ((x + s * (leg - thick), top), (x + s * (leg + thick), top),
             (x + s * (leg + thick * 0.45), y), (x + s * (leg - thick * 0.45), y)), tone,
        )  # fmt: skip
    deep = 0.16 if horse_like else 0.2
    canvas.oval(x, y - s * 0.51, s * 0.4, s * deep, dark)
    canvas.oval(x, y - s * 0.54, s * 0.4, s * deep, body)
    canvas.oval(x - way * s * 0.06, y - s * 0.62, s * 0.26, s * deep * 0.4, light)
    tail = ((x - way * s * 0.38, y - s * 0.6), (x - way * s * 0.45, y - s * 0.45),
            (x - way * s * 0.43, y - s * 0.22))  # fmt: skip
    canvas.line(tail, dark, s * (0.06 if horse_like else 0.03))
    lift = 0.94 if horse_like else 0.68
    hx, hy = x + way * s * 0.46, y - s * lift
    canvas.polygon(
        ((x + way * s * 0.16, y - s * 0.66), (hx - way * s * 0.08, hy - s * 0.05),
         (hx + way * s * 0.06, hy + s * 0.07), (x + way * s * 0.38, y - s * 0.42)), body,
    )  # fmt: skip
    canvas.polygon(
        ((hx - way * s * 0.09, hy - s * 0.09), (hx + way * s * 0.03, hy - s * 0.08),
         (hx + way * s * 0.18, hy + s * 0.09), (hx + way * s * 0.13, hy + s * 0.15),
         (hx - way * s * 0.04, hy + s * 0.09)), body,
    )  # fmt: skip
    canvas.oval(
        hx + way * s * 0.15, hy + s * 0.115, s * 0.04, s * 0.035, dark if horse_like else light
    )
    if horse_like:
        mane = ((hx - way * s * 0.07, hy - s * 0.11), (x + way * s * 0.15, y - s * 0.68))
        canvas.line(mane, canvas.shade(DARK), s * 0.06)
    for ear in (-0.08, 0.01):
        base = hx + way * s * ear
        color_of_it = body if horse_like else canvas.shade((232, 222, 196))
        tip = (base - way * s * 0.01, hy - s * (0.17 if horse_like else 0.2))
        canvas.line(((base, hy - s * 0.07), tip), color_of_it, s * (0.045 if horse_like else 0.025))
    for spot in range(0 if horse_like else 3):
        at = x + s * (-0.2 + 0.19 * spot)
        canvas.oval(
            at,
            y - s * canvas.chance.uniform(0.5, 0.6),
            s * 0.07,
            s * 0.06,
            light if spot % 2 else dark,
        )


def walker(canvas: Canvas, x: float, y: float, s: float, color: Color) -> None:
    """Paint a person in a long coat and a hat, with a stick."""
    _shadow(canvas, x, y, s * 0.6)
    canvas.line(((x - s * 0.05, y - s * 0.2), (x - s * 0.08, y)), canvas.shade(DARK), s * 0.07)
    canvas.line(((x + s * 0.05, y - s * 0.2), (x + s * 0.08, y)), canvas.shade(DARK), s * 0.07)
    canvas.polygon(
        ((x - s * 0.09, y - s * 0.76), (x + s * 0.09, y - s * 0.76), (x + s * 0.18, y - s * 0.14),
         (x - s * 0.18, y - s * 0.14)), canvas.shade(color),
    )  # fmt: skip
    canvas.polygon(
        ((x + s * 0.02, y - s * 0.76), (x + s * 0.09, y - s * 0.76), (x + s * 0.18, y - s * 0.14),
         (x + s * 0.06, y - s * 0.14)), canvas.shade(mix(color, (30, 24, 40), 0.3)),
    )  # fmt: skip
    arm = ((x + s * 0.08, y - s * 0.7), (x + s * 0.22, y - s * 0.44))
    canvas.line(arm, canvas.shade(mix(color, (30, 24, 40), 0.15)), s * 0.07)
    canvas.line(
        ((x + s * 0.22, y - s * 0.5), (x + s * 0.26, y)), canvas.shade((96, 66, 40)), s * 0.02
    )
    canvas.oval(x, y - s * 0.84, s * 0.075, s * 0.085, canvas.shade(SKIN))
    canvas.oval(x, y - s * 0.89, s * 0.13, s * 0.03, canvas.shade(DARK))
    canvas.oval(x, y - s * 0.93, s * 0.07, s * 0.06, canvas.shade(DARK))


def birds(canvas: Canvas) -> None:
    """Paint a flock, high on one side of the sky."""
    x = canvas.width * canvas.chance.uniform(0.2, 0.7)
    y = canvas.height * canvas.chance.uniform(0.1, 0.2)
    dark = mix(canvas.shade(DARK), canvas.light.top, 0.15)
    for _ in range(canvas.chance.randint(7, 11)):
        bx = x + canvas.unit * canvas.chance.uniform(-0.16, 0.16)
        by = y + canvas.unit * canvas.chance.uniform(-0.06, 0.07)
        wing = canvas.unit * canvas.chance.uniform(0.016, 0.026)
        points = ((bx - wing, by - wing * 0.5), (bx - wing * 0.4, by - wing * 0.55), (bx, by),
                  (bx + wing * 0.4, by - wing * 0.6), (bx + wing, by - wing * 0.4))  # fmt: skip
        canvas.line(points, dark, wing * 0.2)


def moon(canvas: Canvas, x: float, y: float) -> None:
    """Paint a full moon in its halo."""
    r = canvas.unit * 0.055
    canvas.glow(x, y, r * 4.5, (190, 204, 232), 0.6)
    canvas.oval(x, y, r, r, (246, 242, 222))
    for dx, dy, size in ((-0.3, -0.2, 0.22), (0.25, 0.15, 0.3), (-0.1, 0.42, 0.16)):
        canvas.oval(x + r * dx, y + r * dy, r * size, r * size * 0.9, (228, 224, 204))


def sun(canvas: Canvas, x: float, y: float) -> None:
    """Paint a low sun in a wide glow."""
    r = canvas.unit * 0.06
    canvas.glow(x, y, r * 6, (255, 214, 120), 0.75)
    if canvas.scene.manner == "engraving":  # which has no gold to set it off
        canvas.oval(x, y, r * 1.06, r * 1.06, DARK)
    canvas.oval(x, y, r, r, (255, 238, 176))
