"""Faces: eyes, brows, nose and mouth, and the mood in them."""

import math
from dataclasses import dataclass

from retrievals_pipeline.miniature.painting.canvas import INK, Canvas, Color, Point, mix
from retrievals_pipeline.miniature.painting.figures.heads import Head
from retrievals_pipeline.miniature.painting.relief import dimmed, light_at

EYE = 0.4  # how far an eye is from the middle of the face, in radians
IRISES: tuple[Color, ...] = ((70, 48, 34), (62, 84, 104), (78, 92, 58), (52, 40, 36))
STEPS = [step / 8 - 1 for step in range(17)]


@dataclass(frozen=True)
class Expression:
    """What a mood does to a face, in half widths of the head."""

    open: float = 1.0  # how far the lids are
    inner: float = 0.0  # how much the brows are raised at the nose
    outer: float = 0.0  # and at the temples
    corners: float = 0.0  # how much the corners of the mouth are raised
    laugh: float = 0.0  # how far the lips part
    look: float = 0.0  # how far the eyes look down


EXPRESSIONS = {
    "cheerful": Expression(0.95, 0.06, 0.05, 0.12, 1.0),
    "calm": Expression(),
    "melancholy": Expression(0.55, 0.16, -0.07, -0.085, 0.0, 0.05),
    "mysterious": Expression(0.85, -0.04, 0.05, 0.0),
}
READING = {"open": 0.2, "look": 0.06}


def paint_face(canvas: Canvas, head: Head, mood: Expression, iris: Color) -> None:
    """Paint the features onto a bare head."""
    _nostrils(canvas, head)
    _mouth(canvas, head, mood)
    for side in (-1, 1):
        _eye(canvas, head, side, mood, iris)
        _brow(canvas, head, side, mood)
    if head.build.old:
        _wrinkles(canvas, head)


