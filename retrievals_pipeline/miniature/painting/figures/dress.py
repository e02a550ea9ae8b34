"""Coats: the body below a head, with its folds, and what is worn at the neck."""

import math

import numpy as np

from retrievals_pipeline.miniature.painting.canvas import INK, Box, Canvas, Color, Point, mix
from retrievals_pipeline.miniature.painting.figures.hair import strands
from retrievals_pipeline.miniature.painting.figures.heads import Head
from retrievals_pipeline.miniature.painting.relief import (
    Field,
    Lamp,
    Normals,
    Surface,
    bent,
    dimmed,
    flat,
    grid,
    lay,
    soft,
)

LINEN: Color = (240, 234, 220)
NECK = 1.3  # below the eyes, in half widths of the head
BODY: Box = (-3.4, 1.2, 3.4, 5.2)
COLUMNS, ROWS = 136, 80
STEP = (BODY[2] - BODY[0]) / (COLUMNS - 1)


def shoulders(head: Head) -> float:
    """Return half the width of the shoulders in half widths of the head."""
    if head.build.small:
        return 1.78
    return 2.1 if head.build.female else 2.46


def paint_coat(canvas: Canvas, head: Head, color: Color, lamp: Lamp) -> None:
    """Paint the body in a coat of that colour, with folds that hang from the shoulders."""
    x, y = grid(BODY, COLUMNS, ROWS)
    half = _outline(shoulders(head), y)
    normals = _torso(x, y, half)
    normals = bent(normals, _folds(canvas, x, y, shoulders(head)), STEP)
    weave = strands(canvas, x * 3 + y * 0.7, 0.05)[..., None]
    surface = Surface((half - np.abs(x)) / STEP, normals, flat(_dyed(color), x) * weave)
    left, top, right, bottom = BODY
    box = (head.x + left * head.r, head.y + top * head.r,
           head.x + right * head.r, head.y + bottom * head.r)  # fmt: skip
    lay(canvas, surface, box, lamp)


def _dyed(color: Color) -> Color:
    """Return the colour of cloth: black keeps some light, so that its folds are seen."""
    return mix(color, (96, 92, 100), 0.2) if max(color) < 60 else mix(color, (255, 255, 255), 0.06)


def _outline(reach: float, y: Field) -> Field:
    t = np.clip((y - NECK) / 1.5, 0, 1)
    half: Field = reach * (1 - (1 - t) ** 2.5) ** 0.62
    half += 0.1 * np.clip(y - NECK - 1.5, 0, 3) - 0.02
    return half


def _torso(x: Field, y: Field, half: Field) -> Normals:
    share = np.clip(x / np.maximum(half, 0.1), -1, 1)
    nx = 0.9 * np.sign(share) * np.abs(share) ** 2.2
    ny = -0.75 * np.clip(1 - (y - NECK) / 1.3, 0, 1) ** 1.5 * (0.4 + 0.6 * np.abs(share))
    nz: Field = np.sqrt(np.maximum(0.08, 1 - nx * nx - ny * ny))
    return nx, ny, nz


def _folds(canvas: Canvas, x: Field, y: Field, reach: float) -> Field:
    """Return the relief of the cloth: a seam at each arm, and folds that run down and bend."""
    chance = canvas.chance
    side = np.abs(x)
    arm = 0.7 * reach + 0.1 * (y - 2.8)
    below = np.clip((y - 2.4) / 0.5, 0, 1)
    height: Field = -0.16 * below * np.exp(-(((side - arm) / 0.09) ** 2))
    phase, bend = chance.uniform(0, 6), chance.uniform(-0.5, 0.5)
    spread = np.arctan2(x, y - 0.6) + 0.05 * bend * np.sin(y * 3 + phase)
    deep = np.clip((y - 1.9) / 1.4, 0, 1)
    height += 0.055 * deep * np.sin(spread * 19 + phase + np.sin(y * 2 + x))
    height += 0.03 * deep * np.sin(spread * 37 + bend * 9 + np.sin(x * 3 - y))
    sleeve = np.sin((y * 0.8 + side * 0.9 + bend) * 7 + np.sin(side * 3))
    height += 0.035 * below * np.clip((side - arm) / 0.15, 0, 1) * sleeve
    return height


