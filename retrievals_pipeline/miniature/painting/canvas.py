"""The canvas a scene is painted on: its light, its colours, its chance, and a few strokes.

Shapes are drawn at twice the size of the picture and reduced at the end, which smooths their edges.
Positions are pixels of that doubled canvas; `unit` is its shorter side.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from retrievals_pipeline.miniature.scenes import Scene, Subject

OVERSAMPLING = 2

Color = tuple[int, int, int]
Point = tuple[float, float]
Floats = npt.NDArray[np.float32]

PIGMENTS: dict[str, Color] = {
    "red": (188, 46, 40),
    "blue": (44, 84, 156),
    "green": (92, 138, 62),
    "yellow": (232, 192, 62),
    "white": (242, 238, 226),
    "black": (42, 40, 44),
    "violet": (112, 66, 134),
    "orange": (224, 122, 40),
    "brown": (124, 82, 52),
}
WOOD: Color = (104, 70, 44)
STONE: Color = (206, 196, 176)
PLASTER: Color = (234, 222, 198)
TILES: Color = (168, 84, 58)
SLATE: Color = (92, 98, 112)
SNOW: Color = (240, 244, 248)
SKIN: Color = (232, 190, 156)
INK: Color = (26, 20, 20)
TINTS: dict[str, tuple[Color, float]] = {
    "golden": ((226, 170, 70), 0.20),
    "silvery": ((168, 176, 184), 0.30),
    "rosy": ((222, 140, 140), 0.20),
    "earthen": ((132, 96, 60), 0.24),
    "vivid": ((128, 128, 128), -0.14),  # away from grey
    "azure": ((44, 92, 186), 0.46),
    "crimson": ((186, 34, 36), 0.46),
}
FOLIAGE: dict[str, Color] = {
    "spring": (134, 168, 76),
    "summer": (72, 116, 58),
    "autumn": (196, 118, 44),
    "winter": (96, 84, 76),
}
GRASS: dict[str, Color] = {
    "spring": (148, 180, 88),
    "summer": (128, 152, 72),
    "autumn": (176, 148, 82),
    "winter": (216, 223, 236),
}


@dataclass(frozen=True)
class Light:
    """The colours of the sky at its top and above the horizon, and what falls on things."""

    top: Color
    low: Color
    ambient: tuple[float, float, float]


LIGHTS = {
    "dawn": Light((118, 150, 198), (250, 206, 168), (1.0, 0.9, 0.86)),
    "morning": Light((96, 152, 212), (222, 234, 236), (1.0, 1.0, 0.98)),
    "noon": Light((72, 136, 208), (204, 226, 238), (1.04, 1.04, 1.0)),
    "dusk": Light((86, 84, 138), (248, 156, 88), (0.86, 0.7, 0.64)),
    "night": Light((16, 24, 54), (58, 80, 124), (0.42, 0.48, 0.66)),
    "": Light((70, 62, 54), (104, 92, 78), (1.0, 0.98, 0.92)),
}


Box = tuple[float, float, float, float]
PixelBox = tuple[int, int, int, int]


@dataclass(frozen=True)
class Mark:
    """Where one of a subject stands: left, top, right, bottom in shares of width and height."""

    subject: Subject
    box: Box


def mix(a: Color, b: Color, t: float) -> Color:
    """Return the colour `t` of the way from `a` to `b`; outside 0 to 1 it overshoots."""
    return (
        _byte(a[0] + (b[0] - a[0]) * t),
        _byte(a[1] + (b[1] - a[1]) * t),
        _byte(a[2] + (b[2] - a[2]) * t),
    )


def brightness(color: Color) -> int:
    """Return how bright a colour is to the eye, 0 to 255."""
    return (color[0] * 77 + color[1] * 150 + color[2] * 29) >> 8


def _byte(value: float) -> int:
    return 0 if value < 0 else 255 if value > 255 else int(value)


def light_of(scene: Scene) -> Light:
    """Return the light of the hour, greyed by the weather."""
    light = LIGHTS[scene.time_of_day]
    if scene.weather == "stormy":
        grey = mix((78, 84, 98), light.top, 0.25)
        dim = 0.72
        return Light(
            mix(grey, (20, 22, 30), 0.35),
            mix(light.low, (124, 128, 134), 0.6),
            (light.ambient[0] * dim, light.ambient[1] * dim, light.ambient[2] * (dim + 0.04)),
        )
    if scene.weather == "misty":
        return Light(mix(light.top, light.low, 0.6), light.low, light.ambient)
    return light


class Canvas:
    """A scene being painted."""

    def __init__(self, scene: Scene, size: tuple[int, int]) -> None:
        self.scene = scene
        self.size = size
        self.width, self.height = size[0] * OVERSAMPLING, size[1] * OVERSAMPLING
        self.unit = min(self.width, self.height)
        self.chance = random.Random(scene.seed)  # noqa: S311 - a picture, not a secret
        self.noise = np.random.default_rng(scene.seed)
        self.light = light_of(scene)
        self.marks: list[Mark] = []
        self.image = Image.new("RGB", (self.width, self.height))
        self.draw = ImageDraw.Draw(self.image)

    def mark(self, subject: Subject, box: Box) -> None:
        """Note where a subject was painted: left, top, right, bottom in pixels of the canvas."""
        left, right = (min(1.0, max(0.0, x / self.width)) for x in (box[0], box[2]))
        top, bottom = (min(1.0, max(0.0, y / self.height)) for y in (box[1], box[3]))
        self.marks.append(Mark(subject, (left, top, right, bottom)))

    def fill(self, pixels: Floats) -> None:
        """Cover the canvas with a soft picture: float (h, w, 3) of any size, 0 to 255."""
        soft = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
        soft = soft.resize(self.size, Image.Resampling.BILINEAR)
        self.image = soft.resize((self.width, self.height), Image.Resampling.NEAREST)
        self.draw = ImageDraw.Draw(self.image)

    def tint(self, color: Color) -> Color:
        """Return the colour as the scene's palette has it; strong colours keep more of their own.

        It keeps its brightness, so that a picture in one hue has as much light and shadow.
        """
        toward, share = TINTS[self.scene.palette]
        grey = brightness(color)
        if share < 0:
            return mix(color, (grey, grey, grey), share)
        middle = brightness(toward)
        if grey < middle:
            hue = mix((0, 0, 0), toward, grey / middle)
        else:
            hue = mix(toward, (255, 255, 255), (grey - middle) / (255 - middle))
        strength = (max(color) - min(color)) / (max(color) + 1)
        return mix(color, hue, share * (1.1 - 0.7 * strength))

    def shade(self, color: Color, far: float = 0.0, vary: float = 0.0) -> Color:
        """Return the colour in this light; `far` (0 to 1) fades it to haze, `vary` its tone."""
        if self.scene.time_of_day == "night":  # things stand out from their dark ground
            color = mix(color, (255, 255, 255), 0.14)
        return self.tint(self.lit(color, far, vary))

    def lit(self, color: Color, far: float = 0.0, vary: float = 0.0) -> Color:
        """Return the colour as `shade` does, before the palette."""
        tone = 1.0 + self.chance.uniform(-vary, vary) if vary else 1.0
        ambient = self.light.ambient
        lit = (
            _byte(color[0] * ambient[0] * tone),
            _byte(color[1] * ambient[1] * tone),
            _byte(color[2] * ambient[2] * tone),
        )
        if self.scene.weather == "misty":
            far = min(0.9, far * 1.5 + 0.08)
        return mix(lit, self.light.low, far) if far else lit

    def polygon(self, points: Sequence[Point], color: Color) -> None:
        """Fill a polygon with a colour that is already shaded."""
        self.draw.polygon(points, fill=color)

    def oval(self, x: float, y: float, rx: float, ry: float, color: Color) -> None:
        """Fill an ellipse about (x, y)."""
        self.draw.ellipse((x - rx, y - ry, x + rx, y + ry), fill=color)

    def line(self, points: Sequence[Point], color: Color, width: float) -> None:
        """Draw a stroke of at least one pixel."""
        self.draw.line(points, fill=color, width=max(1, round(width)), joint="curve")

    def glow(self, x: float, y: float, radius: float, color: Color, strength: float = 1.0) -> None:
        """Lay a soft disc of light (or shadow) on what is there."""
        side = max(2, round(radius * 2))
        mask = soft_disc().resize((side, side), Image.Resampling.BILINEAR)
        if strength < 1:
            mask = mask.point([round(level * strength) for level in range(256)])
        self.image.paste(color, (round(x - radius), round(y - radius)), mask)

    def ball(self, x: float, y: float, r: float, color: Color, squash: float = 1.0) -> None:
        """Paint a round thing lit from the upper left."""
        self.oval(x, y, r, r * squash, self.shade(mix(color, (24, 16, 20), 0.5)))
        for step, inner in ((0.3, 0.92), (0.12, 0.8), (0.0, 0.66), (-0.12, 0.46)):
            move = r * (1 - inner) * 0.55
            tone = mix(color, (24, 16, 20) if step > 0 else (255, 250, 230), abs(step))
            self.oval(x - move, y - move * squash, r * inner, r * inner * squash, self.shade(tone))
        self.glow(x - r * 0.36, y - r * 0.4 * squash, r * 0.3, self.shade((255, 252, 240)), 0.7)

    def dabs(
        self, count: int, area: tuple[float, float, float, float], color: Color, length: float
    ) -> None:
        """Scatter short strokes of varied tone over the box (left, top, right, bottom)."""
        left, top, right, bottom = area
        for _ in range(count):
            x, y = self.chance.uniform(left, right), self.chance.uniform(top, bottom)
            size = length * self.chance.uniform(0.5, 1.4)
            lean = size * self.chance.uniform(-0.25, 0.25)
            tone = self.shade(color, vary=0.14)
            self.line(((x, y), (x + size, y + lean)), tone, size * 0.16)


@lru_cache(maxsize=1)
def soft_disc() -> Image.Image:
    """Return the mask of a disc that fades from its middle to its edge (128 px, mode L)."""
    axis = np.linspace(-1, 1, 128, dtype=np.float32)
    distance = np.sqrt(axis[:, None] ** 2 + axis[None, :] ** 2)
    return Image.fromarray((255 * np.clip(1 - distance, 0, 1) ** 1.6).astype(np.uint8))


def cloud_noise(
    noise: np.random.Generator, size: tuple[int, int], cells: tuple[int, int], octaves: int = 4
) -> Floats:
    """Return soft fractal noise, float32 (height, width) about 0 to 1, with `cells` big blobs."""
    width, height = size
    total: Floats = np.zeros((height, width), np.float32)
    for octave in range(octaves):
        shape = (min(cells[1] << octave, height), min(cells[0] << octave, width))
        grid = Image.fromarray(noise.random(shape, dtype=np.float32))
        total += np.asarray(grid.resize(size, Image.Resampling.BICUBIC)) / 2**octave
    total /= 2 - 2 ** (1 - octaves)
    return total
