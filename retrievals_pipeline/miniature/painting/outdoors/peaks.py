"""Mountains: rock in light and shade, snow on what is high."""

from dataclasses import dataclass

import numpy as np

from retrievals_pipeline.miniature.painting.canvas import Color, Floats, mix
from retrievals_pipeline.miniature.painting.fields import sample, smooth
from retrievals_pipeline.miniature.painting.outdoors.backdrop import Backdrop

ROCK: Color = (104, 106, 122)
SHADE: Color = (58, 62, 88)


@dataclass(frozen=True)
class Peak:
    """A mountain: its top and foot in shares, half its width, how hazed; a cone has even flanks."""

    x: float
    top: float
    foot: float
    half: float
    far: float
    cone: bool
    snow: float  # the share of its height that is free of snow


def peak(backdrop: Backdrop, mountain: Peak, light_from: float) -> None:
    """Paint a mountain that is lit from the side of `light_from`, a share of the width."""
    canvas = backdrop.canvas
    reach = mountain.half * 1.1
    backdrop = backdrop.part(mountain.x - reach, mountain.x + reach, mountain.foot + 0.01)
    rise = mountain.foot - mountain.top
    dx = (backdrop.x - np.float32(mountain.x)) / np.float32(mountain.half)
    line = mountain.foot - np.float32(rise) * _profile(backdrop, dx, cone=mountain.cone)
    top = max(0.0, mountain.top - 0.03)
    rows = backdrop.y[backdrop.row(top) :]
    inside = backdrop.below(line, top) * (rows < np.float32(mountain.foot + 0.01))
    high = (np.float32(mountain.foot) - rows) / np.float32(rise)
    chance = canvas.chance
    u = dx * np.float32(0.3) + np.float32(chance.random())
    crag = sample(1.5, u + high * np.float32(0.1), high * np.float32(0.16 if mountain.cone else 0.3)
                  + np.float32(chance.random()))  # fmt: skip
    way = np.float32(1 if light_from < mountain.x else -1)
    bend = crag * np.float32(0.1 if mountain.cone else 0.3)
    shaded = smooth(-0.12, 0.16, dx * way + bend * (np.float32(1.15) - high))
    far = mountain.far
    step = max(1, backdrop.width // 90)
    facets = (crag - np.roll(crag, step * int(way), axis=1)) * np.float32(1.6)
    backdrop.lay(canvas.lit(ROCK, far), inside, top)
    backdrop.lay(canvas.lit(SHADE, far), inside * shaded * np.float32(0.85), top)
    backdrop.lay(canvas.lit(SHADE, far), inside * np.clip(-facets, 0, 0.7), top)
    backdrop.lay(canvas.lit((176, 166, 160), far), inside * np.clip(facets, 0, 0.6), top)
    wood = mix(ROCK, (62, 92, 70), 0.6)
    backdrop.lay(canvas.lit(wood, far), inside * smooth(0.42, 0.1, high + crag * 0.05) * 0.8, top)
    edge = np.float32(mountain.snow) + crag * np.float32(0.07) + np.abs(dx) * np.float32(0.12)
    snow = inside * smooth(-0.02, 0.03, high - edge)
    backdrop.lay(canvas.lit((252, 250, 248), far * 0.5), snow, top)
    backdrop.lay(
        canvas.lit((150, 168, 212), far * 0.6),
        snow * np.clip(shaded * np.float32(0.8) - facets * 0.5, 0, 0.9),
        top,
    )
    haze = smooth(0.5, 0.0, high) * inside
    backdrop.lay(canvas.light.low, haze * np.float32(0.12 + 0.5 * far), top)


def _profile(backdrop: Backdrop, dx: Floats, *, cone: bool) -> Floats:
    """Return the height of the mountain over each column, 0 to about 1."""
    side = np.clip(1 - np.abs(dx), -1, 1)
    curve: Floats = np.sign(side) * np.abs(side) ** np.float32(1.5 if cone else 1.12)
    if cone:
        crater = np.float32(0.93) + backdrop.ragged(1.6, 1.4) * np.float32(0.01)
        flat: Floats = np.minimum(curve, crater)
        return flat
    rough = backdrop.ragged(1.35, 0.5) * np.float32(0.075) * np.clip(np.abs(dx) * 4, 0, 1)
    ragged: Floats = curve + rough
    return ragged


def range_of_peaks(backdrop: Backdrop, foot: float, light_from: float, tall: float) -> None:
    """Paint two ranges one before the other, the far one in haze, that end at `foot`."""
    chance = backdrop.canvas.chance
    winter = backdrop.canvas.scene.season == "winter"
    for far, count, lift in ((0.55, 4, tall), (0.25, 3, tall * 0.62)):
        for place in range(count):
            x = (place + chance.uniform(0.15, 0.85)) / count
            rise = lift * chance.uniform(0.72, 1.1)
            half = chance.uniform(0.2, 0.3) * (1.0 if far > 0.5 else 1.25)
            snow = 0.5 if far > 0.5 else 0.45 if winter else 0.95
            mountain = Peak(x, foot - rise, foot, half, far, cone=False, snow=snow)
            peak(backdrop, mountain, light_from)
