"""The still life: fruit and vessels on a table before a wall."""

import numpy as np

from retrievals_pipeline.miniature.painting.candles import darken, paint_candle, paint_flame
from retrievals_pipeline.miniature.painting.canvas import INK, Box, Canvas, Color, mix
from retrievals_pipeline.miniature.painting.relief import (
    Lamp,
    Surface,
    bent,
    flat,
    grid,
    lamp_from,
    lay,
    refine,
    ring,
    soft,
)
from retrievals_pipeline.miniature.painting.rooms import BRIGHT, DAY, paint_curtain, paint_wall
from retrievals_pipeline.miniature.painting.still_life.arrangement import (
    Place,
    fruit_places,
    tall_places,
)
from retrievals_pipeline.miniature.painting.still_life.fruit import FRUIT
from retrievals_pipeline.miniature.painting.still_life.vessels import VESSELS

CLOTHS: tuple[Color, ...] = (
    (214, 208, 194), (206, 196, 172), (96, 60, 44), (74, 84, 92), (120, 92, 64))  # fmt: skip
WALLS: tuple[Color, ...] = ((126, 118, 100), (104, 112, 112), (134, 108, 86), (92, 98, 86))


def paint_table(canvas: Canvas) -> None:
    """Set the things of the scene on a table, the tall ones behind."""
    scene, chance = canvas.scene, canvas.chance
    side = chance.choice((-1, 1))
    tones = BRIGHT if scene.mood == "cheerful" else DAY
    edge = canvas.height * chance.uniform(0.5, 0.56)
    tall = tall_places(canvas, edge)
    candle = next((place for place in tall if place.subject.name == "candle"), None)
    if candle:
        side = 1 if candle.x > canvas.width / 2 else -1
    lamp = lamp_from(side * 0.66, -0.3 if candle else -0.56, 0.55, *tones)
    _room(canvas, lamp, edge)
    places = tall + fruit_places(canvas, edge, tall)
    for place in places:
        _shadow(canvas, place, lamp)
    refine(canvas)
    for place in sorted(places, key=lambda place: place.y):
        canvas.mark(place.subject, _paint(canvas, place, lamp))
    if candle:
        flame = (candle.x, candle.y - candle.size * 0.9)
        darken(canvas, (flame[0], flame[1] + candle.size * 0.5), canvas.unit * 0.8, 0.84)
        paint_flame(canvas, flame, candle.size)


def _paint(canvas: Canvas, place: Place, lamp: Lamp) -> Box:
    name, x, y, size = place.subject.name, place.x, place.y, place.size
    if name == "candle":
        paint_candle(canvas, x, y, size)
        return x - size * 0.17, y - size * 1.05, x + size * 0.17, y + size * 0.04
    paint = FRUIT.get(name) or VESSELS[name]
    return paint(canvas, x, y, size, place.subject.color, lamp)


def _room(canvas: Canvas, lamp: Lamp, edge: float) -> None:
    chance, w, h = canvas.chance, canvas.width, canvas.height
    level = {"cheerful": 1.25, "mysterious": 0.6}.get(canvas.scene.mood, 1.0)
    paint_wall(canvas, chance.choice(WALLS), (0.5 + 0.25 * lamp.side, 0.3), level)
    if chance.random() < 0.35 and not canvas.scene.candlelit:
        _sunlight(canvas, lamp)
    elif chance.random() < 0.4:
        paint_curtain(canvas, lamp, -lamp.side, level)
    wood = chance.choice(((104, 70, 46), (124, 86, 56), (84, 58, 42)))
    cloth = chance.choice(CLOTHS)
    front = h * 0.93
    _plane(canvas, wood, (0.0, edge, float(w), front), lamp)
    side = ((0.0, front), (w, front), (w, h), (0.0, h))
    soft(canvas, side, canvas.shade(mix(wood, INK, 0.45)), 1.0, h * 0.003)
    if chance.random() < 0.75:
        _cloth(canvas, cloth, edge, lamp)


