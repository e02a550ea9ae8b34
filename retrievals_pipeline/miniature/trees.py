"""How trees are painted: standing on (x, y), `s` high, as the season has them."""

import math

from retrievals_pipeline.miniature.canvas import FOLIAGE, SNOW, WOOD, Canvas, Color, mix


def tree(canvas: Canvas, x: float, y: float, s: float, _: Color) -> None:
    """Paint a broad tree with the leaves of the season, bare in winter."""
    if canvas.scene.season == "winter":
        _branch(canvas, x, y, s * 0.34, -math.pi / 2, 6)
        return
    trunk = ((x - s * 0.05, y), (x - s * 0.03, y - s * 0.5), (x + s * 0.03, y - s * 0.5),
             (x + s * 0.05, y))  # fmt: skip
    canvas.polygon(trunk, canvas.shade(WOOD))
    leaves = FOLIAGE[canvas.scene.season]
    for step in range(34):
        angle, reach = canvas.chance.uniform(0, math.tau), canvas.chance.random() ** 0.6
        dx, dy = math.cos(angle) * reach * s * 0.3, math.sin(angle) * reach * s * 0.28
        light = (-dx - dy) / s * 0.9 + step * 0.004
        tone = mix(leaves, (255, 246, 190) if light > 0 else (18, 26, 40), min(0.45, abs(light)))
        r = s * canvas.chance.uniform(0.07, 0.13)
        canvas.oval(x + dx, y - s * 0.66 + dy, r, r * 0.85, canvas.shade(tone, vary=0.08))


def _branch(canvas: Canvas, x: float, y: float, length: float, angle: float, depth: int) -> None:
    tip = (x + math.cos(angle) * length, y + math.sin(angle) * length)
    color = canvas.shade((74, 60, 56))
    canvas.line(((x, y), tip), color, length * 0.12)
    if depth == 0:
        return
    for turn in (-0.5, 0.42):
        bend = angle + turn * canvas.chance.uniform(0.6, 1.3)
        _branch(canvas, *tip, length * canvas.chance.uniform(0.62, 0.76), bend, depth - 1)


def cypress(canvas: Canvas, x: float, y: float, s: float, _: Color) -> None:
    """Paint a dark flame of a tree."""
    green = (46, 78, 52)
    canvas.line(((x, y), (x, y - s * 0.2)), canvas.shade(WOOD), s * 0.03)
    for step in range(26):
        t = step / 25
        half = s * 0.11 * math.sin(math.pi * min(1.0, (1 - t) * 0.86 + 0.1)) + s * 0.008
        shift = canvas.chance.uniform(-0.3, 0.3) * half
        tone = canvas.shade(mix(green, (130, 150, 80), canvas.chance.uniform(0, 0.35)))
        canvas.oval(x + shift, y - s * (0.1 + 0.86 * t), half, s * 0.055, tone)


def fir(canvas: Canvas, x: float, y: float, s: float, _: Color) -> None:
    """Paint a fir in four tiers, snowy in winter."""
    canvas.line(((x, y), (x, y - s * 0.2)), canvas.shade(WOOD), s * 0.05)
    for tier in range(5):
        t = tier / 5
        low, half = y - s * (0.1 + 0.7 * t), s * 0.26 * (1 - t * 0.72)
        top = low - s * 0.34 * (1 - t * 0.35)
        canvas.polygon(
            ((x - half, low), (x - half * 0.3, low + s * 0.025), (x + half, low), (x, top)),
            canvas.shade(mix((34, 70, 58), (96, 130, 90), t * 0.4)),
        )
        if canvas.scene.season == "winter":
            canvas.polygon(((x - half * 0.8, low - s * 0.02), (x - half * 0.1, low - s * 0.06),
                            (x, top)), canvas.shade(SNOW))  # fmt: skip
