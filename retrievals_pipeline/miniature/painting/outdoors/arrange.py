"""Where the subjects stand: in rows, each in room of its own, so that they can be counted."""

from dataclasses import dataclass

from retrievals_pipeline.miniature.painting.canvas import Canvas
from retrievals_pipeline.miniature.painting.outdoors.things import THINGS
from retrievals_pipeline.miniature.scenes import IN_THE_SKY, Subject

MARGIN = 0.03  # of the width, at either side of a row
GAP = 0.12  # between two neighbours, of the row's mean width of a thing


@dataclass(frozen=True)
class Standing:
    """One of a subject: the middle of its foot, its height and width, in pixels."""

    subject: Subject
    x: float
    foot: float
    height: float
    width: float


@dataclass(frozen=True)
class Row:
    """A strip of ground: its far and near edge in pixels, how large things are there, its ends."""

    far: float
    near: float
    scale: float = 1.0
    left: float = MARGIN
    right: float = 1 - MARGIN


def standing_subjects(canvas: Canvas) -> list[Subject]:
    """Return the subjects that are not in the sky."""
    return [subject for subject in canvas.scene.subjects if subject.name not in IN_THE_SKY]


def arrange(canvas: Canvas, subjects: list[Subject], row: Row) -> list[Standing]:
    """Stand each of the subjects somewhere along a row; the nearer it is, the larger."""
    items = [subject for subject in subjects for _ in range(subject.count)]
    if not items:
        return []
    chance = canvas.chance
    chance.shuffle(items)
    if len(items) == 1 and canvas.scene.mood == "lonely":
        return [_alone(canvas, items[0], row)]
    span = canvas.width * (row.right - row.left)
    nears = [chance.random() for _ in items]
    heights = [canvas.unit * row.scale * THINGS[item.name].height * chance.uniform(0.88, 1.04)
               * (0.9 + 0.26 * near) for item, near in zip(items, nears, strict=True)]  # fmt: skip
    widths = [height * THINGS[item.name].width for item, height in zip(items, heights, strict=True)]
    fit = min(1.0, span / (sum(widths) * (1 + GAP)))
    slack = [chance.uniform(0.3, 1) for _ in range(len(items) + 1)]
    free = (span - sum(widths) * fit) / sum(slack)
    x, stands = canvas.width * row.left, []
    for place, item in enumerate(items):
        x += slack[place] * free
        width = widths[place] * fit
        foot = row.far + (row.near - row.far) * nears[place]
        stands.append(Standing(item, x + width / 2, foot, heights[place] * fit, width))
        x += width
    return stands


def _alone(canvas: Canvas, subject: Subject, row: Row) -> Standing:
    """Stand a lonely thing small in the wide space, off its middle."""
    thing, chance = THINGS[subject.name], canvas.chance
    height = canvas.unit * min(thing.height, chance.uniform(0.17, 0.22))
    across = chance.choice((0.3, 0.7)) + chance.uniform(-0.06, 0.06)
    x = canvas.width * (row.left + (row.right - row.left) * across)
    return Standing(subject, x, (row.far + row.near) / 2, height, height * thing.width)


def gap(canvas: Canvas, stands: list[Standing]) -> float:
    """Return the share of the width that is farthest from all that stands."""
    chance = canvas.chance
    places = [chance.uniform(0.1, 0.9) for _ in range(12)]

    def room(share: float) -> float:
        x = share * canvas.width
        return min((abs(x - s.x) - s.width / 2 for s in stands), default=1.0)

    return max(places, key=room)