def _sunlight(canvas: Canvas, lamp: Lamp) -> None:
    """Paint the panes of a window, thrown on the wall by the sun."""
    w, h = canvas.width, canvas.height
    x, y = w * (0.5 + 0.05 * lamp.side), h * 0.06
    for column in range(2):
        for row in range(2):
            left = x - lamp.side * w * (0.02 + 0.13 * column)
            top = y + h * (0.2 * row + 0.04 * column)
            wide, high, drop = -lamp.side * w * 0.115, h * 0.18, h * 0.035
            pane = ((left, top), (left + wide, top + drop), (left + wide, top + drop + high),
                    (left, top + high))  # fmt: skip
            soft(canvas, pane, canvas.tint((246, 226, 180)), 0.42, canvas.unit * 0.012)


def _plane(canvas: Canvas, color: Color, box: Box, lamp: Lamp) -> None:
    """Paint the top of a wooden table."""
    x, y = grid((0.0, 0.0, 4.0, 1.0), 120, 40)
    grain = 1 + 0.08 * np.sin(y * 60 + np.sin(x * 2 + y * 5) * 3 + 3 * np.sin(x * 0.7))
    glow = 0.8 + 0.24 * np.exp(-(((x - 2 - lamp.side) / 1.6) ** 2))
    albedo = flat(color, x) * (grain * glow)[..., None]
    normals = (np.zeros_like(x), np.full_like(x, -0.62), np.full_like(x, 0.78))
    lay(canvas, Surface(np.ones_like(x), normals, albedo), box, lamp)


def _cloth(canvas: Canvas, color: Color, edge: float, lamp: Lamp) -> None:
    """Spread a cloth that hangs over the front of the table."""
    chance, w, h = canvas.chance, canvas.width, canvas.height
    x, y = grid((0.0, 0.0, 1.0, 1.0), 120, 60)
    left, right = chance.choice(((0.1, 2.0), (-1.0, 0.9), (0.06, 0.94), (-1.0, 2.0)))
    wave, lean = chance.uniform(0, 6), chance.uniform(0.06, 0.16)
    start = 0.07 + 0.02 * np.sin(x * 9 + wave)
    sides = np.minimum(x - left + lean * (y - 1), right - lean * (1 - y) - x)
    fall = np.clip((y - 0.82) / 0.05, 0, 1)
    folds = 0.012 * np.sin(x * 16 + y * 9 + wave + 2 * np.sin(y * 4 + x * 3)) * (1 - fall)
    folds += 0.008 * np.sin(x * 7 - y * 16 + wave * 2) * (1 - fall)
    folds += 0.008 * np.sin(x * 46 + wave + np.sin(x * 11)) * fall
    tilt = -0.66 * (1 - fall) + 0.1 * fall
    normals = bent((np.zeros_like(x), tilt, np.sqrt(1 - tilt * tilt)), folds, 1 / 119)
    hem = 0.97 + 0.02 * np.sin(x * 20 + wave) - y
    inside = np.minimum(np.minimum(sides, hem), y - start) * 110
    albedo = flat(color, x) * (1 - 0.25 * fall)[..., None]
    lay(canvas, Surface(inside, normals, albedo), (0.0, edge, float(w), float(h)), lamp)


def _shadow(canvas: Canvas, place: Place, lamp: Lamp) -> None:
    """Lay the shadow of a thing on the table, away from the lamp."""
    size = place.size if place.subject.name in FRUIT else place.size * 0.2
    if place.subject.name == "book":
        size = place.size * 0.42
    away = -lamp.side * size
    dark = canvas.tint((26, 18, 20))
    cast = ring(place.x + away * 0.85, place.y - size * 0.16, size * 1.35, size * 0.36)
    soft(canvas, cast, dark, 0.5, size * 0.2)
    near = ring(place.x + away * 0.1, place.y - size * 0.06, size * 0.85, size * 0.24)
    soft(canvas, near, dark, 0.75, size * 0.12)
