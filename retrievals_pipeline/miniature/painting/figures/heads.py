"""Heads: their build, their pose, and how light models them.

A head is an egg, seen from any side: points on it are given by `turn`, the angle from the middle of
the face in radians, and `level`, 0 at the eyes, about 1.25 at the chin, in units of its half width.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from retrievals_pipeline.miniature.painting.canvas import Box, Canvas, Color, Point, mix
from retrievals_pipeline.miniature.painting.relief import (
    Field,
    Lamp,
    Normals,
    Surface,
    bent,
    flat,
    grid,
    hill,
    lay,
    pigment,
)

FRAME: Box = (-1.75, -2.0, 1.75, 1.75)  # of the grid about a head, in its half widths
COLUMNS, ROWS = 112, 120
STEP = (FRAME[2] - FRAME[0]) / (COLUMNS - 1)
NOD = 0.34  # how far the face sinks when the head is bowed all the way
BLUSH: Color = (206, 84, 70)


@dataclass(frozen=True)
class Build:
    """What age and sex make of a head."""

    jaw: float  # the higher, the squarer
    chin: float  # its level
    eyes: float  # size
    nose: float
    full: float  # fullness of the cheeks; below 0 they are hollow
    lips: float  # redness
    old: bool = False
    small: bool = False
    female: bool = False


BUILDS = {
    "old man": Build(2.5, 1.32, 0.92, 1.2, -0.6, 0.1, old=True),
    "old woman": Build(2.2, 1.24, 0.92, 1.0, -0.4, 0.3, old=True, female=True),
    "young man": Build(2.8, 1.32, 0.98, 1.08, 0.1, 0.2),
    "young woman": Build(2.0, 1.25, 1.14, 0.82, 0.4, 0.9, female=True),
    "boy": Build(2.3, 1.12, 1.26, 0.66, 1.0, 0.4, small=True),
    "girl": Build(2.1, 1.1, 1.32, 0.6, 1.0, 0.6, small=True, female=True),
}


@dataclass(frozen=True)
class Head:
    """Where a head is, how it is held and what it is made of."""

    x: float
    y: float
    r: float
    build: Build
    skin: Color
    hair: Color
    yaw: float = 0.0  # turned to the right, in radians
    pitch: float = 0.0  # 1 is bowed deep
    roll: float = 0.0  # tilted to the right, in radians

    def half_width(self, level: Field) -> Field:
        """Return half the width of the egg at a level."""
        steps = ((level + 2) * 1024).astype(np.intp)
        return _half_widths(self.build).take(steps, mode="clip")

    def lean(self, level: Field) -> Field:
        """Return how far the middle is moved: the chin forward, the back of the head away."""
        return self.yaw * np.where(level > 0, 0.16 * level, 0.2 * level)

    def place(self, u: float, v: float) -> Point:
        """Return where a point of the plane of the head is on the canvas."""
        sin, cos = math.sin(self.roll), math.cos(self.roll)
        low = v - 1.2  # it tilts about the neck
        return self.x + self.r * (u * cos - low * sin), self.y + self.r * (
            u * sin + low * cos + 1.2
        )

    def on(self, points: Iterable[Point]) -> list[Point]:
        """Return where points (turn, level) of the face are on the canvas."""
        given = np.asarray(list(points), np.float32)
        sunk = self.pitch * NOD * np.cos(given[:, 0])
        v = sunk + given[:, 1] * (1 - 0.8 * sunk / self.build.chin)
        u = np.sin(given[:, 0] + self.yaw) * self.half_width(v) + self.lean(v)
        return [self.place(*point) for point in zip(u.tolist(), v.tolist(), strict=True)]

    def plane(self) -> tuple[Field, Field]:
        """Return (u, v) of each point of the grid about the head."""
        x, y = grid(FRAME, COLUMNS, ROWS)
        sin, cos = math.sin(self.roll), math.cos(self.roll)
        low = y - 1.2
        u: Field = x * cos + low * sin
        v: Field = low * cos - x * sin + 1.2
        return u, v

    def egg(self, u: Field, v: Field, grown: float = 1.0) -> tuple[Field, Field, Field]:
        """Return turn, level and depth inside the edge (in steps) of the egg grown so much."""
        half = self.half_width(v / grown) * grown
        share = (u - self.lean(v)) / np.maximum(half, 0.02)
        turn = np.arcsin(np.clip(share, -1, 1)) - self.yaw
        sunk = self.pitch * NOD * np.cos(turn)
        level: Field = (v - sunk) / (1 - 0.8 * sunk / self.build.chin)
        inside = (half - np.abs(u - self.lean(v))) / STEP - 0.5
        return turn, level, inside

    @property
    def box(self) -> Box:
        """Return the square of the canvas that the grid covers."""
        left, top, right, bottom = FRAME
        return (self.x + left * self.r, self.y + top * self.r,
                self.x + right * self.r, self.y + bottom * self.r)  # fmt: skip


@lru_cache(maxsize=8)
def _half_widths(build: Build) -> Field:
    """Return half the width of an egg at 4096 levels from -2 to 2."""
    level = np.arange(4096, dtype=np.float32) / 1024 - 2
    up = (1 - np.clip(-level / 1.34, 0, 1) ** 2.3) ** 0.47
    down = (1 - np.clip(level / build.chin, 0, 1) ** build.jaw) ** 0.58
    return np.where(level < 0, up, down).astype(np.float32)


def round_normals(u: Field, v: Field, half: Field) -> Normals:
    """Return the normals of an egg that is `half` wide at each height."""
    x = np.clip(u / np.maximum(half, 0.05), -1, 1) * 0.94
    y = np.clip(v / 1.5, -1, 1) * 0.72
    z = np.sqrt(np.maximum(0.04, 1 - x * x - y * y))
    return x, y, z


def paint_head(canvas: Canvas, head: Head, lamp: Lamp, *, merry: bool, shaded: float) -> None:
    """Paint the bare head; `shaded` (0 to 1) is how deep a brim's shadow lies on the brow."""
    u, v = head.plane()
    turn, level, inside = head.egg(u, v)
    ears = _ears(head, u, v)
    normals = round_normals(u - head.lean(v), v, head.half_width(v))
    normals = bent(normals, _relief(head, turn, level, merry=merry), STEP)
    albedo = _complexion(head, turn, level, lamp, shaded)
    lobe = np.clip(np.minimum(ears, -inside) * 0.6, 0, 1)[..., None]
    albedo = albedo + (pigment(mix(head.skin, BLUSH, 0.4)) * 0.85 - albedo) * lobe
    lay(canvas, Surface(np.maximum(inside, ears), normals, albedo, 0.05), head.box, lamp)


