"""What is true of a scene, fact by fact, and to what degree: the ground truth of the museum.

A fact is worth 1 where anyone would agree, less where a person would say "nearly": a cap is 0.6 of
a hat, four boats are 0.5 of three.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from retrievals_pipeline.miniature.scenes import MONOCHROME, Scene, Subject


class Fact(NamedTuple):
    """Something that can be said of a picture: facet and value, and the thing it is said of."""

    facet: str
    value: str
    of: str = ""


Degrees = dict[Fact, float]

# What a thing may be called beside its own name, and how well the word fits.
KINDS: dict[str, dict[str, float]] = {
    "sailing boat": {"boat": 1, "ship": 0.6},
    "rowing boat": {"boat": 1, "person": 0.5},
    "ship": {"boat": 0.7, "sailing boat": 0.6, "tall ship": 1},
    "steamship": {"boat": 0.7, "ship": 1},
    "sheep": {"animal": 1},
    "cow": {"animal": 1},
    "horse": {"animal": 1},
    "dog": {"animal": 1},
    "bird": {"animal": 1, "songbird": 1},
    "flock of birds": {"bird": 1, "animal": 0.5},
    "walker": {"person": 1},
    "cypress": {"tree": 1},
    "fir": {"tree": 1},
    "church": {"building": 1},
    "cottage": {"building": 1, "house": 1},
    "house": {"building": 1, "cottage": 0.5, "town house": 1},
    "windmill": {"building": 1},
    "lighthouse": {"building": 1},
    "apple": {"fruit": 1},
    "pear": {"fruit": 1},
    "orange": {"fruit": 1},
    "lemon": {"fruit": 1},
    "bunch of grapes": {"fruit": 1},
    "vase": {"flowers": 1},
    "open book": {"book": 1},
    "cap": {"hat": 0.6},
    "old man": {"person": 1, "man": 1, "old person": 1},
    "old woman": {"person": 1, "woman": 1, "old person": 1},
    "young man": {"person": 1, "man": 1, "young person": 1},
    "young woman": {"person": 1, "woman": 1, "young person": 1},
    "boy": {"person": 1, "child": 1, "young person": 0.5},
    "girl": {"person": 1, "child": 1, "young person": 0.5, "woman": 0.5},
    "saint": {"person": 0.7},
}
SEVERAL = "several"  # the count of two or more, which a plural says without a number
COUNTED = ("sailing boat", "rowing boat", "ship", "tall ship", "steamship", "boat", "sheep",
           "cow", "horse", "dog", "bird", "animal", "walker", "tree", "cypress", "fir", "cottage",
           "house", "building", "windmill", "mountain", "apple", "pear", "orange", "lemon",
           "bunch of grapes", "fruit", "saint")  # fmt: skip
MOST = 8
OFF_BY_ONE = 0.5
SITES: dict[str, dict[str, float]] = {
    "open sea": {"sea": 1, "water": 1},
    "river": {"river": 1, "water": 1, "countryside": 0.7},
    "meadow": {"meadow": 1, "countryside": 1},
    "hills": {"hills": 1, "countryside": 1},
    "forest": {"forest": 1, "countryside": 0.5},
    "mountains": {"mountains": 1},
    "mountain lake": {"mountains": 1, "lake": 1, "water": 1},
    "village": {"village": 1, "countryside": 0.4},
}
BACKGROUNDS = {"mountain lake": "mountain", "forest": "tree"}  # things there in any such place
GENRES: dict[str, dict[str, float]] = {
    "open sea": {"seascape": 1, "landscape": 0.4},
    "branch": {"nature study": 1},
    "table": {"still life": 1},
    "portrait": {"portrait": 1},
    "reading": {"portrait": 0.6, "reading": 1},
    "icon": {"icon": 1},
}
TECHNIQUES: dict[str, dict[str, float]] = {
    "oil": {"painting": 1},
    "impressionist": {"painting": 1, "oil": 0.5, "pointillist": 0.4},
    "pointillist": {"painting": 1, "impressionist": 0.5},
    "chiaroscuro": {"painting": 1, "oil": 0.6},
    "icon": {"painting": 1},
    "watercolour": {"painting": 0.6, "drawing": 0.4},
    "ink": {"drawing": 1},
    "pastel": {"drawing": 1},
    "woodcut": {"print": 1},
    "engraving": {"print": 1, "drawing": 0.3},
    "poster": {"print": 1},
}
RELATED_MOODS: dict[str, dict[str, float]] = {
    "lonely": {"melancholy": 0.5},
    "melancholy": {"lonely": 0.4},
    "devotional": {"calm": 0.5},
}
NEIGHBOURS = {"morning": "noon", "noon": "morning"}  # times of day that look nearly alike
MEADOWS = ("meadow", "mountains")  # with flowers scattered in the grass
TINTS = {"azure": "blue", "crimson": "red"}  # palettes in which but this colour is surely seen
TINTED = 0.6  # how surely any other one is, there, at night and by candlelight
PRESENT, DOMINANT = 0.05, 0.25  # shares of a picture's pixels
OF_A_THING = 0.5  # how much a picture is of a colour that one thing in it has


def facts(scene: Scene, shares: Mapping[str, float]) -> Degrees:
    """Return every fact of a scene that is true to some degree, 0 to 1.

    Args:
        scene: What was painted.
        shares: Of the pixels of its picture, by the name of their colour; see `colors`.
    """
    degrees: Degrees = {}
    for fact, degree in _all(scene, shares):
        if degree > degrees.get(fact, 0):
            degrees[fact] = degree
    return degrees


def _all(scene: Scene, shares: Mapping[str, float]) -> Iterator[tuple[Fact, float]]:
    for subject in scene.subjects:
        yield from _of_subject(scene, subject)
    yield from _counts(scene)
    yield from _of_kind(scene)
    yield from _of_light(scene)
    yield from _of_weather(scene)
    yield from _of_mood(scene)
    for facet, value in (("time", scene.time_of_day), ("weather", scene.weather),
                         ("season", scene.season), ("manner", scene.manner)):  # fmt: skip
        if value:
            yield Fact(facet, value), 1
    for color, share in shares.items():
        yield Fact("color", color), min(1, max(0, (share - PRESENT) / (DOMINANT - PRESENT)))
    if scene.manner in MONOCHROME:
        yield Fact("color", "monochrome"), 1


def _of_kind(scene: Scene) -> Iterator[tuple[Fact, float]]:
    for name, degree in SITES.get(scene.setting, {}).items():
        yield Fact("place", name), degree
    for name, degree in GENRES.get(scene.setting, {"landscape": 1}).items():
        yield Fact("genre", name), degree
    for name, degree in TECHNIQUES[scene.manner].items():
        yield Fact("manner", name), degree
    if scene.setting in BACKGROUNDS:
        yield Fact("thing", BACKGROUNDS[scene.setting]), 1
        yield Fact("count", SEVERAL, BACKGROUNDS[scene.setting]), 1
    yield from _of_flowers(scene)


def _of_flowers(scene: Scene) -> Iterator[tuple[Fact, float]]:
    """Yield the flowers: those of a vase, and faintly the small ones of meadows and blossom."""
    if scene.subject("vase"):
        yield Fact("count", SEVERAL, "flowers"), 1
    in_grass = scene.setting in MEADOWS and scene.season in ("spring", "summer")
    blossom = scene.season == "spring" and (scene.setting == "branch" or scene.subject("tree"))
    if in_grass or blossom:
        yield Fact("thing", "flowers"), 0.5


def _of_subject(scene: Scene, subject: Subject) -> Iterator[tuple[Fact, float]]:
    names = {subject.name: 1.0} | KINDS.get(subject.name, {})
    for name, degree in names.items():
        yield Fact("thing", name), degree
        if subject.color and scene.manner not in MONOCHROME:
            yield Fact("color", subject.color, name), degree * _clearness(scene, subject.color)
            yield Fact("color", subject.color), OF_A_THING


def _clearness(scene: Scene, color: str) -> float:
    """Return how surely a person would name the colour of a thing in the light of the scene."""
    dark = scene.candlelit or scene.time_of_day == "night"
    return TINTED if dark or TINTS.get(scene.palette, color) != color else 1


def _counts(scene: Scene) -> Iterator[tuple[Fact, float]]:
    for name in COUNTED:
        count = sum(
            each.count
            for each in scene.subjects
            if each.name == name or KINDS.get(each.name, {}).get(name, 0) >= 0.7
        )
        if count and name not in _uncounted(scene):
            yield Fact("count", str(count), name), 1
            yield Fact("count", SEVERAL, name), 1 if count > 1 else OFF_BY_ONE
            for near in (count - 1, count + 1):
                if 1 <= near <= MOST:
                    yield Fact("count", str(near), name), OFF_BY_ONE


def _uncounted(scene: Scene) -> tuple[str, ...]:
    """Return what is there in numbers that nobody would count."""
    if scene.subject("flock of birds"):
        return "bird", "animal"
    return ("tree",) if scene.setting == "forest" else ()


def _of_light(scene: Scene) -> Iterator[tuple[Fact, float]]:
    if scene.candlelit:
        yield Fact("light", "candlelight"), 1
        yield Fact("time", "night"), 0.7
    if scene.candlelit or scene.time_of_day == "night" or scene.manner == "chiaroscuro":
        yield Fact("light", "dark"), 1
    if scene.subject("moon"):
        yield Fact("light", "moonlight"), 1
    if scene.time_of_day == "dusk":
        yield Fact("light", "sunset"), 1 if scene.subject("sun") else 0.5
    if scene.time_of_day == "dawn":
        yield Fact("light", "sunrise"), 1 if scene.subject("sun") else 0.5
    if scene.time_of_day in ("morning", "noon"):
        yield Fact("time", "day"), 1
        yield Fact("time", NEIGHBOURS[scene.time_of_day]), 0.7


def _of_weather(scene: Scene) -> Iterator[tuple[Fact, float]]:
    if scene.weather == "clear" and scene.time_of_day in ("morning", "noon"):
        yield Fact("weather", "sunshine"), 1
    if scene.weather == "stormy" and scene.season == "winter":
        yield Fact("weather", "snowfall"), 1
    elif scene.weather == "stormy":
        yield Fact("weather", "rough sea" if scene.setting == "open sea" else "rain"), 1
    if scene.season == "winter":
        yield Fact("weather", "snow"), 1


def _of_mood(scene: Scene) -> Iterator[tuple[Fact, float]]:
    yield Fact("mood", scene.mood), 1
    for mood, degree in RELATED_MOODS.get(scene.mood, {}).items():
        yield Fact("mood", mood), degree
    if scene.weather == "stormy":
        yield Fact("mood", "dramatic"), 1
    if scene.weather == "misty" or scene.time_of_day == "night" or scene.candlelit:
        yield Fact("mood", "mysterious"), 0.7
