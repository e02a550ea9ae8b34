"""The open-air pictures: each place composed from far to near."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from retrievals_pipeline.miniature import foreground, land, peaks, rivers, sky, water, weather
from retrievals_pipeline.miniature.arrange import Row, Standing, arrange, gap, standing_subjects
from retrievals_pipeline.miniature.backdrop import Backdrop
from retrievals_pipeline.miniature.branches import perch
from retrievals_pipeline.miniature.canvas import PIGMENTS, Canvas
from retrievals_pipeline.miniature.peaks import Peak
from retrievals_pipeline.miniature.shadows import PixelBox, cast
from retrievals_pipeline.miniature.sky import Lamp
from retrievals_pipeline.miniature.things import AFLOAT, NEAR, THINGS

GREY = (128, 128, 128)


@dataclass(frozen=True)
class Ground:
    """How a place is laid out, in shares: its horizon, and from there down its two rows."""

    horizon: tuple[float, float]
    far: tuple[float, float]
    near: tuple[float, float]
    sun: float  # how high the sun stands, of the way from the top to the horizon
    scale: float = 1.0  # how large the things of the far row are


GROUNDS = {
    "open sea": Ground((0.4, 0.58), (0.1, 0.42), (0.1, 0.42), 0.74),
    "river": Ground((0.4, 0.48), (0.1, 0.3), (0.5, 0.8), 0.5),
    "meadow": Ground((0.44, 0.54), (0.06, 0.14), (0.5, 0.82), 0.55),
    "hills": Ground((0.46, 0.58), (0.16, 0.46), (0.66, 0.86), 0.5),
    "forest": Ground((0.56, 0.62), (0.2, 0.5), (0.72, 0.88), 0.16, 1.3),
    "mountains": Ground((0.68, 0.72), (0.3, 0.55), (0.5, 0.8), 0.2),
    "mountain lake": Ground((0.54, 0.6), (0.2, 0.6), (0.2, 0.6), 0.22),
    "village": Ground((0.5, 0.56), (0.26, 0.32), (0.6, 0.84), 0.34),
    "branch": Ground((1.04, 1.04), (0.5, 0.6), (0.5, 0.6), 0.26),
}


@dataclass(frozen=True)
class View:
    """A picture laid out: what it is painted on, its horizon, what stands in it, its light."""

    canvas: Canvas
    horizon: float
    stands: list[Standing]
    lamp: Lamp
    summits: list[Peak]
    run: rivers.Course


def paint_outdoors(canvas: Canvas) -> None:
    """Paint the sky, the place and its subjects, from far to near."""
    view = _laid_out(canvas)
    backdrop = Backdrop(canvas)
    sky.sky(backdrop, view.horizon, view.lamp)
    LAID[canvas.scene.setting](backdrop, view)
    backdrop.finish()
    sky.lights(canvas, view.horizon, view.lamp)
    if canvas.scene.setting == "branch":
        perch(canvas, standing_subjects(canvas)[0])
    for stand in sorted(view.stands, key=lambda each: each.foot):
        _stand(view, stand)
    _front(view)
    weather.falling(canvas)


def _laid_out(canvas: Canvas) -> View:
    ground = GROUNDS[canvas.scene.setting]
    horizon = canvas.chance.uniform(*ground.horizon)
    run = rivers.course(canvas)
    stands, summits = _stands(canvas, ground, horizon, run), []
    blocked = stands
    if canvas.scene.setting == "mountains":
        summits = _summits(canvas, horizon)
        blocked = [_as_standing(canvas, summit) for summit in summits]
    names = {subject.name for subject in canvas.scene.subjects}
    high = ground.sun * min(1.0, horizon) if "sun" in names else canvas.chance.uniform(0.13, 0.2)
    lamp = Lamp(gap(canvas, blocked), high, bool(names & {"sun", "moon"}))
    return View(canvas, horizon, stands, lamp, summits, run)


def _stands(canvas: Canvas, ground: Ground, horizon: float, run: rivers.Course) -> list[Standing]:
    subjects = standing_subjects(canvas)
    setting = canvas.scene.setting
    if setting == "river":
        return rivers.along(canvas, horizon, run, subjects)
    if setting == "branch":
        return []

    def row(shares: tuple[float, float], scale: float) -> Row:
        down = [canvas.height * (horizon + (1 - horizon) * share) for share in shares]
        return Row(down[0], down[1], scale)

    standing = [subject for subject in subjects if subject.name in THINGS]
    near = [subject for subject in standing if subject.name in NEAR]
    far = [subject for subject in standing if subject.name not in NEAR]
    stands = arrange(canvas, far, row(ground.far, ground.scale))
    if setting in ("open sea", "mountain lake"):
        shore = canvas.height * (horizon + 0.014)
        stands = [s if s.subject.name in AFLOAT else replace(s, foot=shore) for s in stands]
    return stands + arrange(canvas, near, row(ground.near, 1.0))


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
        top = chance.uniform(0.2, 0.27) + (0.05 if place % 2 else 0.0)
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


def _sea(backdrop: Backdrop, view: View) -> None:
    paint = water.waves if view.canvas.scene.weather == "stormy" else water.water
    paint(backdrop, view.horizon, view.lamp)


def _lake(backdrop: Backdrop, view: View) -> None:
    peaks.range_of_peaks(backdrop, view.horizon + 0.004, view.lamp.x, 0.4)
    land.woods(backdrop, view.horizon + 0.004, 0.03, 0.3)
    still = 0.2 if view.canvas.scene.weather == "stormy" else 0.85
    shore = view.horizon + 0.004
    water.water(backdrop, shore, view.lamp, still)
    line = backdrop.rolling(view.horizon, 0.003, 1.2)
    bank = backdrop.below(line, view.horizon - 0.02) * (
        1 - backdrop.below(line + 0.02, view.horizon - 0.02)
    )
    backdrop.lay(view.canvas.lit(land.grass_of(view.canvas), 0.15), bank, view.horizon - 0.02)


def _river(backdrop: Backdrop, view: View) -> None:
    land.rolling_land(backdrop, view.horizon, 0.022, 3)
    rivers.river(backdrop, view.horizon + 0.02, view.lamp, view.run)


def _meadow(backdrop: Backdrop, view: View) -> None:
    land.rolling_land(backdrop, view.horizon, 0.026)


def _hills(backdrop: Backdrop, view: View) -> None:
    land.rolling_land(backdrop, view.horizon, 0.07, 5)


def _forest(backdrop: Backdrop, view: View) -> None:
    land.deep_woods(backdrop, view.horizon)


def _mountains(backdrop: Backdrop, view: View) -> None:
    for summit in view.summits:
        peaks.peak(backdrop, summit, view.lamp.x)
    land.rolling_land(backdrop, view.horizon, 0.03, 4)


def _village(backdrop: Backdrop, view: View) -> None:
    land.rolling_land(backdrop, view.horizon - 0.06, 0.03, 2)
    land.street(backdrop, view.horizon + (1 - view.horizon) * 0.3)


def _branch(backdrop: Backdrop, view: View) -> None:
    land.woods(backdrop, 1.05, 0.1, 0.75)


LAID: dict[str, Callable[[Backdrop, View], None]] = {
    "open sea": _sea,
    "river": _river,
    "meadow": _meadow,
    "hills": _hills,
    "forest": _forest,
    "mountains": _mountains,
    "mountain lake": _lake,
    "village": _village,
    "branch": _branch,
}


def _stand(view: View, stand: Standing) -> None:
    """Paint a thing with its shadow on the ground or its image in the water, and mark it."""
    canvas, thing = view.canvas, THINGS[stand.subject.name]
    half = stand.width * 0.75
    box: PixelBox = (round(stand.x - half), round(stand.foot - stand.height * 1.1),
                     round(stand.x + half), round(stand.foot + stand.height * 0.62))  # fmt: skip
    before = canvas.image.crop(box)
    color = PIGMENTS.get(stand.subject.color, GREY)
    thing.paint(canvas, stand.x, stand.foot, stand.height, color)
    wet = canvas.scene.setting in ("open sea", "mountain lake") or stand.subject.name == "bridge"
    if wet or stand.subject.name in AFLOAT:
        still = 0.25 if canvas.scene.setting == "open sea" else 0.75
        water.mirror(canvas, before, box, stand.foot, still)
    else:
        cast(canvas, before, box, stand.foot, view.lamp.x * canvas.width)
    if canvas.scene.weather == "misty":
        weather.veil(canvas, stand.foot, stand.height * 0.3, 0.25)
    canvas.mark(stand.subject, (stand.x - stand.width / 2, stand.foot - stand.height,
                                stand.x + stand.width / 2, stand.foot))  # fmt: skip


def _front(view: View) -> None:
    """Paint what lies nearest to the viewer."""
    canvas, setting = view.canvas, view.canvas.scene.setting
    if setting in ("river", "mountain lake"):
        foreground.reeds(canvas)
    elif setting in ("meadow", "hills", "forest", "mountains"):
        if setting in ("meadow", "mountains"):
            foreground.flowers(canvas, canvas.height * (view.horizon + 0.2))
        foreground.grasses(canvas)