def paint_neck(canvas: Canvas, head: Head, lamp: Lamp) -> None:
    """Paint the neck, dark below the jaw."""
    x, y = grid((-1.0, 0.0, 1.0, 1.0), 40, 30)
    half = 0.86 + 0.3 * np.clip(y - 0.7, 0, 1)
    nx = np.clip(x, -0.95, 0.95)
    normals = (nx, np.zeros_like(x), np.sqrt(1 - nx * nx))
    shadow = 1 - 0.5 * np.clip((0.72 - y) / 0.35, 0, 1) * np.clip(1.5 + x * lamp.side, 0, 1)
    albedo = flat(head.skin, x) * shadow[..., None]
    wide = head.r * (0.5 if head.build.female or head.build.small else 0.62)
    middle = head.x + head.yaw * head.r * 0.08
    top = head.y + head.r * 0.7
    box = (middle - wide, top, middle + wide, head.y + head.r * (NECK + 0.62))
    lay(canvas, Surface((half - np.abs(x)) * 20, normals, albedo), box, lamp)


def paint_collar(canvas: Canvas, head: Head, color: Color, lamp: Lamp) -> None:
    """Paint what is worn at the neck: a ruff, a lace collar, lapels over a shirt."""
    if head.build.small:
        _wide_collar(canvas, head, lamp)
    elif head.build.female:
        _neckline(canvas, head, lamp)
    elif canvas.chance.random() < 0.4 and not head.build.old:
        _wide_collar(canvas, head, lamp)
    else:
        _lapels(canvas, head, color, lamp)


def _at(head: Head, u: float, v: float) -> Point:
    return head.x + u * head.r, head.y + v * head.r


def _light(lamp: Lamp, side: int) -> float:
    return 1.0 if side == lamp.side else 0.7


def _wide_collar(canvas: Canvas, head: Head, lamp: Lamp) -> None:
    """Paint a flat linen collar in two halves."""
    reach = shoulders(head)
    for side in (-1, 1):
        light = _light(lamp, side)
        shape = [
            _at(head, side * u, v)
            for u, v in (
                (0.0, NECK + 0.56),
                (0.46, NECK + 0.12),
                (0.62, NECK + 0.1),
                (reach * 0.56, NECK + 0.5),
                (reach * 0.6, NECK + 0.72),
                (reach * 0.36, NECK + 1.06),
                (0.1, NECK + 0.98),
            )
        ]
        shadow = [(x - lamp.side * head.r * 0.05, y + head.r * 0.1) for x, y in shape]
        soft(canvas, shadow, dimmed(canvas, INK, 0.5), 0.6, head.r * 0.06)
        canvas.polygon(shape, dimmed(canvas, LINEN, light * 0.97))
        fold = [_at(head, side * 0.5, NECK + 0.16), _at(head, side * reach * 0.5, NECK + 0.78)]
        canvas.line(fold, dimmed(canvas, LINEN, light * 0.84), head.r * 0.03)
        canvas.line(shape[3:], dimmed(canvas, LINEN, light * 0.8), head.r * 0.03)
    x, y = _at(head, 0.0, NECK + 0.76)
    canvas.line(((x, y - head.r * 0.2), (x, y + head.r * 0.24)), dimmed(canvas, INK, 1),
                head.r * 0.03)  # fmt: skip