def _stroke(canvas: Canvas, head: Head, points: list[Point], color: Color, width: float) -> None:
    at = head.on(points)
    light = light_at(canvas, at[len(at) // 2], head.skin)
    canvas.line(at, dimmed(canvas, color, min(1.0, 0.35 + 0.65 * light)), head.r * width)


def _eye(canvas: Canvas, head: Head, side: int, mood: Expression, iris: Color) -> None:
    size = head.build.eyes
    wide, high = 0.17 * size, 0.105 * size
    middle = side * EYE
    light = light_at(canvas, head.on([(middle, 0.1 * size)])[0], head.skin)
    level = 0.02 + 0.1 * high
    lids = [(t, 1 - abs(t) ** 2.2) for t in STEPS]
    low = level + 0.5 * high
    drop = (1 - mood.open) * 1.35 * high
    slant = -0.018 * side
    upper = [(middle + t * wide, level + t * slant - k * high + k * drop) for t, k in lids]
    lower = [(middle + t * wide, level + t * slant + k * (low - level)) for t, k in lids]
    lid = [(middle + t * wide * 1.12, level + t * slant - k * high * 1.35) for t, k in lids]
    skin = mix(head.skin, (120, 60, 50), 0.16)
    canvas.polygon(head.on([*lid, *reversed(lower)]), dimmed(canvas, skin, light))
    canvas.polygon(head.on([*upper, *reversed(lower)]), dimmed(canvas, (236, 230, 218), light))
    gaze = middle + 0.045 * size * _toward(head)
    for radius, color in ((0.098, mix(iris, INK, 0.45)), (0.084, iris), (0.042, (16, 12, 12))):
        disc = _disc(gaze, level - 0.012 + mood.look, radius * size, upper, lower)
        canvas.polygon(head.on(disc), dimmed(canvas, color, min(1.0, light)))
    if mood.open > 0.5:
        x, y = head.on([(gaze - 0.035 * size, level - 0.045 * size)])[0]
        canvas.oval(x, y, head.r * 0.022, head.r * 0.022, dimmed(canvas, (255, 252, 244), light))
    lash = 0.05 if head.build.female else 0.036
    _stroke(canvas, head, upper, mix(head.hair, INK, 0.7) if not head.build.old else (70, 46, 42),
            lash)  # fmt: skip
    _stroke(canvas, head, [(x, y - 0.012) for x, y in lid[2:-2]], mix(skin, (70, 26, 22), 0.55),
            0.02)  # fmt: skip
    _stroke(canvas, head, lower[3:-3], mix(skin, (90, 40, 36), 0.5), 0.018)


def _toward(head: Head) -> float:
    """Return where the eyes look when they meet ours: against the turn of the head."""
    return -0.9 * max(-1.0, min(1.0, head.yaw * 2.2))


def _disc(x: float, y: float, radius: float, upper: list[Point], lower: list[Point]) -> list[Point]:
    """Return the points of a circle, kept between the lids."""
    points = []
    left, right = upper[0][0], upper[-1][0]
    for step in range(24):
        turn = math.tau * step / 24
        at = min(right, max(left, x + radius * math.cos(turn)))
        index = round((at - left) / (right - left) * (len(upper) - 1))
        level = y + radius * math.sin(turn)
        points.append((at, max(upper[index][1], min(lower[index][1], level))))
    return points


def _brow(canvas: Canvas, head: Head, side: int, mood: Expression) -> None:
    thick = 0.036 if head.build.female else 0.056 if not head.build.small else 0.04
    tone = mix(head.hair, INK, 0.2 if head.build.old else 0.4)
    at = [(0.16, -0.2 - mood.inner), (0.36, -0.285 - (mood.inner + mood.outer) / 2),
          (0.56, -0.25 - mood.outer), (0.68, -0.16 - mood.outer)]  # fmt: skip
    widths = (thick * 1.0, thick * 1.15, thick * 0.7, 0.006)
    top = [(side * x, y - w) for (x, y), w in zip(at, widths, strict=True)]
    under = [(side * x, y + w) for (x, y), w in zip(at, widths, strict=True)]
    shape = head.on([*top, *reversed(under)])
    light = light_at(canvas, head.on([(side * 0.4, -0.42)])[0], head.skin)
    canvas.polygon(shape, dimmed(canvas, tone, min(1.0, 0.3 + 0.7 * light)))


def _nostrils(canvas: Canvas, head: Head) -> None:
    scale, shift = head.build.chin / 1.27, 0.3 * head.yaw
    for side in (-1, 1):
        x, y = head.on([(side * 0.085 + shift * 0.6, 0.485 * scale)])[0]
        tone = dimmed(canvas, (96, 44, 40), min(1.0, light_at(canvas, (x, y), head.skin) + 0.2))
        canvas.oval(x, y, head.r * 0.045 * head.build.nose, head.r * 0.025, tone)
    wing = -1 if head.yaw > 0 else 1
    tone = mix(head.skin, (90, 36, 30), 0.55)
    shape = [(wing * 0.2 + shift * 0.5, 0.38 * scale), (wing * 0.225 + shift * 0.5, 0.44 * scale),
             (wing * 0.17 + shift * 0.5, 0.49 * scale)]  # fmt: skip
    _stroke(canvas, head, shape, tone, 0.024)


def _mouth(canvas: Canvas, head: Head, mood: Expression) -> None:
    build, scale = head.build, head.build.chin / 1.27
    wide = (0.28 + 0.04 * abs(mood.corners) / 0.1) * (0.88 if build.small else 1.0)
    level, bend = 0.755 * scale, mood.corners
    full = 0.055 + 0.03 * build.lips

    def at(t: float, up: float) -> Point:
        return t * wide, level - bend * (t * t - 0.35) - up * max(0.0, 1 - t * t) ** 0.8

    light = light_at(canvas, head.on([(0.0, level + 0.02)])[0], head.skin)
    rose = mix(mix(head.skin, (150, 70, 62), 0.55), (182, 54, 56), 0.7 * build.lips)
    part = 0.055 * mood.laugh
    bow = [at(t, full * (0.72 + 0.5 * math.exp(-(((abs(t) - 0.24) / 0.22) ** 2))) + part)
           for t in STEPS]  # fmt: skip
    middle = [at(t, part) for t in STEPS]
    under = [at(t, -part) for t in STEPS]
    lip = [at(t, -full * 1.15 - part) for t in STEPS]
    canvas.polygon(head.on([*bow, *reversed(middle)]), dimmed(canvas, mix(rose, INK, 0.16), light))
    canvas.polygon(head.on([*under, *reversed(lip)]), dimmed(canvas, rose, light * 1.04))
    dark = mix(rose, (50, 12, 14), 0.72)
    if part:
        canvas.polygon(head.on([*middle, *reversed(under)]), dimmed(canvas, dark, light))
        teeth = [at(t, part * 0.1) for t in STEPS[2:-2]]
        tone = dimmed(canvas, (240, 232, 216), light)
        canvas.polygon(head.on([*middle[2:-2], *reversed(teeth)]), tone)
    else:
        _stroke(canvas, head, middle, dark, 0.026)
    for corner in (at(-1.04, 0), at(1.04, 0)):
        x, y = head.on([corner])[0]
        canvas.glow(x, y, head.r * 0.07, dimmed(canvas, (96, 40, 36), light), 0.6)


def _wrinkles(canvas: Canvas, head: Head) -> None:
    tone = mix(head.skin, (96, 48, 40), 0.5)
    for side in (-1, 1):
        for step in range(3):  # crow's feet
            y = -0.03 + 0.06 * step
            line = [(side * 0.62, y), (side * 0.78, y - 0.05 + 0.045 * step)]
            _stroke(canvas, head, line, tone, 0.016)
        bag = [(side * (EYE + 0.15 * t), 0.17 + 0.045 * (1 - t * t)) for t in (-1, -0.4, 0.2, 0.8)]
        _stroke(canvas, head, bag, tone, 0.02)
        fold = [(side * 0.21, 0.42), (side * 0.3, 0.58), (side * 0.36, 0.8)]
        _stroke(canvas, head, fold, mix(tone, head.skin, 0.2), 0.024)
    for level in (-0.46, -0.58, -0.7):
        line = [(turn, level - 0.03 * math.cos(turn * 3)) for turn in (-0.5, -0.25, 0.0, 0.25, 0.5)]
        _stroke(canvas, head, line, mix(tone, head.skin, 0.35), 0.016)
