"""How what floats is painted, and the lighthouse: standing on (x, y), `s` high, in its colour."""

from retrievals_pipeline.miniature.painting.canvas import (
    PIGMENTS,
    PLASTER,
    SKIN,
    SLATE,
    STONE,
    WOOD,
    Canvas,
    Color,
    mix,
)
from retrievals_pipeline.miniature.painting.outdoors.buildings import window
from retrievals_pipeline.miniature.painting.outdoors.pose import Pose
from retrievals_pipeline.miniature.painting.outdoors.weather import wind

NIGHT: Color = (28, 24, 38)


def sailing_boat(canvas: Canvas, x: float, y: float, s: float, color: Color) -> None:
    """Paint a hull with a mast, a full main sail and a jib."""
    pose = _afloat(canvas, x, y, s)
    light, dark = mix(color, (255, 250, 236), 0.28), mix(color, NIGHT, 0.24)
    pose.line(((0, 0.1), (0, 1.0)), canvas.shade(WOOD), 0.018)
    main = ((-0.02, 0.97), (-0.02, 0.2), (-0.42, 0.2), (-0.36, 0.4), (-0.24, 0.66))
    pose.polygon(main, canvas.shade(color))
    pose.polygon(((-0.02, 0.97), (-0.02, 0.2), (-0.16, 0.2), (-0.15, 0.55)), canvas.shade(light))
    for seam in (0.36, 0.52, 0.68):
        half = 0.42 - seam * 0.36
        pose.line(((-0.02, seam), (-half, seam - 0.01)), canvas.shade(dark), 0.007)
    pose.polygon(((0.03, 0.9), (0.03, 0.22), (0.44, 0.2), (0.24, 0.42)), canvas.shade(dark))
    pose.polygon(((0.03, 0.9), (0.03, 0.22), (0.2, 0.21), (0.13, 0.5)), canvas.shade(color))
    pennant = PIGMENTS["yellow" if color == PIGMENTS["red"] else "red"]
    pose.polygon(((0, 1.03), (-0.12, 1.005), (0, 0.98)), canvas.shade(pennant))
    _hull(pose, 0.47, 0.14, WOOD)


def rowing_boat(canvas: Canvas, x: float, y: float, s: float, _: Color) -> None:
    """Paint a low open boat with one rower and two oars."""
    pose = _afloat(canvas, x, y, s)
    jacket = canvas.chance.choice((PIGMENTS["red"], PIGMENTS["blue"], STONE))
    pose.polygon(((-0.1, 0.16), (-0.14, 0.5), (-0.07, 0.64), (0.05, 0.62), (0.12, 0.16)),
                 canvas.shade(jacket))  # fmt: skip
    pose.polygon(((-0.1, 0.16), (-0.14, 0.5), (-0.07, 0.64), (-0.03, 0.16)),
                 canvas.shade(mix(jacket, NIGHT, 0.3)))  # fmt: skip
    pose.oval(0.01, 0.74, 0.085, 0.1, canvas.shade(SKIN))
    pose.oval(0.0, 0.82, 0.15, 0.035, canvas.shade((198, 164, 98)))
    pose.oval(0.0, 0.86, 0.08, 0.06, canvas.shade((188, 152, 88)))
    pose.line(((-0.02, 0.56), (0.18, 0.42), (0.26, 0.36)), canvas.shade(jacket), 0.07)
    _hull(pose, 0.56, 0.24, (158, 106, 60))
    for tip in (0.66, -0.5):
        pose.line(((0.22, 0.36), (tip, -0.06)), canvas.shade((204, 164, 112)), 0.026)


def steamship(canvas: Canvas, x: float, y: float, s: float, _: Color) -> None:
    """Paint a dark hull with a white deck, a red funnel and its smoke."""
    pose = _afloat(canvas, x, y, s)
    smoke = mix(canvas.shade((96, 90, 94)), canvas.tint(canvas.light.low), 0.15)
    for step in range(8):
        t = step / 8
        pose.glow(0.02 - 0.62 * t, 0.9 + 0.2 * t, 0.13 + 0.16 * t, smoke, 0.75 - 0.4 * t)
    for mast in (-0.42, 0.46):
        pose.line(((mast, 0.2), (mast, 0.94)), canvas.shade(WOOD), 0.018)
    pose.polygon(((-0.4, 0.2), (-0.4, 0.42), (0.34, 0.42), (0.38, 0.2)), canvas.shade(PLASTER))
    pose.polygon(((-0.2, 0.42), (-0.2, 0.53), (0.28, 0.53), (0.3, 0.42)),
                 canvas.shade(mix(PLASTER, SLATE, 0.25)))  # fmt: skip
    for port in range(6):
        window(canvas, *pose.at(-0.32 + port * 0.12, 0.31), s * 0.022)
    funnel = ((-0.04, 0.5), (-0.06, 0.88), (0.09, 0.88), (0.11, 0.5))
    pose.polygon(funnel, canvas.shade(PIGMENTS["red"]))
    pose.polygon(((-0.055, 0.78), (-0.06, 0.88), (0.09, 0.88), (0.095, 0.78)),
                 canvas.shade((40, 38, 40)))  # fmt: skip
    _hull(pose, 0.62, 0.22, (66, 58, 62))