def _neckline(canvas: Canvas, head: Head, lamp: Lamp) -> None:
    """Paint bare skin in a round neckline edged with lace; the old wear a closed lace collar."""
    if head.build.old:
        for step in range(15):
            turn = math.pi * (0.04 + 0.92 * step / 14)
            x, y = _at(head, 0.78 * math.cos(turn), NECK + 0.22 + 0.5 * math.sin(turn))
            light = 0.86 + 0.14 * math.cos(turn) * lamp.side
            canvas.oval(x, y, head.r * 0.17, head.r * 0.15, dimmed(canvas, LINEN, light * 0.8))
            canvas.oval(x, y - head.r * 0.02, head.r * 0.14, head.r * 0.11,
                        dimmed(canvas, LINEN, light))  # fmt: skip
        x, y = _at(head, 0.0, NECK + 0.8)
        canvas.oval(x, y, head.r * 0.12, head.r * 0.13, dimmed(canvas, (196, 156, 84), 1.0))
        canvas.oval(x, y, head.r * 0.07, head.r * 0.08, dimmed(canvas, (60, 40, 44), 1.0))
        return
    edge = [_at(head, 1.1 * math.cos(turn), NECK + 0.26 + 0.82 * math.sin(turn) ** 0.8)
            for turn in (math.pi * step / 18 for step in range(19))]  # fmt: skip
    shape = [*edge, _at(head, -0.46, NECK + 0.04), _at(head, 0.46, NECK + 0.04)]
    skin = dimmed(canvas, head.skin, 0.94)
    canvas.polygon(shape, skin)
    dark = dimmed(canvas, mix(head.skin, (90, 40, 34), 0.5), 0.9)
    far = [_at(head, -lamp.side * u, NECK + v) for u, v in (
        (1.05, 0.3), (0.5, -0.1), (0.2, 0.1), (0.5, 0.95))]  # fmt: skip
    soft(canvas, far, dark, 0.6, head.r * 0.14)
    throat = [_at(head, u, NECK + v) for u, v in ((-0.45, 0.05), (0.45, 0.05), (0.1, 0.36))]
    soft(canvas, throat, dark, 0.75, head.r * 0.12)
    for x, y in edge:
        canvas.oval(x, y, head.r * 0.09, head.r * 0.08, dimmed(canvas, LINEN, 0.8))
        canvas.oval(x, y - head.r * 0.015, head.r * 0.07, head.r * 0.055, dimmed(canvas, LINEN, 1))


def _lapels(canvas: Canvas, head: Head, color: Color, lamp: Lamp) -> None:
    """Paint a white shirt and a dark neckcloth between the lapels of the coat."""
    shirt = [_at(head, u, NECK + v) for u, v in (
        (-0.6, 0.1), (0.6, 0.1), (0.5, 0.5), (0.0, 2.0), (-0.5, 0.5))]  # fmt: skip
    canvas.polygon(shirt, dimmed(canvas, LINEN, 0.94))
    far = -lamp.side
    half = [_at(head, u * far, NECK + v) for u, v in ((0.0, 0.1), (0.6, 0.1), (0.5, 0.5), (0, 2))]
    soft(canvas, half, dimmed(canvas, (90, 84, 92), 1), 0.45, head.r * 0.08)
    cloth = dimmed(canvas, (58, 50, 56), 1)
    for side in (-1, 1):
        bow = [_at(head, side * u, NECK + v) for u, v in (
            (0.0, 0.5), (0.56, 0.24), (0.62, 0.6), (0.0, 0.66))]  # fmt: skip
        canvas.polygon(bow, cloth)
    canvas.oval(*_at(head, 0.0, NECK + 0.58), head.r * 0.12, head.r * 0.11,
                dimmed(canvas, (84, 74, 80), 1))  # fmt: skip
    for side in (-1, 1):
        light = _light(lamp, side)
        lapel = [_at(head, side * u, NECK + v) for u, v in (
            (0.56, 0.0), (0.86, 0.2), (1.16, 0.86), (0.86, 1.0), (0.96, 1.2), (0.02, 2.5),
            (0.0, 2.0), (0.4, 0.8))]  # fmt: skip
        shadow = [(x + head.r * 0.05, y + head.r * 0.09) for x, y in lapel]
        soft(canvas, shadow, dimmed(canvas, INK, 0.5), 0.5, head.r * 0.07)
        canvas.polygon(lapel, dimmed(canvas, mix(_dyed(color), LINEN, 0.06), light))
        canvas.line([*lapel[1:6]], dimmed(canvas, mix(color, INK, 0.4), light), head.r * 0.025)
    for step in range(2):
        x, y = _at(head, 0.12, NECK + 2.6 + 0.5 * step)
        canvas.oval(x, y, head.r * 0.08, head.r * 0.08, dimmed(canvas, (196, 160, 90), 0.9))
