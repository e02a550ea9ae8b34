"""Open-air pictures laid out, before any of them is painted: horizon, rows, summits, light."""

from dataclasses import dataclass, replace

from retrievals_pipeline.miniature.painting.canvas import Canvas
from retrievals_pipeline.miniature.painting.outdoors import rivers
from retrievals_pipeline.miniature.painting.outdoors.arrange import (
    Row,
    Standing,
    arrange,
    gap,
    standing_subjects,
)
from retrievals_pipeline.miniature.painting.outdoors.peaks import Peak
from retrievals_pipeline.miniature.painting.outdoors.sky import Lamp
from retrievals_pipeline.miniature.painting.outdoors.things import AFLOAT, NEAR, THINGS

TOWERING = ("open sea", "meadow", "hills")  # where a dramatic sky takes more of the picture


@dataclass(frozen=True)
class Ground:
    """How a place is laid out, in shares: its horizon, and from there down its two rows."""

    horizon: tuple[float, float]
    far: tuple[float, float]
    near: tuple[float, float]
    sun: float  # how high the sun stands, of the way from the top to the horizon
    scale: float = 1.0  # how large the things of the far row are
    skyline: float = 1.0  # above it nothing stands before stars and moon


GROUNDS = {
    "open sea": Ground((0.4, 0.58), (0.1, 0.42), (0.1, 0.42), 0.74),
    "river": Ground((0.4, 0.48), (0.1, 0.3), (0.5, 0.8), 0.5),
    "meadow": Ground((0.44, 0.54), (0.06, 0.14), (0.5, 0.82), 0.55),
    "hills": Ground((0.46, 0.58), (0.16, 0.46), (0.66, 0.86), 0.5),
    "forest": Ground((0.56, 0.62), (0.2, 0.5), (0.72, 0.88), 0.16, 1.3, 0.16),
    "mountains": Ground((0.68, 0.72), (0.3, 0.55), (0.5, 0.8), 0.2, 0.85, 0.2),
    "mountain lake": Ground((0.54, 0.6), (0.2, 0.6), (0.2, 0.6), 0.2, skyline=0.23),
    "village": Ground((0.5, 0.56), (0.26, 0.32), (0.6, 0.84), 0.34),
    "branch": Ground((1.04, 1.04), (0.5, 0.6), (0.5, 0.6), 0.26),
}


@dataclass(frozen=True)
class View:
    """A picture laid out: what it is painted on, its horizon, what stands in it, its light."""

    canvas: Canvas
    horizon: float
    skyline: float
    stands: list[Standing]
    lamp: Lamp
    free: float  # where a flock has the sky to itself, a share of the width
    summits: list[Peak]
    run: rivers.Course


def lay_out(canvas: Canvas) -> View:
    """Choose where everything of the canvas's scene is."""
    scene, chance = canvas.scene, canvas.chance
    ground = GROUNDS[scene.setting]
    horizon = chance.uniform(*ground.horizon)
    if scene.mood == "dramatic" and scene.setting in TOWERING:
        horizon += 0.07
    run = rivers.course(canvas)
    summits = _summits(canvas, horizon) if scene.setting == "mountains" else []
    blocked = [_as_standing(canvas, summit) for summit in summits]
    if scene.setting == "river":
        stands = rivers.along(canvas, horizon, run, standing_subjects(canvas))
    else:
        stands = _stands(canvas, ground, horizon, blocked)
    if not summits:
        blocked = [each for each in stands if each.foot - each.height < 0.36 * canvas.height]
    names = {subject.name for subject in scene.subjects}
    high = ground.sun * min(1.0, horizon)
    if "sun" not in names:
        high = min(chance.uniform(0.13, 0.2), ground.skyline * 0.55)
    lamp = Lamp(gap(canvas, blocked), high, bool(names & {"sun", "moon"}))
    if lamp.seen:
        disc = Standing(scene.subjects[0], lamp.x * canvas.width, 0, 0, canvas.unit * 0.3)
        blocked = [*blocked, disc]
    skyline = min(horizon, ground.skyline)
    return View(canvas, horizon, skyline, stands, lamp, gap(canvas, blocked), summits, run)


def _stands(
    canvas: Canvas, ground: Ground, horizon: float, summits: list[Standing]
) -> list[Standing]:
    """Stand the subjects in a far and a near row; what is alone in its row hides nothing."""
    setting = canvas.scene.setting

    def row(shares: tuple[float, float], scale: float, behind: list[Standing]) -> Row:
        down = [canvas.height * (horizon + (1 - horizon) * share) for share in shares]
        if not behind:
            return Row(down[0], down[1], scale)
        free = min(0.86, max(0.14, gap(canvas, behind)))
        return Row(down[0], down[1], scale, free - 0.13, free + 0.13)

    standing = [subject for subject in standing_subjects(canvas) if subject.name in THINGS]
    near = [subject for subject in standing if subject.name in NEAR]
    far = [subject for subject in standing if subject.name not in NEAR]
    stands = arrange(canvas, far, row(ground.far, ground.scale, summits))
    if setting in ("open sea", "mountain lake"):
        shore = canvas.height * (horizon + 0.014)
        stands = [s if s.subject.name in AFLOAT else replace(s, foot=shore) for s in stands]
    alone = sum(subject.count for subject in near) == 1
    hidden = [*summits, *stands] if alone else []
    return stands + arrange(canvas, near, row(ground.near, 1.0, hidden))


def _summits(canvas: Canvas, horizon: float) -> list[Peak]:
    """Choose the great mountains, each with a summit of its own."""
    chance = canvas.chance
    subject = canvas.scene.subjects[0]
    count = subject.count
    room = 0.92 / count
    cone = count == 1 and chance.random() < 0.6
    summits = []
    for place in range(count):
        x = 0.04 + room * (place + 0.5) + room * chance.uniform(-0.06, 0.06)
        x = chance.uniform(0.35, 0.65) if count == 1 else x
        top = chance.uniform(0.17, 0.24) + (0.05 if place % 2 else 0.0)
        half = (0.5, 0.31, 0.215)[count - 1] * (1.15 if cone else 1.0) * chance.uniform(0.9, 1.0)
        snow = 0.35 if canvas.scene.season == "winter" else 0.62
        summits.append(Peak(x, top, horizon + 0.02, half, 0.16, cone=cone, snow=snow))
    for summit in summits:
        left, right = summit.x - summit.half * 0.7, summit.x + summit.half * 0.7
        canvas.mark(subject, (left * canvas.width, summit.top * canvas.height,
                              right * canvas.width, summit.foot * canvas.height))  # fmt: skip
    return summits


def _as_standing(canvas: Canvas, summit: Peak) -> Standing:
    width = summit.half * 0.5 * canvas.width
    return Standing(canvas.scene.subjects[0], summit.x * canvas.width, 0, width, width)
