"""Fruit: each stands on a point of the table and says where it can be seen."""

import math
from collections.abc import Callable
from functools import lru_cache

import numpy as np

from retrievals_pipeline.miniature.painting.canvas import INK, Box, Canvas, Color, mix
from retrievals_pipeline.miniature.painting.relief import (
    Field,
    Lamp,
    Normals,
    Surface,
    bent,
    dimmed,
    flat,
    grid,
    hill,
    lay,
    pigment,
)

CELLS = 72
FRAME: Box = (-1.3, -1.3, 1.3, 1.3)
STEP = 2.6 / (CELLS - 1)
APPLES: dict[str, Color] = {"red": (186, 40, 34), "green": (126, 164, 52), "yellow": (232, 194, 64)}
GRAPES: dict[str, Color] = {"green": (164, 182, 84), "violet": (94, 48, 112)}
WOODY: Color = (84, 58, 36)
LEAF: Color = (70, 110, 52)


def _frame(x: float, y: float, r: float) -> Box:
    """Return the box of the grid about a fruit of half width r that stands on (x, y)."""
    return x - 1.3 * r, y - 2.3 * r, x + 1.3 * r, y + 0.3 * r


@lru_cache(maxsize=1)
def _ball() -> tuple[Field, Field, Normals]:
    """Return the grid and the normals of a ball."""
    x, y = grid(FRAME, CELLS, CELLS)
    reach = np.minimum(0.98, np.sqrt(x * x + y * y))
    return x, y, (x, y, np.sqrt(1 - reach * reach))


def _speckled(canvas: Canvas, x: Field, dark: float) -> Field:
    """Return tones about 1 that differ from cell to cell."""
    return (1 + dark * (canvas.noise.random(x.shape, dtype=np.float32) - 0.5))[..., None]


def apple(canvas: Canvas, x: float, y: float, r: float, color: str, lamp: Lamp) -> Box:
    """Paint an apple with its stalk and a leaf."""
    chance = canvas.chance
    u, v, normals = _ball()
    turned = np.arctan2(u, -(v + 1.1))
    albedo = flat(APPLES[color], u)
    other = pigment({"red": (226, 172, 70), "green": (188, 196, 92), "yellow": (214, 104, 54)}[
        color])  # fmt: skip
    blush = hill(u, v, (chance.uniform(-0.5, 0.5), -0.7), (0.7, 0.5)) * 0.7
    streak = 0.5 + 0.5 * np.sin(turned * 31 + 2 * np.sin(turned * 9 + chance.uniform(0, 6)))
    albedo += (other - albedo) * (blush * (0.35 + 0.65 * streak))[..., None]
    dimple = hill(u, v, (0.0, -0.72), (0.3, 0.16))
    albedo = albedo * (1 - 0.55 * dimple)[..., None]
    shape = np.sqrt((u / (1.0 - 0.06 * v)) ** 2 + ((v + 0.02) / 0.93) ** 2)
    shape += 0.1 * hill(u, v, (0.0, -0.95), (0.25, 0.14))
    surface = Surface((1 - shape) / STEP, bent(normals, -0.12 * dimple, STEP), albedo, 0.5)
    lay(canvas, surface, _frame(x, y, r), lamp)
    lean = chance.uniform(-0.2, 0.3)
    stalk = ((x, y - r * 1.68), (x + r * lean * 0.5, y - r * 1.95), (x + r * lean, y - r * 2.14))
    canvas.line(stalk, dimmed(canvas, WOODY, 0.9), r * 0.09)
    if chance.random() < 0.7:
        _leaf(canvas, x + r * lean * 0.5, y - r * 1.92, r * 0.62, 1 if lean > 0 else -1)
    return x - r, y - 2.05 * r, x + r, y


