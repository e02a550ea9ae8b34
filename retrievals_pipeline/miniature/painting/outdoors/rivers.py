"""A river that comes from the horizon, under a bridge, towards the viewer."""

from dataclasses import dataclass

import numpy as np

from retrievals_pipeline.miniature.painting.canvas import Canvas, Floats, mix
from retrievals_pipeline.miniature.painting.fields import smooth
from retrievals_pipeline.miniature.painting.outdoors.arrange import Standing
from retrievals_pipeline.miniature.painting.outdoors.backdrop import Backdrop
from retrievals_pipeline.miniature.painting.outdoors.bridges import HALF
from retrievals_pipeline.miniature.painting.outdoors.land import grass_of
from retrievals_pipeline.miniature.painting.outdoors.sky import Lamp
from retrievals_pipeline.miniature.painting.outdoors.things import THINGS
from retrievals_pipeline.miniature.painting.outdoors.water import water
from retrievals_pipeline.miniature.scenes import Subject

CROSSING = 0.34  # where the bridge stands, from the horizon (0) to the lower edge (1)
SPREAD = 0.55  # how fast the river widens towards the viewer


@dataclass(frozen=True)
class Course:
    """A river: its middle and half its width under the bridge, and how it bends to the side."""

    middle: float
    half: float
    bend: float

    def at(self, t: Floats) -> tuple[Floats, Floats]:
        """Return the middle and the half width at `t`, from the horizon (0) to below (1)."""
        middle = np.float32(self.middle) + np.float32(self.bend) * (t - np.float32(CROSSING)) * (
            np.float32(1.3) - t
        )
        wide: Floats = np.power(np.maximum(t, 0) / CROSSING, SPREAD, dtype=np.float32)
        return middle, wide * np.float32(self.half)


def course(canvas: Canvas) -> Course:
    """Choose how the river runs."""
    chance = canvas.chance
    small = canvas.scene.mood == "lonely"
    half = chance.uniform(0.19, 0.22) if small else chance.uniform(0.21, 0.235)
    aside = chance.choice((-1, 1))  # on the other side there is room for a house
    return Course(0.5 + aside * 0.09, half, aside * chance.uniform(0.1, 0.3))


def river(backdrop: Backdrop, horizon: float, lamp: Lamp, run: Course) -> None:
    """Let the river run through the land that is there below `horizon`."""
    canvas = backdrop.canvas
    first = backdrop.row(horizon)
    rows = backdrop.y[first:]
    t = (rows - np.float32(horizon)) / np.float32(1 - horizon)
    middle, half = run.at(t)
    half = half + _coves(backdrop, t)
    outside = np.abs(backdrop.x - middle) - half
    bank = smooth(0.022, 0.0, outside) * smooth(0.02, 0.1, t)
    earth = mix(grass_of(canvas), (96, 78, 62), 0.7)
    backdrop.lay(canvas.lit(earth), bank * np.float32(0.8), horizon)
    land = backdrop.pixels[:, first:].copy()
    stormy = canvas.scene.weather == "stormy"
    water(backdrop, horizon, lamp, 0.15 if stormy else 0.7)
    wet = smooth(0.004, -0.004, outside)
    backdrop.pixels[:, first:] = land + (backdrop.pixels[:, first:] - land) * wet
    shore = smooth(0.03, 0.0, np.abs(outside + np.float32(0.012))) * wet
    backdrop.lay(canvas.lit((34, 52, 50), 0.1), shore * np.float32(0.45), horizon)


def _coves(backdrop: Backdrop, t: Floats) -> Floats:
    """Return how much wider or narrower the river is in each row."""
    phase = np.float32(backdrop.canvas.chance.uniform(0, 6))
    wider: Floats = np.sin(t * np.float32(11) + phase) * np.float32(0.012) * t
    return wider


def along(canvas: Canvas, horizon: float, run: Course, subjects: list[Subject]) -> list[Standing]:
    """Stand the bridge across the river, and beside it what else there is."""
    ground = canvas.height * (1 - horizon)
    stands = []
    for subject in subjects:
        if subject.name == "bridge":
            wide = run.half * 2.7 * canvas.width
            x, t, height = run.middle, CROSSING, wide / (2 * HALF)
        else:
            x, t, height = _beside(canvas, run, subject.name)
        foot = horizon * canvas.height + ground * t
        width = height * THINGS[subject.name].width
        stands.append(Standing(subject, x * canvas.width, foot, height, width))
    return stands


def _beside(canvas: Canvas, run: Course, name: str) -> tuple[float, float, float]:
    """Return where a thing stands by the river: across, from horizon to viewer, its height."""
    height = THINGS[name].height * canvas.unit * canvas.chance.uniform(0.9, 1.05)
    if name == "rowing boat":
        middle, _ = run.at(np.asarray([0.72], np.float32))
        return float(middle[0]), 0.72, height
    far = 0.15 if run.middle > 0.5 else 0.85
    if name == "walker":
        middle, half = run.at(np.asarray([0.6], np.float32))
        left, right = float(middle[0] - half[0]), 1 - float(middle[0] + half[0])
        x = max(0.06, left - 0.05) if left > right else min(0.94, 1 - right + 0.05)
        return x, 0.6, height
    return far, CROSSING - 0.12, height * 0.92
