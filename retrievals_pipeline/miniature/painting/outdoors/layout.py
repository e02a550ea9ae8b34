"""The open-air pictures: each place composed from far to near."""

from collections.abc import Callable

from retrievals_pipeline.miniature.painting.canvas import PIGMENTS, Canvas, PixelBox, mix
from retrievals_pipeline.miniature.painting.outdoors import (
    foreground,
    land,
    peaks,
    rivers,
    sky,
    water,
    weather,
)
from retrievals_pipeline.miniature.painting.outdoors.arrange import Standing, standing_subjects
from retrievals_pipeline.miniature.painting.outdoors.backdrop import Backdrop
from retrievals_pipeline.miniature.painting.outdoors.branches import perch
from retrievals_pipeline.miniature.painting.outdoors.things import AFLOAT, BENT, THINGS
from retrievals_pipeline.miniature.painting.outdoors.views import View, lay_out
from retrievals_pipeline.miniature.painting.shadows import cast

GREY = (128, 128, 128)


def paint_outdoors(canvas: Canvas) -> None:
    """Paint the sky, the place and its subjects, from far to near."""
    view = lay_out(canvas)
    backdrop = Backdrop(canvas)
    sky.sky(backdrop, view.horizon, view.lamp)
    LAID[canvas.scene.setting](backdrop, view)
    land.mist(backdrop, view.horizon)
    backdrop.finish()
    flock = (view.free, min(1.0, view.horizon) * canvas.chance.uniform(0.16, 0.28))
    sky.lights(canvas, view.skyline, view.lamp, flock)
    if canvas.scene.setting == "branch":
        perch(canvas, standing_subjects(canvas)[0])
    for stand in sorted(view.stands, key=lambda each: each.foot):
        _stand(view, stand)
    _front(view)
    weather.falling(canvas)


def _sea(backdrop: Backdrop, view: View) -> None:
    paint = water.waves if view.canvas.scene.weather == "stormy" else water.water
    paint(backdrop, view.horizon, view.lamp)


def _lake(backdrop: Backdrop, view: View) -> None:
    peaks.range_of_peaks(backdrop, view.horizon + 0.004, view.lamp.x, 0.32)
    land.woods(backdrop, view.horizon + 0.004, 0.03, 0.3)
    still = 0.2 if view.canvas.scene.weather == "stormy" else 0.85
    shore = view.horizon + 0.004
    water.water(backdrop, shore, view.lamp, still)
    line = backdrop.rolling(view.horizon, 0.003, 1.2)
    bank = backdrop.below(line, view.horizon - 0.02) * (
        1 - backdrop.below(line + 0.02, view.horizon - 0.02)
    )
    backdrop.lay(
        view.canvas.lit(mix(land.grass_of(view.canvas), (70, 82, 70), 0.4), 0.15),
        bank,
        view.horizon - 0.02,
    )


def _river(backdrop: Backdrop, view: View) -> None:
    land.far_hills(backdrop, view.horizon)
    land.rolling_land(backdrop, view.horizon, 0.022, 3)
    rivers.river(backdrop, view.horizon + 0.02, view.lamp, view.run)


def _meadow(backdrop: Backdrop, view: View) -> None:
    land.far_hills(backdrop, view.horizon)
    land.rolling_land(backdrop, view.horizon, 0.026)
    land.path(backdrop, view.horizon)


def _hills(backdrop: Backdrop, view: View) -> None:
    land.far_hills(backdrop, view.horizon - 0.02)
    land.rolling_land(backdrop, view.horizon, 0.07, 5)
    land.path(backdrop, view.horizon + 0.04)


def _forest(backdrop: Backdrop, view: View) -> None:
    land.deep_woods(backdrop, view.horizon)
    land.path(backdrop, view.horizon)


def _mountains(backdrop: Backdrop, view: View) -> None:
    for summit in view.summits:
        peaks.peak(backdrop, summit, view.lamp.x)
    land.woods(backdrop, view.horizon + 0.03, 0.07, 0.3)
    land.rolling_land(backdrop, view.horizon + 0.02, 0.03, 3)


def _village(backdrop: Backdrop, view: View) -> None:
    land.far_hills(backdrop, view.horizon - 0.07)
    land.rolling_land(backdrop, view.horizon - 0.06, 0.03, 2)
    land.street(backdrop, view.horizon + (1 - view.horizon) * 0.3)


def _branch(backdrop: Backdrop, view: View) -> None:
    land.woods(backdrop, view.horizon + 0.01, 0.1, 0.75)


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
    half = stand.width * (0.37 if stand.subject.name == "bridge" else 0.75)  # its arches only
    box: PixelBox = (round(stand.x - half), round(stand.foot - stand.height * 1.1),
                     round(stand.x + half), round(stand.foot + stand.height * 0.62))  # fmt: skip
    before = canvas.image.crop(box)
    color = PIGMENTS.get(stand.subject.color, GREY)
    thing.paint(canvas, stand.x, stand.foot, stand.height, color)
    wet = canvas.scene.setting in ("open sea", "mountain lake") or stand.subject.name == "bridge"
    if wet or stand.subject.name in AFLOAT:
        water.touch(canvas, before, box, stand.foot)
    else:
        cast(canvas, before, box, stand.foot, view.lamp.x * canvas.width)
    if canvas.scene.weather == "misty":
        thick = 0.1 if canvas.scene.time_of_day == "night" else 0.18
        weather.veil(canvas, stand.foot, stand.height * 0.3, thick)
    bent = stand.height * 0.4 * weather.wind(canvas.scene) if stand.subject.name in BENT else 0.0
    left, right = stand.x + bent - stand.width / 2, stand.x + bent + stand.width / 2
    canvas.mark(stand.subject, (left, stand.foot - stand.height, right, stand.foot))


def _front(view: View) -> None:
    """Paint what lies nearest to the viewer."""
    canvas, setting = view.canvas, view.canvas.scene.setting
    if setting in ("river", "mountain lake"):
        foreground.reeds(canvas)
    elif setting in ("meadow", "hills", "forest", "mountains"):
        if setting in ("meadow", "mountains"):
            foreground.flowers(canvas, canvas.height * (view.horizon + 0.2))
        foreground.grasses(canvas)
