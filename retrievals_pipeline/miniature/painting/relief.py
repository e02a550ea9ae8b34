"""Solid things: surfaces given by their normals, lit by one lamp and laid on the canvas.

A surface is worked out on a small grid of its own, the same for pictures of every size, and made
larger as it is laid; `inside` says where it is, so that its edge stays sharp.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter

from retrievals_pipeline.miniature.painting.canvas import (
    OVERSAMPLING,
    TINTS,
    Box,
    Canvas,
    Color,
    Point,
    mix,
)

Field = npt.NDArray[np.floating[Any]]  # one number for each point of a grid
Tone = tuple[float, float, float]  # what red, green and blue are multiplied with
Normals = tuple[Field, Field, Field]  # to the right, down, towards us


@dataclass(frozen=True)
class Lamp:
    """Where light comes from (right, down, towards us) and what it makes of lit and dark sides."""

    way: Tone
    warm: Tone = (1.1, 1.04, 0.94)
    dim: Tone = (0.4, 0.37, 0.4)

    @property
    def side(self) -> int:
        """Whether it stands to the right (1) or to the left (-1)."""
        return 1 if self.way[0] > 0 else -1


def lamp_from(x: float, y: float, z: float, warm: Tone, dim: Tone) -> Lamp:
    """Return a lamp that shines from that way, of any length."""
    length = math.sqrt(x * x + y * y + z * z)
    return Lamp((x / length, y / length, z / length), warm, dim)


@lru_cache(maxsize=32)
def grid(box: Box, columns: int, rows: int) -> tuple[Field, Field]:
    """Return x and y over the box (left, top, right, bottom), float32 (rows, columns) each."""
    x = np.linspace(box[0], box[2], columns, dtype=np.float32)
    y = np.linspace(box[1], box[3], rows, dtype=np.float32)
    across, down = np.meshgrid(x, y)
    across.flags.writeable = down.flags.writeable = False
    return across, down


def hill(x: Field, y: Field, at: Point, size: Point) -> Field:
    """Return a soft bump of height 1 about a point."""
    return np.exp(-(((x - at[0]) / size[0]) ** 2) - ((y - at[1]) / size[1]) ** 2)


def bent(normals: Normals, height: Field, step: float) -> Normals:
    """Return the normals after the surface was raised by `height`, both in units of `step`."""
    down, right = np.gradient(height, step)
    nx, ny, nz = normals
    x, y = nx - right, ny - down
    length = np.sqrt(x * x + y * y + nz * nz) + np.float32(1e-6)
    return x / length, y / length, nz / length


@dataclass(frozen=True)
class Surface:
    """What is seen of a thing on its grid; `inside` is > 0 on it, in steps of the grid."""

    inside: Field
    normals: Normals
    albedo: Field  # (h, w, 3), 0 to 255
    gloss: float = 0.0

    def cut(self, rows: slice, columns: slice) -> "Surface":
        """Return a part of it."""
        nx, ny, nz = (each[rows, columns] for each in self.normals)
        inside, albedo = self.inside[rows, columns], self.albedo[rows, columns]
        return Surface(inside, (nx, ny, nz), albedo, self.gloss)


def lit(canvas: Canvas, surface: Surface, lamp: Lamp) -> Field:
    """Return the pixels, float32 (h, w, 3) from 0 to 255, of a surface in the light."""
    nx, ny, nz = surface.normals
    toward = nx * lamp.way[0] + ny * lamp.way[1] + nz * lamp.way[2]
    t = np.clip(toward * 0.86 + 0.2, 0, 1)
    t = (t * t * (3 - 2 * t))[..., None]
    dim, warm = pigment(lamp.dim), pigment(lamp.warm)
    bounce = (np.clip(-toward, 0, 1) * 0.16)[..., None]
    pixels = surface.albedo * (dim * (1 + bounce) + (warm - dim) * t)
    if surface.gloss:
        x, y, z = lamp.way[0], lamp.way[1], lamp.way[2] + 1
        length = math.sqrt(x * x + y * y + z * z)
        shine = np.clip((nx * x + ny * y + nz * z) / length, 0, 1) ** 28
        pixels = pixels + (shine * (surface.gloss * 255))[..., None] * warm
    return tinted(canvas, pixels)


def tinted(canvas: Canvas, pixels: Field) -> Field:
    """Return pixels as the scene's palette has them; what is dark stays dark."""
    toward, share = TINTS[canvas.scene.palette]
    grey = (pixels[..., :1] + pixels[..., 1:2] + pixels[..., 2:]) / 3
    if share < 0:
        return pixels + (grey - pixels) * share
    gel = pigment(toward) * (0.2 + 0.8 * grey / 140)
    return pixels + (gel - pixels) * (share * 0.85)


def pigment(color: Tone) -> Field:
    """Return a colour, or a tone, to calculate with."""
    return np.asarray(color, np.float32)


def flat(color: Color, like: Field) -> Field:
    """Return an albedo of one colour, float32 (h, w, 3)."""
    return np.broadcast_to(pigment(color), (*like.shape, 3)).copy()


