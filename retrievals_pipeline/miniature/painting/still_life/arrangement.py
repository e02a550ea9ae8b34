"""Where the things of a still life stand: vessels behind, fruit in front and easily counted."""

import math
from dataclasses import dataclass

from retrievals_pipeline.miniature.painting.canvas import Canvas
from retrievals_pipeline.miniature.painting.still_life.fruit import FRUIT
from retrievals_pipeline.miniature.scenes import Subject

HEIGHTS = {"jug": 0.5, "bottle": 0.66, "vase": 0.62, "book": 0.52, "candle": 0.56}
BROAD = {"bunch of grapes": 1.35}  # times the width of an apple
SLOT = 2.2  # how wide the place of a fruit is, in its half widths


@dataclass(frozen=True)
class Place:
    """Where a thing stands: its foot, its size, what it is."""

    x: float
    y: float
    size: float
    subject: Subject


def tall_places(canvas: Canvas, edge: float) -> list[Place]:
    """Return where the vessels, the candle and the book stand; `edge` is where the table ends."""
    subjects = canvas.scene.subjects
    tall = [subject for subject in subjects if subject.name in HEIGHTS]
    way = canvas.chance.choice((-1, 1))
    places = []
    for index, subject in enumerate(tall):
        size, x = HEIGHTS[subject.name], 0.5 + 0.28 * way * (1 if index == 0 else -1)
        deep = 0.16
        if subject is subjects[0]:
            deep, x = 0.27, 0.5 + canvas.chance.uniform(-0.07, 0.07)
            size = (edge / canvas.height + deep) * canvas.height / canvas.unit / 1.09
        elif subjects[0].name == "vase":
            x = 0.5 + (0.3 if subject.name == "book" else 0.36) * way
        if subject.name == "book":
            deep = 0.36
        y = edge + canvas.height * deep
        places.append(Place(canvas.width * x, y, canvas.unit * size, subject))
    return places


def fruit_places(canvas: Canvas, edge: float, tall: list[Place]) -> list[Place]:
    """Set the fruit in two rows, the ones behind between those in front."""
    chance = canvas.chance
    fruit = [
        each for each in canvas.scene.subjects if each.name in FRUIT for _ in range(each.count)
    ]
    if not fruit:
        return []
    chance.shuffle(fruit)
    fruit.sort(key=lambda each: each.name == "pear")  # the tall ones go behind
    ahead = math.ceil(len(fruit) / 2) if len(fruit) > 2 else len(fruit)
    even = len(fruit) == 2 * ahead  # then the rows are moved against each other
    left, right = _free(canvas, tall)
    slots = max(_slots(fruit[:ahead]), _slots(fruit[ahead:])) + 0.5 * even
    largest = 0.17 if len(fruit) == 1 else 0.125
    r = min(canvas.unit * largest, (right - left) / (SLOT * max(slots, 1.8)))
    spare = max(0.0, right - left - SLOT * r * slots)
    middle = (left + right) / 2 + chance.uniform(-0.5, 0.5) * spare
    front = min(canvas.height * 0.93, edge + canvas.height * 0.32 + r * 0.3)
    way = chance.choice((-1, 1)) * even * SLOT * r / 4
    return [*_row(canvas, fruit[:ahead], middle - way, front, r),
            *_row(canvas, fruit[ahead:], middle + way, front - 1.75 * r, 0.92 * r)]  # fmt: skip


def _slots(row: list[Subject]) -> float:
    return sum(BROAD.get(each.name, 1.0) for each in row)


def _row(canvas: Canvas, row: list[Subject], middle: float, foot: float, r: float) -> list[Place]:
    """Set fruit of half width r side by side, not quite in line."""
    x = middle - SLOT * r * _slots(row) / 2
    places = []
    for each in row:
        half = SLOT / 2 * r * BROAD.get(each.name, 1.0)
        y = foot - r * canvas.chance.uniform(-0.3, 0.3)
        places.append(Place(x + half, y, r, each))
        x += 2 * half
    return places


def _free(canvas: Canvas, tall: list[Place]) -> tuple[float, float]:
    """Return the part of the table that is left for the fruit."""
    w = canvas.width
    left, right = w * 0.05, w * 0.95
    for place in tall:
        if abs(place.x - w / 2) < w * 0.1:
            continue  # behind the fruit
        reach = canvas.unit * (0.24 if place.subject.name == "book" else 0.1)
        if place.x < w / 2:
            left = max(left, place.x + reach)
        else:
            right = min(right, place.x - reach)
    return left, right
