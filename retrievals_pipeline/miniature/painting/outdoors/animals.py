"""How animals are painted, standing on (x, y), `s` high, in their colour."""

from dataclasses import dataclass

from retrievals_pipeline.miniature.painting.canvas import Canvas, Color, mix
from retrievals_pipeline.miniature.painting.outdoors.pose import Pose

DARK: Color = (44, 38, 38)
PALE: Color = (255, 244, 224)


@dataclass(frozen=True)
class Coat:
    """The tones of an animal: in the light, its own, in the shade."""

    light: Color
    own: Color
    dark: Color


def _coat(canvas: Canvas, color: Color) -> Coat:
    return Coat(
        canvas.shade(mix(color, PALE, 0.32)),
        canvas.shade(mix(color, PALE, 0.06)),
        canvas.shade(mix(color, DARK, 0.42)),
    )


def sheep(canvas: Canvas, x: float, y: float, s: float, _: Color) -> None:
    """Paint a woolly body on four dark legs, a dark head to one side."""
    pose = Pose(canvas, x, y, s, canvas.chance.choice((-1, 1)))
    chance, dark = canvas.chance, canvas.shade(DARK)
    for leg in (-0.28, -0.14, 0.14, 0.28):
        pose.line(((leg, 0.36), (leg, 0.0)), dark, 0.07)
    wool: Color = (240, 230, 206)
    pose.oval(0, 0.57, 0.5, 0.34, canvas.shade(mix(wool, DARK, 0.45)))
    for step in range(18):
        level = step / 18
        dx, dy = chance.uniform(-0.32, 0.32), chance.uniform(-0.16, 0.16) + level * 0.06
        tone = mix(wool, (112, 100, 112), max(0.0, 0.5 - level * 0.45 - dy))
        pose.oval(dx, 0.56 + dy, 0.18, 0.16, canvas.shade(tone))
    pose.oval(0.47, 0.64, 0.11, 0.14, dark)
    pose.oval(0.53, 0.58, 0.07, 0.08, dark)
    pose.line(((0.4, 0.74), (0.32, 0.7)), dark, 0.07)
    pose.oval(0.4, 0.8, 0.1, 0.07, canvas.shade(wool))


def cow(canvas: Canvas, x: float, y: float, s: float, color: Color) -> None:
    """Paint a heavy body, a low broad head with pale horns, spots, a hanging tail."""
    pose = Pose(canvas, x, y, s, canvas.chance.choice((-1, 1)))
    coat = _coat(canvas, color)
    _legs(pose, coat, (-0.36, 0.2), 0.4, 0.07)
    body = ((-0.47, 0.78), (-0.2, 0.8), (0.1, 0.77), (0.36, 0.82), (0.44, 0.62), (0.36, 0.4),
            (0.1, 0.31), (-0.3, 0.34), (-0.48, 0.5))  # fmt: skip
    pose.polygon(body, coat.own)
    pose.polygon(((-0.48, 0.5), (-0.3, 0.34), (0.1, 0.31), (0.36, 0.4), (0.1, 0.45), (-0.3, 0.47)),
                 coat.dark)  # fmt: skip
    patch = canvas.shade(mix(PALE, DARK, 0.05) if color != (242, 238, 226) else (116, 78, 54))
    pose.oval(-0.2, 0.62, 0.1, 0.08, patch)
    pose.oval(-0.24, 0.33, 0.08, 0.07, canvas.shade((226, 170, 160)))
    pose.line(((-0.47, 0.76), (-0.53, 0.6), (-0.51, 0.26)), coat.dark, 0.03)
    pose.oval(-0.51, 0.24, 0.035, 0.06, coat.dark)
    pose.polygon(((0.3, 0.8), (0.52, 0.86), (0.6, 0.6), (0.4, 0.5)), coat.own)
    pose.polygon(((0.46, 0.86), (0.6, 0.88), (0.7, 0.62), (0.62, 0.55), (0.52, 0.6)), coat.own)
    pose.oval(0.65, 0.58, 0.075, 0.065, canvas.shade((224, 186, 170)))
    horn = canvas.shade((240, 232, 206))
    pose.line(((0.5, 0.88), (0.46, 0.97), (0.5, 1.02)), horn, 0.03)
    pose.line(((0.58, 0.89), (0.62, 0.97), (0.6, 1.02)), horn, 0.03)
    pose.line(((0.46, 0.84), (0.38, 0.82)), coat.dark, 0.05)


