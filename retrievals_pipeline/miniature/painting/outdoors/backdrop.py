"""The soft part of an open-air picture: sky, water and land, before anything stands there.

It is float32 (3, rows, columns) at half the size of the picture. Positions are shares: `x` of the
width, `y` of the height.
"""

import copy
import math

import numpy as np

from retrievals_pipeline.miniature.painting.canvas import TINTS, Canvas, Color, Floats, brightness
from retrievals_pipeline.miniature.painting.fields import sample, tile

Paint = Color | Floats


class Backdrop:
    """Pixels to lay colours on, from far to near; `finish` puts them on the canvas."""

    def __init__(self, canvas: Canvas) -> None:
        self.canvas = canvas
        self.width, self.height = canvas.size[0] // 2, canvas.size[1] // 2
        self.aspect = canvas.width / canvas.height
        self.x: Floats = np.linspace(0, 1, self.width, dtype=np.float32)[None, :]
        self.y: Floats = np.linspace(0, 1, self.height, dtype=np.float32)[:, None]
        self.pixels: Floats = np.zeros((3, self.height, self.width), np.float32)

    def lay(self, paint: Paint, share: Floats, top: float = 0.0) -> None:
        """Cover what is below `top` with a paint by `share`, (rows or 1, columns or 1).

        The paint is a colour, or pixels (3, rows, columns).
        """
        rows = self.pixels[:, self.row(top) :]
        over = plane(paint) if isinstance(paint, tuple) else paint
        rows += (over - rows) * share.astype(np.float32, copy=False)

    def part(self, left: float, right: float, bottom: float) -> "Backdrop":
        """Return the columns between two shares, down to `bottom`, to paint on them alone."""
        part = copy.copy(self)
        columns = slice(max(0, int(left * self.width)), max(1, math.ceil(right * self.width)))
        rows = slice(0, max(2, math.ceil(bottom * self.height)))
        part.x, part.y = self.x[:, columns], self.y[rows]
        part.pixels = self.pixels[:, rows, columns]
        return part

    def row(self, y: float) -> int:
        """Return the row of pixels at a share of the height."""
        return min(self.height - 2, max(0, int(y * self.height)))

    def below(self, line: Floats, top: float = 0.0) -> Floats:
        """Return the share of each pixel under a line of heights, (rows below `top`, columns)."""
        rows = self.y[self.row(top) :]
        share: Floats = np.clip((rows - line) * np.float32(self.height) + np.float32(0.5), 0, 1)
        return share

    def rolling(self, base: float, swing: float, waves: float) -> Floats:
        """Return a rolling line of heights about `base`, (1, columns)."""
        total: Floats = np.zeros_like(self.x)
        for k in (1, 2, 3):
            turn = self.canvas.chance.uniform(0, math.tau)
            total = total + np.sin(self.x * np.float32(math.tau * waves * k) + np.float32(turn)) / k
        return np.float32(base) + np.float32(swing / 1.6) * total

    def ragged(self, roughness: float, scale: float) -> Floats:
        """Return a rough line about 0 of deviation 1, (1, columns), `scale` tiles wide."""
        row, start = self.canvas.chance.randrange(512), self.canvas.chance.random()
        columns = ((self.x * np.float32(scale * self.aspect) + start) * 512).astype(np.int32)
        line: Floats = tile(roughness)[row][columns & 511]
        return line

    def distant(self, roughness: float, rows: Floats, across: float, along: float) -> Floats:
        """Return noise on a plane that recedes; `rows` is the distance of each row, (rows, 1)."""
        chance = self.canvas.chance
        u = (self.x - np.float32(0.5)) * np.float32(across * self.aspect) * rows
        return sample(roughness, u + chance.random(), rows * along + chance.random())

    def flat(self, roughness: float, across: float, down: float, top: float = 0.0) -> Floats:
        """Return noise in the plane of the picture, `across` and `down` tiles to its height."""
        chance = self.canvas.chance
        u = self.x * np.float32(across * self.aspect) + np.float32(chance.random())
        v = self.y[self.row(top) :] * np.float32(down) + np.float32(chance.random())
        return sample(roughness, u, v)

    def finish(self) -> None:
        """Grade the pixels by the scene's palette and fill the canvas with them."""
        toward, share = TINTS[self.canvas.scene.palette]
        grey = 0.3 * self.pixels[0] + 0.59 * self.pixels[1] + 0.11 * self.pixels[2]
        if share < 0:
            self.lay(grey[None], np.full((1, 1), share, np.float32))
        else:
            self.lay(_toned(grey, toward), np.full((1, 1), min(0.8, share * 1.5), np.float32))
        self.canvas.fill(self.pixels.transpose(1, 2, 0))


def _toned(grey: Floats, toward: Color) -> Floats:
    """Return the tones in one hue: from black over `toward` to white."""
    middle = np.float32(brightness(toward))
    dark = np.clip(grey / middle, 0, 1)
    light = np.clip((grey - middle) / (255 - middle), 0, 1)
    toned: Floats = plane(toward) * dark + (255 - plane(toward)) * light
    return toned


def plane(color: Color) -> Floats:
    """Return a colour as pixels, (3, 1, 1)."""
    return np.asarray(color, np.float32)[:, None, None]
