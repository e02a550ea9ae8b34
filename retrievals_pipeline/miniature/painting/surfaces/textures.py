"""What lies under and over the paint: canvas, paper, wood, cracks. Made once for a side.

Textures are square, hold no chance of a scene, and are cut or stretched to each picture. Their
forms are counted in cells a side, so that they are the same at every size.
"""

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from PIL import Image, ImageChops, ImageOps

from retrievals_pipeline.miniature.painting.canvas import Color, Floats, cloud_noise
from retrievals_pipeline.miniature.scenes import Scene

Texture = Callable[[int], Image.Image]


def cut(texture: Texture, size: tuple[int, int]) -> Image.Image:
    """Return the part of a texture that a picture of that size needs."""
    return texture(max(size)).crop((0, 0, *size))


def grained(picture: Image.Image, texture: Texture) -> Image.Image:
    """Raise and lower the tones by a relief that is flat at 128."""
    return ImageChops.add(picture, cut(texture, picture.size), 1, -128)


def coarse(picture: Image.Image, side: int) -> Image.Image:
    """Return the picture reduced to a longer side of `side` pixels or a little more.

    What is measured on it has the same size in the picture, however large that is.
    """
    return picture.reduce(max(1, max(picture.size) // side))


def toned(picture: Image.Image) -> Image.Image:
    """Return the tones, L, a third of the way to full range: night stays dark, mist pale."""
    grey = picture.convert("L")
    return Image.blend(grey, ImageOps.autocontrast(grey, cutoff=0.2), 0.33)


def field(seed: int, side: int, cells: int, octaves: int = 2) -> Floats:
    """Return soft noise, float32 (side, side), about -1 to 1, of `cells` blobs a side."""
    noise = np.random.default_rng(seed)
    cells = max(2, min(cells, side))
    return (cloud_noise(noise, (side, side), (cells, cells), octaves) - 0.5) * 2


def axes(side: int) -> tuple[Floats, Floats]:
    """Return x (1, side) and y (side, 1), float32, 0 to 1."""
    axis = (np.arange(side, dtype=np.float32) + 0.5) / np.float32(side)
    return axis[None, :], axis[:, None]


def inward(side: int) -> Floats:
    """Return how far each pixel lies from the nearest edge, float32 (side, side), in sides."""
    x, y = axes(side)
    return np.minimum(np.minimum(x, 1 - x), np.minimum(y, 1 - y))


def relief(heights: Floats) -> Image.Image:
    """Return heights about 0 as an RGB relief about 128."""
    return level(128 + heights).convert("RGB")


def level(values: Floats) -> Image.Image:
    """Return values, 0 to 255, as a picture of mode L."""
    return Image.fromarray(np.clip(values, 0, 255).astype(np.uint8))


def colored(light: Floats, color: Color) -> Image.Image:
    """Return a sheet of one colour under uneven light, float32 (side, side) about 1."""
    sheet = light[:, :, None] * np.asarray(color, np.float32)
    return Image.fromarray(np.clip(sheet, 0, 255).astype(np.uint8))


@lru_cache(maxsize=4)
def weave(side: int) -> Image.Image:
    """Return the relief of a canvas."""
    x, y = axes(side)
    turns = np.float32(2 * np.pi * 210)
    threads = np.sin(x * turns + field(11, side, 9)) * np.cos(y * turns + field(12, side, 9)) * 3
    return relief(threads + field(13, side, 512) * 4)


@lru_cache(maxsize=4)
def tooth(side: int) -> Image.Image:
    """Return the relief of rough paper."""
    return relief(field(2, side, 340) * 9 + field(14, side, 90) * 3)


@lru_cache(maxsize=4)
def vignette(side: int) -> Image.Image:
    """Return the square that darkens towards its edges, RGB, to multiply with once stretched."""
    x, y = axes(side)
    far = np.clip((np.abs(x * 2 - 1) ** 2.4 + np.abs(y * 2 - 1) ** 2.4) / 2, 0, 1)
    dark = far[:, :, None] * np.asarray((52, 60, 70), np.float32)
    return Image.fromarray((255 - dark).astype(np.uint8))


def turned(texture: Image.Image, scene: Scene) -> Image.Image:
    """Return the texture as it lies in the picture of a scene: not all have the same stains."""
    if scene.seed & 1:
        texture = texture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return texture.transpose(Image.Transpose.FLIP_TOP_BOTTOM) if scene.seed & 2 else texture


def framed(texture: Texture, size: tuple[int, int]) -> Image.Image:
    """Return a texture whose edges are to lie on the picture's: stretched, not cut."""
    return texture(max(size)).resize(size, Image.Resampling.BILINEAR)


@lru_cache(maxsize=4)
def cracks(side: int) -> Image.Image:
    """Return the network of cracks of old paint, RGB: 255 in a crack."""
    seeds = np.random.default_rng(15)
    x, y = axes(side)
    bend_x, bend_y = field(16, side, 26) * 0.006, field(17, side, 26) * 0.006
    cells = 58
    u, v = (x + bend_x) * cells, (y + bend_y) * cells
    points = seeds.random((cells + 4, cells + 4, 2), dtype=np.float32)
    near: Floats = np.full((side, side), 9, np.float32)
    next_near: Floats = near.copy()
    column0, row0 = np.floor(u).astype(np.int32), np.floor(v).astype(np.int32)
    for down in (-1, 0, 1):
        for right in (-1, 0, 1):
            row, column = row0 + down, column0 + right
            point = points[row % (cells + 4), column % (cells + 4)]
            far = (u - column - point[..., 0]) ** 2 + (v - row - point[..., 1]) ** 2
            next_near = np.minimum(next_near, np.maximum(near, far))
            near = np.minimum(near, far)
    gap = np.sqrt(next_near) - np.sqrt(near)
    worn = np.clip(field(18, side, 5) * 1.6 + 0.7, 0.1, 1)  # not cracked alike all over
    return level(np.maximum(0, 255 - gap * 2900) * worn).convert("RGB")