def horse(canvas: Canvas, x: float, y: float, s: float, color: Color) -> None:
    """Paint a lean body on long legs, the head high on a crested neck, mane and tail flowing."""
    pose = Pose(canvas, x, y, s, canvas.chance.choice((-1, 1)))
    coat = _coat(canvas, color)
    hair = canvas.shade(DARK if color != (42, 40, 44) else (92, 86, 90))
    _legs(pose, coat, (-0.36, 0.12), 0.48, 0.05)
    pose.line(((-0.38, 0.66), (-0.47, 0.56), (-0.47, 0.24)), hair, 0.075)
    body = ((-0.4, 0.66), (-0.28, 0.71), (0.0, 0.66), (0.2, 0.71), (0.3, 0.58), (0.24, 0.42),
            (0.0, 0.4), (-0.24, 0.43), (-0.4, 0.5))  # fmt: skip
    pose.polygon(body, coat.own)
    pose.polygon(((-0.4, 0.5), (-0.24, 0.43), (0, 0.4), (0.24, 0.42), (0.1, 0.48), (-0.2, 0.5)),
                 coat.dark)  # fmt: skip
    back = ((-0.4, 0.64), (-0.28, 0.71), (0.0, 0.66), (0.2, 0.71), (0.0, 0.62), (-0.26, 0.64))
    pose.polygon(back, coat.light)
    pose.polygon(((0.08, 0.68), (0.3, 0.98), (0.42, 0.94), (0.36, 0.76), (0.3, 0.54)), coat.own)
    pose.polygon(((0.28, 0.98), (0.4, 0.99), (0.58, 0.76), (0.52, 0.7), (0.4, 0.8), (0.32, 0.84)),
                 coat.own)  # fmt: skip
    pose.oval(0.54, 0.74, 0.04, 0.04, coat.dark)
    pose.line(((0.32, 1.0), (0.2, 0.9), (0.09, 0.7)), hair, 0.075)
    pose.polygon(((0.3, 0.96), (0.32, 1.06), (0.37, 0.98)), coat.own)
    pose.oval(0.41, 0.9, 0.013, 0.016, hair)


def dog(canvas: Canvas, x: float, y: float, s: float, color: Color) -> None:
    """Paint a dog: short legs, a long muzzle with a black nose, hanging ears, its tail raised."""
    pose = Pose(canvas, x, y, s, canvas.chance.choice((-1, 1)))
    coat = _coat(canvas, color)
    nose = canvas.shade((24, 20, 22))
    pose.line(((-0.36, 0.52), (-0.52, 0.66), (-0.54, 0.9), (-0.46, 1.0)), coat.own, 0.075)
    _legs(pose, coat, (-0.34, 0.2), 0.32, 0.065)
    body = ((-0.42, 0.56), (-0.1, 0.58), (0.28, 0.64), (0.36, 0.44), (0.26, 0.26), (-0.1, 0.3),
            (-0.3, 0.25), (-0.44, 0.36))  # fmt: skip
    pose.polygon(body, coat.own)
    pose.polygon(((-0.44, 0.36), (-0.3, 0.25), (-0.1, 0.3), (0.26, 0.26), (0.1, 0.38)), coat.dark)
    pose.oval(0.28, 0.44, 0.1, 0.13, coat.light)
    pose.polygon(((0.16, 0.58), (0.26, 0.84), (0.46, 0.78), (0.36, 0.46)), coat.own)
    pose.oval(0.38, 0.82, 0.16, 0.15, coat.own)
    pose.polygon(((0.42, 0.9), (0.68, 0.8), (0.68, 0.7), (0.42, 0.68)), coat.light)
    pose.oval(0.68, 0.78, 0.045, 0.045, nose)
    pose.line(((0.48, 0.69), (0.64, 0.705)), nose, 0.02)
    pose.oval(0.45, 0.87, 0.028, 0.03, nose)
    pose.polygon(((0.22, 0.95), (0.34, 0.96), (0.34, 0.72), (0.24, 0.62), (0.18, 0.74)), coat.dark)
    pose.line(((0.2, 0.64), (0.38, 0.58)), canvas.shade((196, 48, 40)), 0.05)  # its collar


def _legs(pose: Pose, coat: Coat, pairs: tuple[float, float], high: float, thick: float) -> None:
    """Paint the far leg of each pair in shade, then the near one."""
    for shift, tone in ((0.0, coat.dark), (0.12, coat.own)):
        for at in pairs:
            leg = at + shift
            shank, bent = thick * 0.5, leg + (0.02 if at < 0 else 0.0)
            pose.polygon(((leg - thick, high), (leg + thick, high), (bent + shank, high * 0.5),
                          (leg + shank, 0.05), (leg + thick * 0.9, 0.0), (leg - shank, 0.0),
                          (bent - shank, high * 0.5)), tone)  # fmt: skip