def _relief(head: Head, turn: Field, level: Field, *, merry: bool) -> Field:
    """Return the height of brow, nose, cheeks, mouth and chin over the egg."""
    build, side = head.build, np.abs(turn)
    lower = level / build.chin * 1.27
    ridge = np.clip((lower + 0.16) / 0.6, 0, 1) * np.clip((0.53 - lower) / 0.1, 0, 1)
    middle = turn - 0.3 * head.yaw * ridge
    height: Field = 0.3 * build.nose * ridge * np.exp(-((middle / (0.09 + 0.07 * ridge)) ** 2))
    height += 0.1 * build.nose * hill(side, lower, (0.17, 0.45), (0.07, 0.06))
    height += -0.13 * hill(side, level, (0.38, 0.0), (0.2, 0.12))
    height += 0.06 * hill(side, level, (0.4, 0.02), (0.12, 0.06))
    height += 0.06 * (1.4 - 0.8 * build.small) * hill(side, level, (0.36, -0.26), (0.3, 0.07))
    cheek = 0.09 + 0.05 * build.full + (0.05 if merry else 0)
    height += cheek * hill(side, lower, (0.6, 0.4 - 0.05 * merry), (0.25, 0.2))
    height += 0.1 * build.full * hill(side, lower, (0.6, 0.75), (0.25, 0.2))
    height += 0.08 * hill(turn, lower, (0.0, 0.75), (0.34, 0.2))
    height += 0.05 * hill(turn, lower, (0.0, 0.83), (0.17, 0.05))
    height += -0.03 * hill(turn, lower, (0.0, 0.93), (0.2, 0.06))
    height += 0.06 * hill(turn, lower, (0.0, 1.1), (0.24, 0.13))
    if build.old or merry:
        fold = side - (0.2 + 0.42 * (lower - 0.42))
        here = np.clip((lower - 0.36) / 0.1, 0, 1) * np.clip((0.9 - lower) / 0.14, 0, 1)
        height += -(0.05 if build.old else 0.028) * here * np.exp(-((fold / 0.05) ** 2))
    if build.old:
        height += -0.03 * hill(side, level, (0.38, 0.2), (0.16, 0.04))
        here = hill(turn, level, (0.0, -0.56), (0.6, 0.22))
        height += 0.011 * here * np.sin(level * 42 + np.cos(turn * 5))
    return height


def _complexion(head: Head, turn: Field, level: Field, lamp: Lamp, shaded: float) -> Field:
    """Return the albedo of the skin: red cheeks and nose, dark eyes, the shadow of the nose."""
    build, side = head.build, np.abs(turn)
    lower = level / build.chin * 1.27
    albedo = flat(head.skin, turn)
    red = 0.34 * hill(side, lower, (0.62, 0.45), (0.28, 0.22)) * (0.7 if build.old else 1.0)
    red += 0.22 * build.nose * hill(turn, lower, (0.0, 0.42), (0.14, 0.1))
    albedo += (pigment(BLUSH) - albedo) * red[..., None]
    dark = 0.3 * hill(side, level, (0.38, -0.02), (0.2, 0.13))
    cast = -lamp.side * 0.2
    dark += 0.34 * hill(turn - 0.1 * head.yaw, lower, (cast, 0.42), (0.11, 0.16))
    dark += 0.2 * hill(turn, lower, (0.0, 0.56), (0.16, 0.04))
    dark += 0.12 * hill(turn, lower, (0.0, 0.93), (0.16, 0.045))
    if not (build.female or build.small or build.old):  # a shaven beard
        dark += 0.16 * np.clip((lower - 0.45) / 0.2, 0, 1)
    if shaded:
        dark += shaded * np.clip((-0.12 - level) / 0.35, 0, 1)
    tone = pigment(mix(head.skin, (70, 30, 26), 0.8))
    albedo += (tone - albedo) * np.clip(dark, 0, 0.8)[..., None]
    return albedo


def _ears(head: Head, u: Field, v: Field) -> Field:
    """Return how deep a place is in an ear, in steps; the far ear is behind the head."""
    near = [side for side in (-1, 1) if side * head.yaw <= 0.2]
    ears = [((u - side * 0.98 + head.yaw * 0.12) / 0.15) ** 2 for side in near]
    depth: Field = 1 - np.minimum(ears[0], ears[-1]) - ((v - 0.16) / 0.28) ** 2
    return depth * (0.1 / STEP)