def begin(canvas: Canvas, pixels: Field) -> None:
    """Begin a picture with a soft ground, float (h, w, 3) of any size.

    Until `refine` the canvas has the size of the picture, which is a quarter of the work: only what
    has soft edges of its own, `lay` and `soft`, keeps to the positions of the whole canvas.
    """
    ground = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
    canvas.image = ground.resize(canvas.size, Image.Resampling.BICUBIC)
    canvas.draw = ImageDraw.Draw(canvas.image)


def refine(canvas: Canvas) -> None:
    """Give the canvas its whole size, for what is drawn with sharp edges."""
    canvas.image = _whole(canvas.image, (canvas.width, canvas.height))
    canvas.draw = ImageDraw.Draw(canvas.image)


def _whole(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    return picture.resize(size, Image.Resampling.NEAREST) if picture.size != size else picture


def lay(canvas: Canvas, surface: Surface, box: Box, lamp: Lamp) -> None:
    """Light a surface and lay it into the box of the canvas that its grid covers."""
    scale = canvas.image.width / canvas.width
    rows, columns = surface.inside.shape
    left, top = box[0] * scale, box[1] * scale
    wide, high = (box[2] - box[0]) * scale / columns, (box[3] - box[1]) * scale / rows
    seen = surface.inside > -4
    down, right = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
    first = max(int(down[0]), int(-top // high))
    last = min(int(down[-1]) + 1, math.ceil((canvas.image.height - top) / high))
    start = max(int(right[0]), int(-left // wide))
    stop = min(int(right[-1]) + 1, math.ceil((canvas.image.width - left) / wide))
    if first >= last or start >= stop:
        return
    part = surface.cut(slice(first, last), slice(start, stop))
    x, y = round(left + start * wide), round(top + first * high)
    size = (max(1, round(left + stop * wide) - x), max(1, round(top + last * high) - y))
    _paste(canvas, lit(canvas, part, lamp), part.inside, (x, y), size)


def _paste(
    canvas: Canvas, pixels: Field, inside: Field, at: tuple[int, int], size: tuple[int, int]
) -> None:
    share = canvas.image.width // canvas.size[0]
    half = (max(1, size[0] // share), max(1, size[1] // share))
    paint = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
    paint = paint.resize(half, Image.Resampling.BILINEAR)
    edge = Image.fromarray(np.clip(128 + inside * 36, 0, 255).astype(np.uint8))
    mask = edge.resize(half, Image.Resampling.BILINEAR)
    mask = mask.point(_steep(max(1, round(half[0] / inside.shape[1]))))
    canvas.image.paste(_whole(paint, size), at, _whole(mask, size))


@lru_cache(maxsize=32)
def _steep(gain: int) -> list[int]:
    return [max(0, min(255, round((level - 128) * gain * 4 + 128))) for level in range(256)]


def soft(
    canvas: Canvas, points: Sequence[Point], color: Color, strength: float, blur: float
) -> None:
    """Lay a polygon with a soft edge of `blur` pixels over what is there."""
    xs, ys = [x for x, _ in points], [y for _, y in points]
    left, top = min(xs) - 2 * blur, min(ys) - 2 * blur
    width, height = max(xs) + 2 * blur - left, max(ys) + 2 * blur - top
    scale = min(1 / OVERSAMPLING, 3 / max(blur, 1e-6))  # a soft edge needs few pixels
    share = canvas.image.width / canvas.width
    small = Image.new("L", (max(1, round(width * scale)), max(1, round(height * scale))))
    shape = [((x - left) * scale, (y - top) * scale) for x, y in points]
    ImageDraw.Draw(small).polygon(shape, fill=round(255 * strength))
    small = small.filter(ImageFilter.GaussianBlur(blur * scale * 0.6))
    half = (max(1, round(width / OVERSAMPLING)), max(1, round(height / OVERSAMPLING)))
    mask = small.resize(half, Image.Resampling.BILINEAR)
    if share == 1:
        mask = _whole(mask, (half[0] * OVERSAMPLING, half[1] * OVERSAMPLING))
    canvas.image.paste(color, (round(left * share), round(top * share)), mask)


def ring(x: float, y: float, rx: float, ry: float, steps: int = 28) -> list[Point]:
    """Return the points of an ellipse."""
    turns = [math.tau * step / steps for step in range(steps)]
    return [(x + rx * math.cos(turn), y + ry * math.sin(turn)) for turn in turns]


def light_at(canvas: Canvas, at: Point, albedo: Color) -> float:
    """Return how bright a surface of that albedo was painted at a point: 1 is as it is."""
    x = min(canvas.width - 1, max(0, round(at[0])))
    y = min(canvas.height - 1, max(0, round(at[1])))
    pixel = canvas.image.getpixel((x, y))
    painted = sum(pixel) if isinstance(pixel, tuple) else 0.0
    return min(1.15, painted / max(1, sum(canvas.tint(albedo))))


def dimmed(canvas: Canvas, color: Color, light: float) -> Color:
    """Return a colour under so much light."""
    return canvas.tint(mix((0, 0, 0), color, light))
