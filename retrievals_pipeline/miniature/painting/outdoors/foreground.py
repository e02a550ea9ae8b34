"""What frames a picture below: grasses, flowers, reeds, rocks, drifts of snow; never counted."""

from retrievals_pipeline.miniature.painting.canvas import GRASS, PIGMENTS, SNOW, Canvas, Color, mix
from retrievals_pipeline.miniature.painting.outdoors.weather import wind

DEEP: Color = (30, 46, 44)
ROCK: Color = (98, 92, 92)


def grasses(canvas: Canvas) -> None:
    """Paint tall grass in the lower corners, and low blades between."""
    if canvas.scene.season == "winter":
        _drifts(canvas)
    tone = mix(GRASS["autumn"] if canvas.scene.season == "winter" else GRASS[canvas.scene.season],
               DEEP, 0.5)  # fmt: skip
    blades = 34 if canvas.scene.season == "winter" else 110
    for _ in range(blades):
        aside = canvas.chance.random() ** 1.7 * 0.5
        x = aside if canvas.chance.random() < 0.5 else 1 - aside
        tall = (0.035 + 0.1 * (1 - aside * 2) ** 2) * canvas.chance.uniform(0.5, 1.2)
        _blade(canvas, x * canvas.width, tall * canvas.unit, canvas.shade(tone, vary=0.3))


def _blade(canvas: Canvas, x: float, tall: float, color: Color) -> None:
    foot = canvas.height + canvas.unit * 0.01
    bend = tall * (canvas.chance.uniform(-0.35, 0.35) + wind(canvas.scene) * 2)
    canvas.line(((x, foot), (x + bend * 0.3, foot - tall * 0.6), (x + bend, foot - tall)), color,
                canvas.unit * 0.0045)  # fmt: skip


def _drifts(canvas: Canvas) -> None:
    chance = canvas.chance
    for x in (chance.uniform(-0.1, 0.15), chance.uniform(0.85, 1.1)):
        wide, tall = canvas.unit * chance.uniform(0.28, 0.42), canvas.unit * 0.075
        at = (x * canvas.width, canvas.height + tall * 0.35)
        canvas.oval(*at, wide, tall, canvas.shade(mix(SNOW, (120, 140, 190), 0.25)))
        canvas.oval(at[0] - wide * 0.06, at[1] + tall * 0.14, wide, tall, canvas.shade(SNOW))


def flowers(canvas: Canvas, top: float) -> None:
    """Scatter the flowers of spring and summer below the height `top`, in pixels."""
    if canvas.scene.season not in ("spring", "summer"):
        return
    chance = canvas.chance
    bright = canvas.scene.mood == "cheerful"
    kinds = ("red", "yellow", "white", "violet")
    blooms = chance.sample(kinds, 2 if bright else 1)
    for _ in range(150 if bright else 60):
        t = chance.random() ** 0.6
        x, y = chance.random() * canvas.width, top + (canvas.height - top) * t
        r = canvas.unit * (0.0022 + 0.0058 * t) * chance.uniform(0.7, 1.2)
        canvas.oval(x, y, r, r * 0.8, canvas.shade(PIGMENTS[chance.choice(blooms)], vary=0.1))


def reeds(canvas: Canvas) -> None:
    """Paint reeds at the water's edge in one lower corner, rocks in the other."""
    chance = canvas.chance
    way = chance.choice((False, True))
    autumnal = canvas.scene.season in ("autumn", "winter")
    tone: Color = (150, 120, 72) if autumnal else (70, 104, 62)
    rocks(canvas, right=way)
    for _ in range(34):
        aside = chance.random() ** 1.5 * 0.2
        x = (aside if way else 1 - aside) * canvas.width
        tall = canvas.unit * (0.2 - 0.5 * aside) * chance.uniform(0.5, 1.1)
        bend = tall * (chance.uniform(-0.12, 0.12) + wind(canvas.scene))
        tip = (x + bend, canvas.height - tall)
        color = canvas.shade(mix(tone, DEEP, 0.35), vary=0.25)
        canvas.line(((x, canvas.height + 4), (x + bend * 0.3, canvas.height - tall * 0.6), tip),
                    color, canvas.unit * 0.0045)  # fmt: skip
        if chance.random() < 0.25:
            head = (tip[0], tip[1] + canvas.unit * 0.016)
            canvas.oval(*head, canvas.unit * 0.006, canvas.unit * 0.02, canvas.shade((92, 62, 42)))


def rocks(canvas: Canvas, *, right: bool) -> None:
    """Pile a few dark rocks in a lower corner."""
    chance, unit = canvas.chance, canvas.unit
    for part in range(4):
        reach = unit * (0.02 + 0.07 * part)
        x = canvas.width - reach if right else reach
        w, h = unit * chance.uniform(0.07, 0.11), unit * (0.085 - 0.016 * part)
        y = canvas.height + unit * 0.01
        upper = [(x - w * 0.7, y - h * 0.7), (x - w * 0.1, y - h), (x + w * 0.5, y - h * 0.8)]
        canvas.polygon(
            [(x - w, y), *upper, (x + w, y)], canvas.shade(mix(ROCK, DEEP, 0.4), vary=0.1)
        )
        top = SNOW if canvas.scene.season == "winter" else mix(ROCK, (230, 220, 200), 0.3)
        canvas.polygon([*upper, (x - w * 0.1, y - h * 0.62)], canvas.shade(top))
