"""Land: rolling ground, woods too soft to be counted, fields, a clearing, a street."""

import numpy as np

from retrievals_pipeline.miniature.painting.canvas import FOLIAGE, GRASS, Canvas, Color, Floats, mix
from retrievals_pipeline.miniature.painting.fields import sample, smooth
from retrievals_pipeline.miniature.painting.outdoors.backdrop import Backdrop

SNOWY: Color = (166, 182, 214)  # the shadows on snow
COBBLES: dict[str, Color] = {"winter": (214, 218, 226)}


def grass_of(canvas: Canvas) -> Color:
    """Return the colour of the ground in the scene's season."""
    return GRASS[canvas.scene.season]


def rolling_land(backdrop: Backdrop, horizon: float, swing: float, layers: int = 4) -> None:
    """Paint rolling ground below `horizon`, each fold paler than the one before it."""
    canvas = backdrop.canvas
    grass = grass_of(canvas)
    woods(backdrop, horizon + 0.012, 0.02, 0.5)
    for layer in range(layers):
        t = layer / layers
        base = horizon + (1 - horizon) * (0.01 + 0.52 * t**1.25)
        line = backdrop.rolling(base, swing * (1 - 0.5 * t), canvas.chance.uniform(0.5, 1.0))
        after = horizon + (1 - horizon) * (0.01 + 0.52 * ((layer + 1) / layers) ** 1.25)
        seen = 1.0 if layer == layers - 1 else after + swing * 1.3  # the next fold hides the rest
        fold(backdrop.part(0, 1, seen), line, base - swing * 1.2, grass, 0.5 * (1 - t) ** 1.4)


def fold(backdrop: Backdrop, line: Floats, top: float, grass: Color, far: float) -> None:
    """Paint the ground under a line: sunlit along its crest, streaked, darker towards us."""
    canvas = backdrop.canvas
    snowy = canvas.scene.season == "winter"
    inside = backdrop.below(line, top)
    under_line = backdrop.y[backdrop.row(top) :] - line
    under = np.clip(under_line, 0, 1)
    dark = SNOWY if snowy else mix(grass, (44, 70, 50), 0.5)
    hollow = np.exp(np.minimum(under_line, 0) * np.float32(55)) * (1 - inside)
    backdrop.lay(canvas.lit(dark, far), hollow * np.float32(0.3), top)
    backdrop.lay(canvas.lit(grass, far), inside, top)
    backdrop.lay(canvas.lit(dark, far), inside * smooth(0.0, 0.5, under) * np.float32(0.75), top)
    crest = np.exp(under * np.float32(-28)) * inside
    backdrop.lay(canvas.lit(mix(grass, (255, 244, 176), 0.5), far), crest * np.float32(0.6), top)
    patches = backdrop.flat(1.5, 0.35, 1.3, top)
    other = (226, 234, 244) if snowy else mix(grass, (206, 186, 92), 0.5)
    backdrop.lay(canvas.lit(other, far), inside * smooth(0.2, 1.6, patches) * 0.5, top)
    streaks = backdrop.flat(0.8, 0.7, 2.0, top)
    strength = np.float32((0.2 if snowy else 0.42) * (1 - far))
    backdrop.lay(canvas.lit(dark, far), inside * smooth(0.3, 1.8, streaks) * strength, top)


def woods(backdrop: Backdrop, foot: float, rise: float, far: float) -> None:
    """Paint a far strip of woods along `foot`: one soft mass, nothing in it to be counted."""
    canvas = backdrop.canvas
    backdrop = backdrop.part(0, 1, foot + 0.12)
    leaves = mix(FOLIAGE[canvas.scene.season], (58, 78, 84), 0.5)
    line = foot - rise * np.clip(backdrop.ragged(1.3, 0.7) * 0.45 + 0.6, 0.08, 1.6)
    top = foot - rise * 1.7
    inside = backdrop.below(line, top)
    backdrop.lay(canvas.lit(leaves, far), inside, top)
    clumps = backdrop.flat(1.2, 1.2, 2.0, top)
    light = mix(leaves, (240, 230, 170), 0.3)
    backdrop.lay(canvas.lit(light, far), inside * smooth(0.2, 1.6, clumps) * 0.5, top)