def lighthouse(canvas: Canvas, x: float, y: float, s: float, _: Color) -> None:
    """Paint a banded tower on a rock."""
    pose = Pose(canvas, x, y, s, canvas.chance.choice((-1, 1)))
    rock = ((-0.52, -0.05), (-0.4, 0.09), (-0.28, 0.11), (-0.16, 0.2), (0.14, 0.2), (0.24, 0.12),
            (0.36, 0.08), (0.52, -0.05))  # fmt: skip
    pose.polygon(rock, canvas.shade((86, 78, 76)))
    pose.polygon(((-0.4, 0.09), (-0.28, 0.11), (-0.16, 0.2), (0.14, 0.2), (-0.02, 0.12),
                  (-0.2, 0.02)), canvas.shade((138, 124, 112)))  # fmt: skip
    pose.polygon(((0.24, 0.12), (0.36, 0.08), (0.44, 0.0), (0.2, 0.02)),
                 canvas.shade((116, 104, 98)))  # fmt: skip
    foot, top = 0.1, 0.064
    for band in range(5):
        low, high = band / 5, (band + 1) / 5
        a, b = foot + (top - foot) * low, foot + (top - foot) * high
        y0, y1 = 0.18 + 0.62 * low, 0.18 + 0.62 * high
        color = PIGMENTS["red"] if band % 2 else PLASTER
        pose.polygon(((-a, y0), (-b, y1), (b, y1), (a, y0)), canvas.shade(color))
        pose.polygon(((a * 0.25, y0), (b * 0.25, y1), (b, y1), (a, y0)),
                     canvas.shade(mix(color, NIGHT, 0.3)))  # fmt: skip
    pose.line(((-0.09, 0.8), (0.09, 0.8)), canvas.shade(SLATE), 0.02)
    pose.polygon(((-0.05, 0.8), (-0.05, 0.9), (0.05, 0.9), (0.05, 0.8)), (252, 226, 140))
    pose.polygon(((-0.075, 0.9), (0, 1.0), (0.075, 0.9)), canvas.shade(mix(SLATE, NIGHT, 0.3)))
    dark = canvas.scene.time_of_day in ("dusk", "night") or canvas.scene.weather != "clear"
    pose.glow(0, 0.85, 0.34 if dark else 0.16, (255, 232, 160), 0.8)


def _afloat(canvas: Canvas, x: float, y: float, s: float) -> Pose:
    lean = wind(canvas.scene)
    way = -1 if lean > 0 else 1 if lean < 0 else canvas.chance.choice((-1, 1))
    return Pose(canvas, x, y, s, way, lean * 0.9)


def _hull(pose: Pose, half: float, depth: float, color: Color) -> None:
    shade = pose.canvas.shade
    outline = ((-half, depth), (half * 1.02, depth * 1.2), (half * 0.78, 0.0),
               (half * 0.5, -depth * 0.14), (-half * 0.6, -depth * 0.14),
               (-half * 0.84, depth * 0.1))  # fmt: skip
    pose.polygon(outline, shade(mix(color, NIGHT, 0.25)))
    low = ((-half * 0.92, depth * 0.45), (half * 0.9, depth * 0.45), (half * 0.78, 0.0),
           (half * 0.5, -depth * 0.14), (-half * 0.6, -depth * 0.14))  # fmt: skip
    pose.polygon(low, shade(mix(color, NIGHT, 0.55)))
    rim = ((-half, depth), (0, depth * 0.98), (half * 1.02, depth * 1.2))
    pose.line(rim, shade(mix(color, (246, 226, 186), 0.55)), depth * 0.16)
