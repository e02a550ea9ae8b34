"""The old three-masted ship, under square sails."""

from retrievals_pipeline.miniature.painting.canvas import WOOD, Canvas, Color, mix
from retrievals_pipeline.miniature.painting.outdoors.pose import Pose
from retrievals_pipeline.miniature.painting.outdoors.weather import wind

HULL: Color = (74, 50, 38)
CLOTH: Color = (240, 228, 198)
MASTS = ((-0.3, 0.84), (0.02, 1.0), (0.3, 0.88))  # where each stands and how high it is


def ship(canvas: Canvas, x: float, y: float, s: float, _: Color) -> None:
    """Paint a great wooden ship: three masts with three square sails each, jibs, pennants."""
    lean = wind(canvas.scene) * 0.5
    way = -1 if lean < 0 else 1 if lean > 0 else canvas.chance.choice((-1, 1))
    pose = Pose(canvas, x, y, s, way, lean)
    rope = canvas.shade(mix(WOOD, (30, 24, 24), 0.4))
    pose.line(((0.44, 0.2), (0.66, 0.34)), rope, 0.022)  # the bowsprit
    for stay in ((0.3, 0.84), (0.3, 0.62)):
        pose.line((stay, (0.64, 0.33)), rope, 0.006)
    jib = canvas.shade(mix(CLOTH, (255, 255, 255), 0.2))
    pose.polygon(((0.33, 0.78), (0.46, 0.42), (0.6, 0.33)), jib)
    pose.polygon(((0.33, 0.56), (0.36, 0.28), (0.52, 0.29)), canvas.shade(mix(CLOTH, HULL, 0.2)))
    for at, top in MASTS:
        _mast(pose, at, top, rope)
    pose.polygon(((-0.34, 0.56), (-0.5, 0.36), (-0.47, 0.27), (-0.33, 0.26)),
                 canvas.shade(mix(CLOTH, HULL, 0.15)))  # fmt: skip
    _hull(pose)


def _mast(pose: Pose, at: float, top: float, rope: Color) -> None:
    canvas = pose.canvas
    pose.line(((at, 0.14), (at, top)), rope, 0.022)
    sails = ((0.25, 0.48, 0.15), (0.51, 0.71, 0.125), (0.74, 0.87, 0.095))
    for foot, head, half in sails:
        low, high = foot * top, head * top
        belly = (high - low) * 0.12
        cloth = ((at - half * 0.86, high), (at + half * 0.86, high),
                 (at + half * 1.12, low + belly), (at + half * 0.9, low), (at, low + belly),
                 (at - half * 0.98, low))  # fmt: skip
        pose.polygon(cloth, canvas.shade(CLOTH, vary=0.05))
        fold = ((at - half * 0.86, high), (at - half * 0.3, high), (at - half * 0.42, low + belly),
                (at - half * 0.98, low))  # fmt: skip
        pose.polygon(fold, canvas.shade(mix(CLOTH, (86, 76, 96), 0.34)))
        pose.line(((at - half, high), (at + half, high)), rope, 0.012)
    pose.polygon(((at, top), (at + 0.11, top - 0.012), (at, top - 0.036)),
                 canvas.shade((196, 44, 40)))  # fmt: skip


def _hull(pose: Pose) -> None:
    canvas = pose.canvas
    outline = ((-0.52, 0.3), (-0.36, 0.27), (-0.34, 0.2), (0.26, 0.185), (0.3, 0.22), (0.52, 0.25),
               (0.44, 0.1), (0.36, -0.02), (-0.4, -0.02), (-0.48, 0.1))  # fmt: skip
    pose.polygon(outline, canvas.shade(HULL))
    below = ((-0.48, 0.08), (0.43, 0.08), (0.36, -0.02), (-0.4, -0.02))
    pose.polygon(below, canvas.shade(mix(HULL, (14, 12, 18), 0.5)))
    band = ((-0.49, 0.165), (-0.34, 0.15), (0.28, 0.145), (0.47, 0.185))
    pose.line(band, canvas.shade((222, 190, 122)), 0.026)
    for port in range(7):
        pose.oval(-0.3 + 0.095 * port, 0.15, 0.012, 0.012, canvas.shade((30, 24, 26)))
    lit = canvas.scene.time_of_day in ("dusk", "night")
    for pane in (-0.47, -0.41):
        tone = (252, 208, 110) if lit else canvas.shade((200, 186, 140))
        pose.oval(pane, 0.235, 0.015, 0.02, tone)