def _leaf(canvas: Canvas, x: float, y: float, long: float, way: int) -> None:
    tip = (x + way * long, y - long * 0.16)
    above = (x + way * long * 0.42, y - long * 0.42)
    under = (x + way * long * 0.5, y + long * 0.1)
    canvas.polygon(((x, y), above, tip, under), dimmed(canvas, LEAF, 0.8))
    canvas.polygon(((x, y), above, tip), dimmed(canvas, LEAF, 1.15))


def pear(canvas: Canvas, x: float, y: float, r: float, _: str, lamp: Lamp) -> Box:
    """Paint a green-gold pear."""
    chance = canvas.chance
    box = (-1.3, -3.0, 1.3, 0.3)
    u, v = grid(box, 64, 82)
    lean = chance.uniform(-0.14, 0.14)
    middle = lean * np.clip(-v - 0.8, 0, 3) ** 1.2
    heights = (-2.62, -2.56, -2.4, -2.1, -1.75, -1.4, -1.0, -0.6, -0.25, -0.06, 0.02)
    halves = (0.0, 0.24, 0.36, 0.43, 0.52, 0.72, 0.95, 0.98, 0.8, 0.5, 0.0)
    half = np.interp(v[:, 0], heights, halves).astype(np.float32)
    half = np.convolve(np.pad(half, 2, mode="edge"), np.full(5, 0.2, np.float32), "valid")
    slope = np.gradient(half, 3.3 / 81)[:, None]
    half = half[:, None]
    share = np.clip((u - middle) / np.maximum(half, 0.06), -0.98, 0.98)
    z = np.sqrt(1 - share * share)
    fall = np.clip(-slope, -1.4, 1.4) * z
    length = np.sqrt(1 + fall * fall)
    normals = (share / length, fall / length, z / length)
    albedo = flat((194, 184, 74), u) * _speckled(canvas, u, 0.14)
    blush = hill(u, v, (chance.choice((-0.6, 0.6)), -0.9), (0.7, 0.8)) * 0.5
    albedo += (pigment((198, 96, 48)) - albedo) * blush[..., None]
    inside = np.minimum(half - np.abs(u - middle), -0.03 - v) / (2.6 / 63)
    surface = Surface(inside, normals, albedo, 0.3)
    lay(canvas, surface, (x - 1.3 * r, y - 3.0 * r, x + 1.3 * r, y + 0.3 * r), lamp)
    top = x + lean * 1.95 * r
    stalk = ((top, y - r * 2.52), (top + r * 0.05, y - r * 2.75), (top + r * 0.2, y - r * 2.95))
    canvas.line(stalk, dimmed(canvas, WOODY, 0.9), r * 0.11)
    return x - r, y - 2.9 * r, x + r, y


def orange(canvas: Canvas, x: float, y: float, r: float, _: str, lamp: Lamp) -> Box:
    """Paint an orange with its pores and its navel."""
    u, v, normals = _ball()
    pores = canvas.noise.random(u.shape, dtype=np.float32) * 0.022
    albedo = flat((236, 132, 30), u) * _speckled(canvas, u, 0.08)
    at = (canvas.chance.uniform(-0.4, 0.4), canvas.chance.uniform(-0.6, -0.3))
    albedo = albedo * (1 - 0.5 * hill(u, v, at, (0.1, 0.07)))[..., None]
    surface = Surface(
        (0.98 - np.sqrt(u * u + v * v)) / STEP, bent(normals, pores, STEP), albedo, 0.3
    )
    lay(canvas, surface, _frame(x, y, r), lamp)
    px, py = x + at[0] * r, y - r + at[1] * r
    for step in range(5):
        turn = math.tau * step / 5 + 0.3
        end = (px + math.cos(turn) * r * 0.1, py + math.sin(turn) * r * 0.07)
        canvas.line(((px, py), end), dimmed(canvas, (104, 104, 44), 0.9), r * 0.05)
    return x - r, y - 2 * r, x + r, y


