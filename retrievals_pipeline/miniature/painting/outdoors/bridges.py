"""The arched stone bridge."""

import math

from retrievals_pipeline.miniature.painting.canvas import (
    GRASS,
    SNOW,
    STONE,
    Canvas,
    Color,
    Point,
    mix,
)
from retrievals_pipeline.miniature.painting.outdoors.pose import Pose

HALF = 1.75  # half its length, in heights
ARCHES = ((-0.92, 0.36), (0.0, 0.46), (0.92, 0.36))  # the middle of each and half its width
DARK: Color = (58, 52, 64)


def bridge(canvas: Canvas, x: float, y: float, s: float, _: Color) -> None:
    """Paint a humped bridge of three round arches, open, so that the river is seen through."""
    pose = Pose(canvas, x, y, s)
    stone = mix(STONE, (150, 128, 104), 0.45)
    deck = [(HALF * t, _deck(t)) for t in (step / 10 - 1 for step in range(21))]
    under = [point for at, half in reversed(ARCHES) for point in _arch(at, half)]
    for at, half in ARCHES:  # the inner side of each arch, in shade
        inner = [(px + 0.09, py + 0.02) for px, py in _arch(at, half)]
        pose.polygon([*_arch(at, half), *reversed(inner)], canvas.shade(mix(stone, DARK, 0.7)))
    pose.polygon([*deck, (HALF, 0.0), *under, (-HALF, 0.0)], canvas.shade(stone))
    _masonry(pose, stone)
    cap = mix(stone, (255, 248, 226), 0.5) if canvas.scene.season != "winter" else SNOW
    pose.line(deck, canvas.shade(cap), 0.07)
    pose.line([(px, py - 0.13) for px, py in deck], canvas.shade(mix(stone, DARK, 0.45)), 0.025)
    _banks(pose)
    for at, half in ARCHES:
        pose.line(_arch(at, half + 0.03), canvas.shade(mix(stone, (255, 246, 220), 0.35)), 0.05)


def _deck(t: float) -> float:
    return 0.98 - 0.3 * float(abs(t) ** 1.7)


def _arch(at: float, half: float) -> list[Point]:
    """Return an arch from its right foot over its crown to its left foot."""
    steps = [math.pi * step / 12 for step in range(13)]
    rise = 0.62 + 0.26 * (half - 0.36)
    return [(at + half * math.cos(turn), rise * math.sin(turn)) for turn in steps]


def _banks(pose: Pose) -> None:
    """Bed both ends in grassy banks."""
    grass = GRASS[pose.canvas.scene.season]
    for side in (-1, 1):
        bank = ((1.34, -0.02), (1.46, 0.2), (1.64, 0.44), (1.8, 0.56), (2.0, 0.4), (2.5, -0.02))
        pose.polygon(
            [(side * dx, dy) for dx, dy in bank], pose.canvas.shade(mix(grass, DARK, 0.25), 0.12)
        )
        crest = ((1.7, 0.42), (1.8, 0.56), (2.0, 0.4), (2.5, -0.02), (1.9, 0.02))
        pose.polygon(
            [(side * dx, dy) for dx, dy in crest], pose.canvas.shade(mix(grass, DARK, 0.08), 0.12)
        )


def _masonry(pose: Pose, stone: Color) -> None:
    """Lay stones of varied tone and the cutwaters between the arches."""
    canvas, chance = pose.canvas, pose.canvas.chance
    for _ in range(46):
        t = chance.uniform(-0.97, 0.97)
        px, py = HALF * t, _deck(t) - chance.uniform(0.17, 0.3)
        tone = mix(stone, DARK if chance.random() < 0.5 else (250, 240, 214), 0.22)
        pose.line(((px, py), (px + 0.09, py)), canvas.shade(tone), 0.035)
    for pier in (-0.5, 0.5):
        wedge = ((pier - 0.05, 0.62), (pier + 0.02, 0.55), (pier + 0.1, 0.0), (pier - 0.1, 0.0))
        pose.polygon(wedge, canvas.shade(mix(stone, (246, 236, 210), 0.25)))
        pose.polygon(((pier + 0.02, 0.55), (pier + 0.1, 0.0), (pier + 0.02, 0.0)),
                     canvas.shade(mix(stone, DARK, 0.4)))  # fmt: skip
