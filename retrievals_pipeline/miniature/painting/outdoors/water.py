"""Water: still as a mirror, rippled, or in great waves; and what is mirrored in it."""

import numpy as np
from PIL import Image, ImageChops

from retrievals_pipeline.miniature.painting.canvas import Canvas, Color, Floats, PixelBox, mix
from retrievals_pipeline.miniature.painting.fields import smooth
from retrievals_pipeline.miniature.painting.outdoors.backdrop import Backdrop
from retrievals_pipeline.miniature.painting.outdoors.sky import Lamp

WAVES = 7  # rows of great waves, from the horizon to the viewer
SEEN = [0] * 12 + [255] * 244  # what differs enough to be part of a thing


def depths(scene_weather: str) -> Color:
    """Return the colour of deep water."""
    return {"stormy": (40, 62, 70), "misty": (92, 122, 132)}.get(scene_weather, (30, 88, 122))


def water(backdrop: Backdrop, horizon: float, lamp: Lamp, still: float = 0.0) -> None:
    """Paint water below `horizon`, with a path of light under the lamp.

    `still` is the share in which it mirrors what lies above the horizon, up to 1.
    """
    canvas = backdrop.canvas
    light = canvas.light
    t = _down(backdrop, horizon)
    near = canvas.lit(depths(canvas.scene.weather))
    sheen = mix(near, light.low, 0.75)
    one = np.ones((1, 1), np.float32)
    backdrop.lay(sheen, one, horizon)
    backdrop.lay(mix(near, light.top, 0.35), smooth(0.0, 0.55, t), horizon)
    backdrop.lay(near, smooth(0.35, 1.2, t) * np.float32(0.8), horizon)
    if still:
        _reflection(backdrop, horizon, still)
    ripples = backdrop.distant(1.1, np.float32(0.3) / (t + np.float32(0.06)), 0.13, 1.0)
    strong = (np.float32(0.5) + t * np.float32(0.5)) * np.float32(1 - 0.6 * still)
    backdrop.lay(mix(sheen, (255, 255, 255), 0.12), smooth(0.5, 2.2, ripples) * strong, horizon)
    backdrop.lay(mix(near, (8, 14, 30), 0.35), smooth(0.5, 2.2, -ripples) * strong, horizon)
    if lamp.seen:
        _path(backdrop, horizon, lamp, ripples)


def _down(backdrop: Backdrop, horizon: float) -> Floats:
    """Return how far down from the horizon each row is, 0 to 1, (rows, 1)."""
    rows = backdrop.y[backdrop.row(horizon) :]
    down: Floats = np.clip((rows - np.float32(horizon)) / np.float32(1 - horizon), 0, 1)
    return down


def _reflection(backdrop: Backdrop, horizon: float, share: float) -> None:
    """Mirror the pixels above the horizon, shaken by ripples, dimmer towards the viewer."""
    first = backdrop.row(horizon)
    shake = backdrop.flat(1.0, 0.6, 4.0, horizon)
    down = np.arange(backdrop.height - first, dtype=np.float32)[:, None]
    rows = np.clip(first - 1 - down * np.float32(0.85) + shake * (down * 0.03), 0, first)
    mirrored = backdrop.pixels[:, rows.astype(np.int32), np.arange(backdrop.width)[None, :]]
    fade = np.float32(share) * (1 - np.float32(0.55) * _down(backdrop, horizon))
    backdrop.lay(mirrored * np.float32(0.93), fade, horizon)


def _path(backdrop: Backdrop, horizon: float, lamp: Lamp, ripples: Floats) -> None:
    """Let sun or moon glitter on the water."""
    night = backdrop.canvas.scene.time_of_day == "night"
    t = _down(backdrop, horizon)
    wide = np.float32(0.035) + t * np.float32(0.11)
    across = (backdrop.x - np.float32(lamp.x)) / wide
    beam = np.exp(-(across**2))
    glints = smooth(-0.2, 0.8, ripples) * beam
    backdrop.lay((214, 224, 236) if night else (255, 190, 104), beam * np.float32(0.28), horizon)
    backdrop.lay((246, 246, 232) if night else (255, 232, 160), glints, horizon)


def waves(backdrop: Backdrop, horizon: float, lamp: Lamp) -> None:
    """Paint a stormy sea below `horizon`: rows of steep waves with foam, each before the last."""
    canvas = backdrop.canvas
    water(backdrop, horizon, lamp)
    deep = canvas.lit((30, 54, 66))
    green = mix(canvas.lit((86, 170, 158)), canvas.light.low, 0.15)
    foam = mix(canvas.lit((246, 250, 250)), canvas.light.low, 0.1)
    for wave in range(WAVES):
        near = (wave + 1) / WAVES
        base = horizon + (1.04 - horizon) * (0.02 + 0.94 * (near - 0.5 / WAVES) ** 1.5)
        swell = 0.012 + 0.075 * near**1.2
        _wave(backdrop, base, swell, 5.2 - 3.9 * near, (deep, green, foam))
    if lamp.seen:
        t = _down(backdrop, horizon)
        beam = np.exp(-(((backdrop.x - np.float32(lamp.x)) / (0.06 + 0.12 * t)) ** 2))
        broken = smooth(0.1, 1.2, backdrop.flat(1.0, 0.5, 2.4, horizon))
        backdrop.lay((232, 236, 228), beam * broken * np.float32(0.6), horizon)


