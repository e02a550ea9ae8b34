"""How walkers are painted, and what is in the sky: birds, moon and sun."""

from retrievals_pipeline.miniature.painting.canvas import SKIN, Box, Canvas, Color, mix
from retrievals_pipeline.miniature.painting.outdoors.pose import Pose

DARK: Color = (48, 40, 38)
SHADE: Color = (30, 24, 40)


def walker(canvas: Canvas, x: float, y: float, s: float, color: Color) -> None:
    """Paint a person striding in a long coat and a hat, with a stick."""
    pose = Pose(canvas, x, y, s, canvas.chance.choice((-1, 1)))
    dark = canvas.shade(DARK)
    pose.line(((-0.03, 0.26), (-0.12, 0.02), (-0.07, 0.01)), canvas.shade(SHADE), 0.065)
    pose.line(((0.04, 0.26), (0.11, 0.02), (0.16, 0.01)), dark, 0.065)
    pose.line(((0.25, 0.5), (0.3, 0.0)), canvas.shade((96, 66, 40)), 0.022)
    coat = ((-0.1, 0.78), (0.08, 0.79), (0.13, 0.6), (0.19, 0.16), (-0.19, 0.13), (-0.14, 0.5))
    pose.polygon(coat, canvas.shade(color))
    pose.polygon(((-0.1, 0.78), (-0.02, 0.78), (-0.05, 0.14), (-0.19, 0.13), (-0.14, 0.5)),
                 canvas.shade(mix(color, SHADE, 0.36)))  # fmt: skip
    pose.line(((-0.13, 0.5), (0.14, 0.5)), canvas.shade(mix(color, SHADE, 0.5)), 0.03)
    pose.line(((0.05, 0.72), (0.17, 0.56), (0.25, 0.5)), canvas.shade(mix(color, SHADE, 0.2)), 0.08)
    pose.oval(0.25, 0.49, 0.035, 0.035, canvas.shade(SKIN))
    pose.oval(0.02, 0.85, 0.08, 0.09, canvas.shade(SKIN))
    pose.oval(-0.02, 0.85, 0.06, 0.07, canvas.shade((92, 64, 46)))
    pose.oval(0.01, 0.91, 0.15, 0.03, dark)
    pose.polygon(((-0.07, 0.91), (-0.06, 1.0), (0.07, 1.0), (0.09, 0.91)), dark)


def birds(canvas: Canvas, across: float, high: float) -> Box:
    """Paint a flock about a share of width and of height; return its box in pixels."""
    chance = canvas.chance
    x = canvas.width * min(0.76, max(0.24, across))
    y = canvas.height * high
    dark = mix(canvas.shade(DARK), canvas.tint(canvas.light.top), 0.1)
    for number in range(chance.randint(8, 11)):
        bx = x + canvas.unit * 0.034 * (number - 4.5) + canvas.unit * chance.uniform(-0.05, 0.05)
        by = y + canvas.unit * chance.uniform(-0.06, 0.06)
        wing = canvas.unit * chance.uniform(0.02, 0.032)
        lift = chance.uniform(0.3, 0.7)
        points = ((bx - wing, by - wing * lift * 0.7), (bx - wing * 0.45, by - wing * lift),
                  (bx, by), (bx + wing * 0.45, by - wing * lift),
                  (bx + wing, by - wing * lift * 0.6))  # fmt: skip
        canvas.line(points, dark, wing * 0.22)
    reach, tall = canvas.unit * 0.23, canvas.unit * 0.09
    return (x - reach, y - tall, x + reach, y + tall)


def moon(canvas: Canvas, x: float, y: float) -> Box:
    """Paint a full moon in its halo; return its box in pixels."""
    r = canvas.unit * 0.058
    canvas.glow(x, y, r * 5, (190, 204, 232), 0.55)
    canvas.oval(x, y, r, r, (248, 244, 224))
    for dx, dy, size in ((-0.3, -0.2, 0.22), (0.25, 0.15, 0.3), (-0.1, 0.42, 0.16)):
        canvas.oval(x + r * dx, y + r * dy, r * size, r * size * 0.9, (230, 226, 206))
    return (x - r, y - r, x + r, y + r)


def sun(canvas: Canvas, x: float, y: float) -> Box:
    """Paint a low sun in a wide glow; return its box in pixels."""
    r = canvas.unit * 0.062
    canvas.glow(x, y, r * 6, (255, 214, 120), 0.75)
    if canvas.scene.manner == "engraving":  # which has no gold to set it off
        canvas.oval(x, y, r * 1.06, r * 1.06, DARK)
    canvas.oval(x, y, r, r, (255, 240, 184))
    return (x - r, y - r, x + r, y + r)
