"""The open-air pictures: which ground, and where on it the subjects stand."""

from collections.abc import Callable

from retrievals_pipeline.miniature import boats, buildings, grounds, living, trees
from retrievals_pipeline.miniature.canvas import PIGMENTS, Canvas, Color
from retrievals_pipeline.miniature.scenes import Subject

Thing = Callable[[Canvas, float, float, float, Color], None]  # x, y of its foot, height, colour

THINGS: dict[str, tuple[Thing, float]] = {  # how to paint it, how high of the canvas's unit
    "sailing boat": (boats.sailing_boat, 0.36),
    "rowing boat": (boats.rowing_boat, 0.2),
    "steamship": (boats.steamship, 0.3),
    "lighthouse": (boats.lighthouse, 0.42),
    "tree": (trees.tree, 0.36),
    "cypress": (trees.cypress, 0.36),
    "fir": (trees.fir, 0.36),
    "church": (buildings.church, 0.4),
    "cottage": (buildings.cottage, 0.2),
    "house": (buildings.house, 0.4),
    "windmill": (buildings.windmill, 0.36),
    "sheep": (living.sheep, 0.13),
    "cow": (living.cow, 0.18),
    "horse": (living.horse, 0.2),
    "walker": (living.walker, 0.2),
    "ship": (boats.steamship, 0.4),
    "bridge": (buildings.cottage, 0.3),
    "dog": (living.sheep, 0.12),
    "bird": (living.sheep, 0.12),
    "mountain": (buildings.cottage, 0.5),
}
WET = {"open sea", "mountain lake"}
AFLOAT = {"sailing boat", "rowing boat", "steamship"}
NEAR = {"sheep", "cow", "horse", "walker"}
ASHORE = {"lighthouse", "fir", "cottage", "church"}  # where there is water
MARGIN = 0.03  # of the width, at either side of a row of subjects
IN_THE_SKY = {"moon", "sun", "flock of birds"}


def paint_outdoors(canvas: Canvas) -> None:
    """Paint the sky, the place and its subjects, from far to near."""
    setting = canvas.scene.setting
    chance = canvas.chance
    wet = setting in WET
    horizon = chance.uniform(0.42, 0.52) if wet else chance.uniform(0.46, 0.56)
    if setting == "mountain lake":
        horizon = chance.uniform(0.58, 0.64)
    lamp = (_gap(canvas), chance.uniform(0.12, 0.22))
    grounds.sky(canvas, horizon, lamp[0])
    grounds.lights(canvas, lamp, horizon)
    y = horizon * canvas.height
    if wet:
        if setting == "mountain lake":
            grounds.mountains(canvas, y)
        grounds.water(canvas, y, lamp[0])
    else:
        grounds.land(canvas, y)
    if setting == "village":
        grounds.street(canvas, y)
    _place(canvas, y)


def _gap(canvas: Canvas) -> float:
    """Return where, as a share of the width, no slot of the far row has its middle."""
    slots = sum(subject.count for subject in _standing(canvas) if subject.name not in NEAR)
    if slots < 2:
        return canvas.chance.choice((0.1, 0.9))
    return MARGIN + (1 - 2 * MARGIN) * canvas.chance.randint(1, slots - 1) / slots


def _place(canvas: Canvas, y: float) -> None:
    """Stand the subjects in rows, each thing in a slot of its own so that it can be counted."""
    subjects = _standing(canvas)
    near = [s for s in subjects if s.name in NEAR]
    ground = canvas.height - y
    high, low = (0.36, 0.42) if canvas.scene.setting == "village" else (0.06, 0.3)
    _row(canvas, [s for s in subjects if s.name not in NEAR], y + ground * low, y + ground * high)
    _row(canvas, near, y + ground * 0.78, y + ground * 0.52)


def _row(canvas: Canvas, subjects: list[Subject], low: float, high: float) -> None:
    items = [subject for subject in subjects for _ in range(subject.count)]
    canvas.chance.shuffle(items)
    slot = canvas.width * (1 - 2 * MARGIN) / max(1, len(items))
    placed = []
    for place, subject in enumerate(items):
        _, size = THINGS[subject.name]
        room = slot / (1.3 if subject.name in AFLOAT or subject.name in NEAR else 1.0)
        t = canvas.chance.random()  # how near
        height = min(canvas.unit * size * canvas.chance.uniform(0.8, 1.1) * (0.9 + 0.3 * t), room)
        level = high + (low - high) * t
        if subject.name in ASHORE and canvas.scene.setting in WET:
            level = high - canvas.unit * 0.02
        shift = max(0.0, slot - height) * canvas.chance.uniform(-0.35, 0.35)
        x = canvas.width * MARGIN + slot * (place + 0.5) + shift
        placed.append((level, x, height, subject))
    for level, x, height, subject in sorted(placed, key=lambda item: item[0]):
        paint_thing, _ = THINGS[subject.name]
        paint_thing(canvas, x, level, height, PIGMENTS.get(subject.color, (128, 128, 128)))
        canvas.mark(subject, (x - height / 2, level - height, x + height / 2, level))


def _standing(canvas: Canvas) -> list[Subject]:
    return [subject for subject in canvas.scene.subjects if subject.name not in IN_THE_SKY]