def _wave(
    backdrop: Backdrop, base: float, swell: float, count: float, tones: tuple[Color, Color, Color]
) -> None:
    """Paint one row of `count` waves about the height `base`: glassy crests, foam, dark hollows."""
    deep, green, foam = tones
    wobble = backdrop.ragged(2.2, 0.35) * np.float32(0.42)
    turn = backdrop.canvas.chance.random()
    phase = np.float32(np.pi * count) * (backdrop.x + np.float32(turn)) + wobble
    crest = np.abs(np.sin(phase)) ** np.float32(0.8)  # hollows are sharp: turned over below
    rough = backdrop.ragged(1.2, 0.6) * np.float32(swell * 0.07)
    line = base - swell * (1 - crest) * np.float32(1.25) + rough
    top = max(0.0, base - swell * 1.6)
    inside = backdrop.below(line, top)
    under = (backdrop.y[backdrop.row(top) :] - line) / np.float32(swell)
    backdrop.lay(deep, inside, top)
    high = np.float32(1) - crest
    backdrop.lay(green, inside * np.exp(-under * 1.6) * (0.3 + 0.7 * high), top)
    streaks = backdrop.flat(1.2, 0.5, 1.4, top)
    backdrop.lay(foam, inside * smooth(0.9, 2.0, streaks) * np.exp(-under * 0.7) * 0.55, top)
    lip = inside * smooth(0.30, 0.0, under - high * np.float32(0.12) + streaks * 0.07)
    backdrop.lay(foam, lip * (0.3 + 0.7 * smooth(0.35, 0.8, high)), top)


def touch(canvas: Canvas, before: Image.Image, box: PixelBox, level: float) -> None:
    """Mirror in the water below `level` what was painted in `box` since it looked as `before`.

    On a stormy sea nothing is mirrored: foam breaks about it.
    """
    if canvas.scene.setting == "open sea" and canvas.scene.weather == "stormy":
        _foam(canvas, box, level)
        return
    still = 0.25 if canvas.scene.setting == "open sea" else 0.75
    after = canvas.image.crop(box)
    changed = ImageChops.difference(before, after).convert("L").point(SEEN)
    cut = round(min(max(level - box[1], 2), box[3] - box[1]))
    size = (after.width, max(2, round(cut * 0.62)))
    mask = ImageChops.multiply(_flip(changed, cut, size), _shimmer(canvas, size, still))
    deep = Image.new("RGB", size, canvas.shade((30, 60, 84)))
    dimmed = Image.blend(_flip(after, cut, size), deep, 0.3)
    canvas.image.paste(dimmed, (box[0], box[1] + cut), mask)


def _foam(canvas: Canvas, box: PixelBox, level: float) -> None:
    chance, unit = canvas.chance, canvas.unit
    white = mix(canvas.shade((246, 250, 250)), canvas.tint(canvas.light.low), 0.15)
    middle, half = (box[0] + box[2]) / 2, (box[2] - box[0]) * 0.3
    for _ in range(26):
        x = middle + chance.uniform(-1, 1) * half
        y = level + unit * chance.uniform(-0.008, 0.016)
        reach = unit * chance.uniform(0.008, 0.026)
        canvas.oval(x, y, reach, reach * 0.26, white)
    for _ in range(14):  # spray
        x, y = middle + chance.uniform(-1.2, 1.2) * half, level - unit * 0.06 * chance.random() ** 2
        r = unit * chance.uniform(0.0014, 0.0036)
        canvas.oval(x, y, r, r, white)


def _flip(image: Image.Image, rows: int, size: tuple[int, int]) -> Image.Image:
    upper = image.crop((0, 0, image.width, rows)).transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    return upper.resize(size, Image.Resampling.NEAREST)


def _shimmer(canvas: Canvas, size: tuple[int, int], still: float) -> Image.Image:
    """Return a mask that fades downwards and is broken by ripples, L."""
    rows = 28
    t = np.linspace(0, 1, rows, dtype=np.float32)
    gaps = canvas.noise.random(rows, dtype=np.float32) * np.float32(1 - still)
    level = np.clip((1 - t) ** 0.8 * (0.8 - gaps * (0.3 + t)), 0, 1) * 255
    column = Image.fromarray(level.astype(np.uint8)[:, None])
    return column.resize(size, Image.Resampling.BILINEAR)
