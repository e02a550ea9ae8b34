"""How trees are painted: standing on (x, y), `s` high, as season and wind have them."""

import math

from retrievals_pipeline.miniature.painting.canvas import FOLIAGE, SNOW, WOOD, Canvas, Color, mix
from retrievals_pipeline.miniature.painting.outdoors.pose import Pose
from retrievals_pipeline.miniature.painting.outdoors.weather import wind

BLOSSOM: Color = (244, 206, 212)
DABS = 125  # of the brush, for a crown
BARK: Color = (78, 60, 52)


def tree(canvas: Canvas, x: float, y: float, s: float, _: Color) -> None:
    """Paint a broad tree: in blossom, green, orange, or bare with snow on its boughs."""
    pose = Pose(canvas, x, y, s, 1, wind(canvas.scene))
    if canvas.scene.season == "winter":
        pose.polygon(((-0.05, 0), (-0.028, 0.3), (0.028, 0.3), (0.055, 0)), canvas.shade(BARK))
        for turn in (-0.62, -0.05, 0.55):
            _bough(pose, (0.0, 0.27), 0.26, math.pi / 2 + turn, 4)
        return
    pose.polygon(((-0.06, 0), (-0.03, 0.5), (0.03, 0.5), (0.065, 0)), canvas.shade(BARK))
    pose.line(((0, 0.3), (-0.16, 0.55)), canvas.shade(BARK), 0.03)
    pose.line(((0, 0.34), (0.17, 0.58)), canvas.shade(BARK), 0.03)
    _crown(pose, FOLIAGE[canvas.scene.season])


def _crown(pose: Pose, leaves: Color) -> None:
    """Paint clumps of leaves, dark below and behind, sunlit above and to the left."""
    canvas, chance = pose.canvas, pose.canvas.chance
    dark: Color = (18, 26, 44)
    tones = [mix(leaves, dark, 0.5), mix(leaves, dark, 0.24), leaves]
    if canvas.scene.season == "spring":
        tones += [mix(leaves, BLOSSOM, 0.7), BLOSSOM]
        tones[2] = mix(leaves, BLOSSOM, 0.3)
    else:
        bright = mix(leaves, (255, 240, 150), 0.42)
        tones += [mix(leaves, bright, 0.5), bright]
    tones = [canvas.shade(tone) for tone in tones]
    turns = [math.tau * (place + chance.uniform(-0.3, 0.3)) / 5 for place in range(5)]
    lobes = [(math.cos(turn) * 0.16, 0.02 + math.sin(turn) * 0.13) for turn in turns]
    blooming = 0.7 if canvas.scene.season == "spring" else 0.0
    for step in range(DABS):
        level = step / DABS
        turn, reach = chance.uniform(0, math.tau), chance.random() ** 0.5 * 0.17
        lobe = lobes[step % 5]
        dx, dy = lobe[0] + math.cos(turn) * reach, lobe[1] + math.sin(turn) * reach * 0.85
        light = blooming + level * 2.3 + (dy - dx) * 3.6 + chance.uniform(-0.5, 0.5)
        r = (0.12 - 0.096 * level**0.7) * chance.uniform(0.8, 1.2)
        pose.oval(dx, 0.69 + dy, r, r * 0.82, tones[min(4, max(0, round(light)))])


def _bough(pose: Pose, start: tuple[float, float], length: float, angle: float, depth: int) -> None:
    canvas, chance = pose.canvas, pose.canvas.chance
    tip = (start[0] + math.cos(angle) * length, start[1] + math.sin(angle) * length)
    pose.line((start, tip), canvas.shade(BARK), length * 0.14)
    if depth >= 3:
        over = ((start[0], start[1] + 0.012), (tip[0], tip[1] + 0.01))
        pose.line(over, canvas.shade(SNOW), 0.012)
    if depth:
        for turn in (-0.5, 0.45):
            bend = angle + turn * chance.uniform(0.5, 1.25)
            _bough(pose, tip, length * chance.uniform(0.6, 0.76), bend, depth - 1)


def cypress(canvas: Canvas, x: float, y: float, s: float, _: Color) -> None:
    """Paint a dark flame of a tree."""
    pose = Pose(canvas, x, y, s, 1, wind(canvas.scene) * 0.7)
    chance = canvas.chance
    pose.line(((0, 0), (0, 0.2)), canvas.shade(WOOD), 0.035)
    dark, green = (26, 48, 44), (52, 84, 54)
    outline = [(_flame(t), 0.06 + 0.94 * t) for t in (step / 12 for step in range(13))]
    left = [(-half * chance.uniform(0.85, 1.15), dy) for half, dy in outline]
    pose.polygon([*outline, *reversed(left)], canvas.shade(dark))
    for step in range(24):
        t = step / 24
        dx = chance.uniform(-0.75, 0.35) * _flame(t)
        tone = mix(green, (150, 160, 84), chance.uniform(0, 0.4) * (0.4 - dx * 4))
        dy = 0.06 + 0.9 * t
        pose.line(((dx, dy), (dx * 0.5, dy + 0.085)), canvas.shade(tone), 0.024)
    if canvas.scene.season == "winter":
        pose.line(((-0.05, 0.55), (-0.03, 0.75), (0, 0.96)), canvas.shade(SNOW), 0.03)


def _flame(t: float) -> float:
    return 0.125 * math.sin(math.pi * min(1.0, (1 - t) * 0.84 + 0.12)) + 0.004


def fir(canvas: Canvas, x: float, y: float, s: float, _: Color) -> None:
    """Paint a fir in ragged tiers, snowy in winter."""
    pose = Pose(canvas, x, y, s, 1, wind(canvas.scene) * 0.6)
    chance = canvas.chance
    pose.line(((0, 0), (0, 0.2)), canvas.shade(WOOD), 0.05)
    tiers = 6
    for tier in range(tiers):
        t = tier / tiers
        low, half = 0.09 + 0.84 * t, 0.28 * (1 - t * 0.78) * chance.uniform(0.92, 1.06)
        top = low + 0.3 * (1 - t * 0.4)
        needles = mix((24, 56, 52), (84, 118, 80), t * 0.35)
        hem = [(half * (k / 3 - 1), low + (0.035 if k % 2 else -0.01)) for k in range(7)]
        pose.polygon([*hem, (0, top)], canvas.shade(mix(needles, (10, 18, 34), 0.25)))
        pose.polygon(((-half, low - 0.01), (-half * 0.62, low + 0.03), (-half * 0.3, low - 0.01),
                      (-half * 0.1, low + 0.05), (0, top)),
                     canvas.shade(mix(needles, (156, 172, 100), 0.3)))  # fmt: skip
        if canvas.scene.season == "winter":
            pose.polygon(((-half * 0.92, low + 0.005), (-half * 0.4, low + 0.07),
                          (half * 0.25, low + 0.05), (half * 0.6, low + 0.02), (0, top)),
                         canvas.shade(SNOW))  # fmt: skip
