"""Portraits: a sitter before a wall, to the chest."""

from retrievals_pipeline.miniature.painting.candles import darken, paint_candle, paint_flame
from retrievals_pipeline.miniature.painting.canvas import PIGMENTS, SKIN, Canvas, mix
from retrievals_pipeline.miniature.painting.figures.beards import paint_beard
from retrievals_pipeline.miniature.painting.figures.dress import (
    paint_coat,
    paint_collar,
    paint_neck,
    shoulders,
)
from retrievals_pipeline.miniature.painting.figures.faces import (
    EXPRESSIONS,
    IRISES,
    Expression,
    paint_face,
)
from retrievals_pipeline.miniature.painting.figures.hair import (
    COLORS_OF_HAIR,
    GREY,
    WHITE,
    paint_hair,
    paint_hair_behind,
    paint_plaits,
)
from retrievals_pipeline.miniature.painting.figures.headgear import SHADOWS, paint_headgear
from retrievals_pipeline.miniature.painting.figures.heads import BUILDS, Head, paint_head
from retrievals_pipeline.miniature.painting.relief import Lamp, refine
from retrievals_pipeline.miniature.painting.rooms import lamp_of, paint_background
from retrievals_pipeline.miniature.scenes import Scene

POSES = {  # bowed, tilted, turned away at least and at most
    "cheerful": (-0.1, 0.07, 0.12, 0.32),
    "calm": (0.0, 0.0, 0.18, 0.4),
    "melancholy": (0.62, 0.2, 0.12, 0.28),
    "mysterious": (0.06, 0.04, 0.08, 0.2),
}
LEVELS = {"cheerful": 1.3, "calm": 0.95, "melancholy": 0.66, "mysterious": 0.5}


def paint_portrait(canvas: Canvas) -> None:
    """Paint the sitter with what is worn, by a candle if there is one."""
    scene, chance = canvas.scene, canvas.chance
    side = chance.choice((-1, 1))
    lamp = lamp_of(scene.mood, side, candlelit=scene.candlelit)
    paint_background(canvas, lamp, level_of(scene))
    small = BUILDS[scene.subjects[0].name].small
    aside = -side * 0.07 if scene.candlelit else chance.uniform(-0.03, 0.03)
    head = pose(canvas, (0.5 + aside, 0.46 if small else 0.4), 0.185 if small else 0.19, side)
    paint_sitter(canvas, head, lamp, EXPRESSIONS[scene.mood], low=float(canvas.height))
    candle = scene.subject("candle")
    if candle:
        high = canvas.unit * 0.46
        x, y = canvas.width * (0.5 + side * 0.36), canvas.height * 0.985
        flame = paint_candle(canvas, x, y, high)
        darken(canvas, flame, canvas.unit * 0.66)
        paint_flame(canvas, flame, high)
        canvas.mark(candle, (x - high * 0.17, flame[1] - high * 0.1, x + high * 0.17, y))


def level_of(scene: Scene) -> float:
    """Return how bright the room of a sitter is."""
    return LEVELS[scene.mood] * (0.7 if scene.candlelit else 1.0)


def pose(canvas: Canvas, at: tuple[float, float], size: float, side: int) -> Head:
    """Return the head of the sitter at shares of width and height, turned to the light."""
    scene, chance = canvas.scene, canvas.chance
    build = BUILDS[scene.subjects[0].name]
    bowed, tilt, least, most = POSES[scene.mood]
    way = side if chance.random() < 0.75 else -side
    tint = chance.random()
    skin = mix(mix(SKIN, (255, 226, 200), 0.25), (150, 98, 66), 0.1 + tint * 0.45)
    if build.old:
        hair = chance.choice((WHITE, GREY))
    else:
        hair = chance.choice(COLORS_OF_HAIR if tint < 0.7 else COLORS_OF_HAIR[:3])
    return Head(
        x=canvas.width * at[0],
        y=canvas.height * at[1],
        r=canvas.unit * size * chance.uniform(0.96, 1.04),
        build=build,
        skin=skin,
        hair=hair,
        yaw=way * chance.uniform(least, most),
        pitch=bowed,
        roll=way * tilt * chance.uniform(0.8, 1.2),
    )


def paint_sitter(canvas: Canvas, head: Head, lamp: Lamp, mood: Expression, *, low: float) -> None:
    """Paint the body, seen down to `low`, and the head, and mark them."""
    chance, subjects = canvas.chance, canvas.scene.subjects
    worn = next((each for each in subjects if each.name in SHADOWS), None)
    coat, sitter = subjects[1], subjects[0]
    color = PIGMENTS[coat.color]
    paint_hair_behind(canvas, head, lamp, covered=worn is not None)
    paint_coat(canvas, head, color, lamp)
    paint_neck(canvas, head, lamp)
    paint_head(canvas, head, lamp, merry=mood.laugh > 0, shaded=SHADOWS[worn.name] if worn else 0)
    paint_hair(canvas, head, lamp, covered=worn is not None and worn.name != "veil")
    refine(canvas)
    paint_plaits(canvas, head, lamp)
    paint_collar(canvas, head, color, lamp)
    paint_face(canvas, head, mood, chance.choice(IRISES))
    if sitter.name == "old man":
        paint_beard(canvas, head, lamp, length=chance.uniform(0.1, 0.6))
    r, reach = head.r, shoulders(head) * head.r
    canvas.mark(sitter, (head.x - r * 1.2, head.y - r * 1.5, head.x + r * 1.2, head.y + r * 1.45))
    canvas.mark(
        coat, (head.x - reach, head.y + r * 1.5, head.x + reach, min(low, head.y + r * 5.2))
    )
    if worn:
        box = paint_headgear(canvas, head, worn.name, PIGMENTS[worn.color], lamp)
        canvas.mark(worn, box)
