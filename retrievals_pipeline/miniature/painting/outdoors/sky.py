"""The sky: its colours by hour and weather, clouds lit from the lamp, stars, moon, sun, birds."""

from dataclasses import dataclass

import numpy as np

from retrievals_pipeline.miniature.painting.canvas import Canvas, Color, Floats, mix
from retrievals_pipeline.miniature.painting.fields import smooth
from retrievals_pipeline.miniature.painting.outdoors import living
from retrievals_pipeline.miniature.painting.outdoors.backdrop import Backdrop, plane

COVER = {
    "clear": 0.75,
    "cloudy": -0.6,
    "misty": 0.5,
    "stormy": -0.7,
}  # in deviations; less is more
GLOW: dict[str, Color] = {"dawn": (255, 214, 160), "dusk": (255, 170, 84), "night": (150, 170, 214)}


@dataclass(frozen=True)
class Lamp:
    """Where the light comes from, in shares of width and height; `seen` when it is in the sky."""

    x: float
    y: float
    seen: bool


def sky(backdrop: Backdrop, horizon: float, lamp: Lamp) -> None:
    """Paint the sky down to `horizon` with its clouds."""
    light, scene = backdrop.canvas.light, backdrop.canvas.scene
    t = np.clip(backdrop.y / np.float32(horizon), 0, 1)
    backdrop.lay(light.top, np.ones((1, 1), np.float32))
    backdrop.lay(mix(light.top, light.low, 0.5), smooth(0.1, 0.7, t))
    backdrop.lay(light.low, smooth(0.45, 1.0, t))
    near = _near(backdrop, lamp, 0.42)
    if scene.time_of_day in GLOW and scene.weather != "misty":
        warm = GLOW[scene.time_of_day]
        share = near * (0.75 if lamp.seen else 0.35) * (0.5 if scene.weather == "stormy" else 1)
        backdrop.lay(warm, share)
    _clouds(backdrop, horizon, near if lamp.seen else near * np.float32(0.3))


def _near(backdrop: Backdrop, lamp: Lamp, reach: float) -> Floats:
    """Return how near the lamp each pixel is, 1 to 0."""
    across = (backdrop.x - np.float32(lamp.x)) * np.float32(backdrop.aspect)
    distance = across**2 + (backdrop.y - np.float32(lamp.y)) ** 2
    return np.exp(distance * np.float32(-1 / reach**2))


def _clouds(backdrop: Backdrop, horizon: float, near: Floats) -> None:
    scene = backdrop.canvas.scene
    rows = backdrop.row(min(1.0, horizon + 0.03)) + 1
    t = np.clip(backdrop.y[:rows] / np.float32(horizon), 0, 1)
    stormy = scene.weather == "stormy"
    depth = np.float32(0.62) / (np.float32(1.28) - t)  # clouds lie on a ceiling that recedes
    wide = 1.0 if horizon > 1 else 0.5 if stormy else 0.4  # a close-up looks up into the clouds
    noise = backdrop.distant(1.8, depth, wide, 0.75 * wide)
    near = near[:rows]
    if stormy:
        noise = noise - near**4 * np.float32(2.4 if scene.subject("moon") else 0.0)
    step = max(1, backdrop.height // 40)
    above = np.roll(noise, step, axis=0)
    above[:step] = noise[:step]
    steep = np.clip(0.62 + (noise - above) * 1.25 + near * (0.9 if stormy else 0.5), 0, 1)
    cover = COVER[scene.weather]
    share = smooth(cover, cover + {"clear": 0.55, "stormy": 1.4}.get(scene.weather, 1.0), noise)
    share *= np.float32(1.0) - smooth(0.72, 1.0, t) * np.float32(0.85)
    dark, bright = _cloud_tones(backdrop)
    cloud = plane(dark) + (plane(bright) - plane(dark)) * steep
    if scene.time_of_day in GLOW and not stormy:
        cloud += (plane(GLOW[scene.time_of_day]) - cloud) * (near * steep * np.float32(0.8))
    strength = {"misty": 0.35, "clear": 0.85}.get(scene.weather, 0.94)
    pixels = backdrop.pixels[:, :rows]
    pixels += (cloud - pixels) * (share * np.float32(strength))


def _cloud_tones(backdrop: Backdrop) -> tuple[Color, Color]:
    """Return the colours of the clouds' undersides and of their lit tops."""
    canvas = backdrop.canvas
    if canvas.scene.weather == "stormy":
        dark, bright = canvas.lit((48, 52, 66)), canvas.lit((186, 190, 198))
    elif canvas.scene.time_of_day in ("dawn", "dusk"):
        dark, bright = canvas.lit((150, 122, 152)), canvas.lit((255, 226, 204))
    else:
        dark, bright = canvas.lit((160, 170, 190)), canvas.lit((255, 253, 248))
    if canvas.scene.weather == "cloudy":
        dark = mix(dark, canvas.lit((96, 104, 122)), 0.6)
    return dark, bright


def lights(canvas: Canvas, skyline: float, lamp: Lamp, flock: tuple[float, float]) -> None:
    """Paint what the scene has of stars above `skyline`, moon, sun, and a flock of birds.

    The flock flies about `flock`, shares of width and height.
    """
    scene = canvas.scene
    if scene.time_of_day == "night" and scene.weather == "clear":
        _stars(canvas, skyline)
    x, y = lamp.x * canvas.width, lamp.y * canvas.height
    for subject in scene.subjects:
        if subject.name == "moon":
            canvas.mark(subject, living.moon(canvas, x, y))
        elif subject.name == "sun":
            canvas.mark(subject, living.sun(canvas, x, y))
        elif subject.name == "flock of birds":
            canvas.mark(subject, living.birds(canvas, *flock))


def _stars(canvas: Canvas, skyline: float) -> None:
    chance = canvas.chance
    for _ in range(60):
        x, y = chance.random() * canvas.width, chance.random() ** 1.4 * skyline * canvas.height
        r = canvas.unit * chance.uniform(0.001, 0.0026)
        canvas.oval(x, y * 0.9, r, r, canvas.tint((226, 228, 222)))