def lemon(canvas: Canvas, x: float, y: float, r: float, _: str, lamp: Lamp) -> Box:
    """Paint a lemon lying on its side."""
    chance = canvas.chance
    u, v = grid(FRAME, CELLS, CELLS)
    turn = chance.uniform(-0.45, 0.45)
    low = v - 0.3
    a = u * math.cos(turn) + low * math.sin(turn)
    b = low * math.cos(turn) - u * math.sin(turn)
    half = 0.7 * np.sqrt(np.clip(1 - (a / 1.0) ** 2, 0, 1))
    half = np.maximum(half, 0.17 * np.clip((1.22 - np.abs(a)) / 0.12, 0, 1) ** 0.5)
    x1, y1 = np.clip(a / 1.08, -0.97, 0.97), np.clip(b / np.maximum(half, 0.2), -0.97, 0.97)
    z = np.sqrt(np.maximum(0.03, 1 - x1 * x1 * 0.8 - y1 * y1 * (1 - x1 * x1 * 0.7)))
    rise = y1 * np.sqrt(1 - x1 * x1 * 0.7)
    normals = (x1 * math.cos(turn) * 0.9 - rise * math.sin(turn),
               rise * math.cos(turn) + x1 * math.sin(turn) * 0.9, z)  # fmt: skip
    pores = canvas.noise.random(u.shape, dtype=np.float32) * 0.02
    albedo = flat((244, 212, 50), u)
    green = np.clip((np.abs(a) - 0.8) / 0.4, 0, 1) * 0.4
    albedo += (pigment((150, 160, 50)) - albedo) * green[..., None]
    surface = Surface((half - np.abs(b)) / STEP, bent(normals, pores, STEP), albedo, 0.35)
    lay(canvas, surface, _frame(x, y, r), lamp)
    return x - 1.15 * r, y - 1.45 * r, x + 1.15 * r, y + 0.05 * r


def grapes(canvas: Canvas, x: float, y: float, r: float, color: str, lamp: Lamp) -> Box:
    """Paint a bunch of grapes that lies on the table, its stalk to one side."""
    chance = canvas.chance
    way = chance.choice((-1, 1))
    stalk = ((x - way * r * 0.9, y - r * 1.5), (x - way * r * 1.3, y - r * 2.0))
    canvas.line(stalk, dimmed(canvas, WOODY, 0.9), r * 0.1)
    _leaf(canvas, *stalk[0], r * 0.9, -way)
    _leaf(canvas, *stalk[0], r * 0.8, way)
    u, v, normals = _ball()
    base = GRAPES[color]
    every = slice(None, None, 3)  # they are small
    u, v = u[every, every], v[every, every]
    nx, ny, nz = (each[every, every] for each in normals)
    inside = (1 - np.sqrt(u * u + v * v)) / STEP / 3
    balls = [
        Surface(inside, (nx, ny, nz), flat(mix(base, INK, dark), u), 0.55)
        for dark in (0.0, 0.12, 0.26)
    ]
    size = r * 0.29
    for row, count in enumerate((6, 7, 6, 5, 3)):
        level = y - r * (1.5 - 0.31 * row)
        for i in range(count):
            shift = way * r * (0.16 * row - 0.3)
            at = x + shift + r * 0.4 * (i - (count - 1) / 2) + r * chance.uniform(-0.06, 0.06)
            ball = balls[chance.randrange(3)]
            up = level - abs(i - (count - 1) / 2) * r * -0.06 + r * chance.uniform(-0.05, 0.05)
            lay(canvas, ball, _frame(at, up + size, size), lamp)
    return x - 1.4 * r, y - 1.9 * r, x + 1.4 * r, y


Fruit = Callable[[Canvas, float, float, float, str, Lamp], Box]
FRUIT: dict[str, Fruit] = {
    "apple": apple,
    "pear": pear,
    "orange": orange,
    "lemon": lemon,
    "bunch of grapes": grapes,
}