def deep_woods(backdrop: Backdrop, horizon: float) -> None:
    """Paint a wall of forest, crowns behind crowns in the haze, and the clearing before it."""
    canvas = backdrop.canvas
    season = canvas.scene.season
    leaves = mix(FOLIAGE[season], (58, 88, 84), 0.5)
    for far, top, reach in ((0.55, 0.2, 0.05), (0.4, 0.28, 0.05), (0.26, 0.37, 0.04)):
        _crowns(backdrop, mix(leaves, (40, 60, 60), 0.5 - far * 0.5), (far, top, reach), horizon)
    glow = np.exp(-(((backdrop.x - np.float32(0.5)) / 0.3) ** 2))
    rows = smooth(0.25, horizon, backdrop.y)
    backdrop.lay(canvas.light.low, glow * rows * np.float32(0.45))
    ground = backdrop.rolling(horizon, 0.012, 0.8)
    floor = mix(grass_of(canvas), FOLIAGE[season], 0.0 if season == "winter" else 0.4)
    fold(backdrop, ground, horizon - 0.03, floor, 0.12)


def _crowns(
    backdrop: Backdrop, leaves: Color, depth: tuple[float, float, float], horizon: float
) -> None:
    """Paint one bank of a forest: billowing crowns, lit from above, over shaded trunks."""
    far, top, reach = depth
    backdrop = backdrop.part(0, 1, horizon + 0.04)
    lit = backdrop.canvas.lit
    billows = np.abs(backdrop.ragged(1.35, 0.8)).clip(0, 2)
    line = np.float32(top) - np.float32(reach) * billows
    start = top - 2 * reach
    rows = backdrop.y[backdrop.row(start) :]
    inside = backdrop.below(line, start)
    backdrop.lay(lit(leaves, far), inside, start)
    clumps = backdrop.flat(1.35, 0.8, 1.0, start)
    above = np.roll(clumps, max(1, backdrop.height // 50), axis=0)
    backdrop.lay(lit(mix(leaves, (250, 240, 170), 0.5), far),
                 inside * np.clip((clumps - above) * 0.6, 0, 0.6), start)  # fmt: skip
    dark = lit(mix(leaves, (22, 26, 36), 0.6), far)
    backdrop.lay(dark, inside * np.clip((above - clumps) * 0.6, 0, 0.6), start)
    low = smooth(top + 0.08, horizon, rows)
    backdrop.lay(dark, inside * low * np.float32(0.45), start)
    trunks = smooth(0.7, 1.3, backdrop.ragged(0.55, 0.25)) * low
    backdrop.lay(lit((38, 32, 34), far), inside * trunks * np.float32(0.5), start)


def street(backdrop: Backdrop, top: float) -> None:
    """Pave the foreground below `top` with cobbles, smaller the farther they lie."""
    canvas, chance = backdrop.canvas, backdrop.canvas.chance
    stone = COBBLES.get(canvas.scene.season, (184, 164, 136))
    line = backdrop.rolling(top, 0.006, 0.7)
    start = top - 0.02
    inside = backdrop.below(line, start)
    t = np.clip((backdrop.y[backdrop.row(start) :] - top) / (1 - top), 0, 1)
    away = np.float32(1) / (t + np.float32(0.24))
    backdrop.lay(canvas.lit(mix(stone, (255, 240, 210), 0.25)), inside, start)
    backdrop.lay(canvas.lit(mix(stone, (84, 70, 74), 0.5)), inside * t * np.float32(0.6), start)
    jitter = backdrop.flat(1.4, 0.6, 1.2, start) * np.float32(0.12)
    row = away * np.float32(11) + jitter
    column = (backdrop.x - np.float32(0.5)) * np.float32(9 * backdrop.aspect) * away
    column = column + np.floor(row) * np.float32(0.5) + jitter
    joint = np.maximum(np.abs(row % 1 - 0.5), np.abs(column % 1 - 0.5))
    tone = sample(
        0.1, np.floor(column) * np.float32(0.137) + chance.random(), np.floor(row) * 0.091
    )
    seen = inside * np.float32(0.5) * smooth(0.0, 0.3, t + np.float32(0.12))
    backdrop.lay(canvas.lit(mix(stone, (52, 44, 52), 0.6)), seen * smooth(0.36, 0.48, joint), start)
    backdrop.lay(canvas.lit(mix(stone, (60, 52, 60), 0.5)), seen * np.clip(tone, 0, 0.7), start)
    backdrop.lay(canvas.lit(mix(stone, (255, 250, 230), 0.5)), seen * np.clip(-tone, 0, 0.7), start)


def far_hills(backdrop: Backdrop, horizon: float) -> None:
    """Paint two lines of hills, blue with distance, that rise a little above `horizon`."""
    canvas = backdrop.canvas
    blue = mix(grass_of(canvas), (96, 122, 158), 0.6)
    backdrop = backdrop.part(0, 1, horizon + 0.12)
    for far, lift in ((0.66, 0.05), (0.46, 0.022)):
        line = backdrop.rolling(horizon - lift, 0.022, canvas.chance.uniform(0.5, 0.9))
        top = horizon - lift - 0.05
        inside = backdrop.below(line, top)
        backdrop.lay(canvas.lit(blue, far), inside, top)
        under = np.clip((backdrop.y[backdrop.row(top) :] - line) / 0.08, 0, 1)
        backdrop.lay(canvas.light.low, inside * under * np.float32(0.4), top)


def path(backdrop: Backdrop, horizon: float) -> None:
    """Wind a sandy path from the viewer towards the horizon; in winter it is trodden snow."""
    canvas, chance = backdrop.canvas, backdrop.canvas.chance
    start = horizon + (1 - horizon) * 0.06
    rows = backdrop.y[backdrop.row(start) :]
    t = np.clip((rows - np.float32(start)) / np.float32(1 - start), 0, 1)
    sway = chance.choice((-1, 1)) * chance.uniform(0.05, 0.12)
    bends = np.sin((1 - t) ** 1.5 * np.float32(chance.uniform(4.5, 7.5)))
    middle = chance.uniform(0.38, 0.62) + np.float32(sway) * bends * (np.float32(0.5) + t)
    half = np.float32(0.006) + np.float32(0.1) * t**1.4
    aside = np.abs(backdrop.x - middle) / half + backdrop.flat(1.1, 0.6, 2.0, start) * 0.08
    sand = (204, 212, 230) if canvas.scene.season == "winter" else (208, 184, 140)
    inside = smooth(1.05, 0.9, aside) * smooth(0.0, 0.06, t)
    backdrop.lay(canvas.lit(mix(sand, (96, 80, 70), 0.3), 0.1), inside * 0.9, start)
    backdrop.lay(canvas.lit(sand, 0.1), inside * smooth(0.9, 0.35, aside) * 0.85, start)


def mist(backdrop: Backdrop, horizon: float) -> None:
    """Let banks of mist lie over the ground and before what is far, in misty weather."""
    canvas, chance = backdrop.canvas, backdrop.canvas.chance
    if canvas.scene.weather != "misty":
        return
    pale = mix(canvas.light.low, canvas.lit((255, 255, 255)), 0.35)
    ragged = smooth(-1.6, 1.6, backdrop.flat(1.9, 0.4, 1.0))
    for down, deep, thick in ((-0.06, 0.05, 0.75), (0.05, 0.035, 0.6), (0.2, 0.06, 0.28)):
        level = np.float32(horizon + down * chance.uniform(0.8, 1.2))
        bank = np.exp(-(((backdrop.y - level) / np.float32(deep)) ** 2))
        backdrop.lay(pale, bank * ragged * np.float32(thick))
