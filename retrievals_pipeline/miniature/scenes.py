"""What a drawn picture shows: chosen from a seed here, painted and described elsewhere.

A scene states only what the painter makes visible, counts, colours and mood included: it is the
ground truth that retrieval is measured against (`truth`).
"""

import random
from dataclasses import dataclass

from retrievals_pipeline.miniature.places import (
    COLORS,
    FIGURES,
    HEADGEAR,
    OWN_COLORS,
    PLACES,
    ROBES,
    SETTINGS,
    SITTERS,
    WOMEN,
    Place,
)
from retrievals_pipeline.miniature.places import MANNERS as MANNERS_OF

MANNERS = ("oil", "impressionist", "pointillist", "woodcut", "watercolour", "ink", "pastel",
           "engraving", "chiaroscuro", "poster", "icon")  # fmt: skip
MONOCHROME = ("ink", "engraving")  # manners without colours
PALETTES = ("golden", "silvery", "rosy", "earthen", "vivid", "azure", "crimson")
SEASONS = ("spring", "summer", "autumn", "winter")
LIGHTS = ("moon", "sun")
IN_THE_SKY = (*LIGHTS, "flock of birds")
WITHOUT_MIST = ("woodcut", "watercolour", "ink", "poster")  # manners in which it cannot be seen


@dataclass(frozen=True)
class Subject:
    """A thing in the picture, how often it is there, and its colour where it has one of its own."""

    name: str
    count: int = 1
    color: str = ""


@dataclass(frozen=True)
class Scene:
    """Everything a picture is painted from; equal scenes give equal pictures.

    A candle among the subjects of a figure is its only light. The mood of a figure is in its face;
    every other mood follows from the rest.
    """

    seed: int
    subjects: tuple[Subject, ...]
    setting: str
    time_of_day: str  # empty indoors, as weather is
    weather: str
    season: str  # empty on the open sea too
    mood: str
    palette: str
    manner: str

    def subject(self, name: str) -> Subject | None:
        """Return the subject of that name, or None."""
        return next((each for each in self.subjects if each.name == name), None)

    @property
    def indoors(self) -> bool:
        """Whether there is no weather."""
        return PLACES[self.setting].indoors

    @property
    def candlelit(self) -> bool:
        """Whether a candle burns in it."""
        return self.subject("candle") is not None


def scene(seed: int, number: int) -> Scene:
    """Choose the picture `number` of the museum `seed`; it depends on nothing else."""
    chance = random.Random(f"{seed}/{number}")  # noqa: S311 - a picture, not a secret
    setting = chance.choice(SETTINGS)
    palette = chance.choice(PALETTES)
    brush = chance.getrandbits(32)
    if PLACES[setting].indoors:
        subjects = _indoors(chance, setting)
        dark = "candle" in {subject.name for subject in subjects}
        manner = chance.choice(MANNERS_OF["candlelight" if dark else setting])
        mood = _mood_indoors(chance, setting, palette, dark=dark)
        return Scene(brush, subjects, setting, "", "", "", mood, palette, manner)
    manner = chance.choice(MANNERS_OF.get(setting, MANNERS_OF["outdoors"]))
    time_of_day = chance.choice(("dawn", "morning", "noon", "noon", "dusk", "night"))
    weather = chance.choice(("clear", "clear", "cloudy", "misty", "stormy"))
    if weather == "misty" and (manner in WITHOUT_MIST or setting == "branch"):
        weather = "cloudy"
    season = "" if setting == "open sea" else chance.choice(SEASONS)
    subjects = _things(chance, PLACES[setting])
    if weather in ("clear", "stormy") and time_of_day == "night":
        subjects += (Subject("moon"),)
    elif weather == "clear" and time_of_day in ("dawn", "dusk"):
        subjects += (Subject("sun"),)
    mood = _mood_outdoors(subjects, time_of_day, weather, season)
    return Scene(brush, subjects, setting, time_of_day, weather, season, mood, palette, manner)


def is_alone(subjects: tuple[Subject, ...]) -> bool:
    """Return whether but one thing stands in a wide space, and nothing keeps it company."""
    standing = [subject for subject in subjects if subject.name not in LIGHTS]
    return len(standing) == 1 and standing[0].count == 1


def _mood_outdoors(
    subjects: tuple[Subject, ...], time_of_day: str, weather: str, season: str
) -> str:
    bright = time_of_day in ("morning", "noon") and weather == "clear"
    if is_alone(subjects) and not bright:
        return "lonely"
    if weather == "stormy":
        return "dramatic"
    if weather == "misty" or time_of_day == "night":
        return "mysterious"
    if season in ("autumn", "winter") and (weather == "cloudy" or time_of_day == "dusk"):
        return "melancholy"
    return "cheerful" if bright and season not in ("autumn", "winter") else "calm"


def _mood_indoors(chance: random.Random, setting: str, palette: str, *, dark: bool) -> str:
    if setting == "icon":
        return "devotional"
    if setting in FIGURES:
        return chance.choice(("melancholy", "calm", "mysterious" if dark else "cheerful"))
    return "mysterious" if dark else "cheerful" if palette in ("vivid", "rosy") else "calm"


def _indoors(chance: random.Random, setting: str) -> tuple[Subject, ...]:
    if setting == "icon":
        saints = Subject("saint", chance.choice((1, 1, 1, 2, 3)))
        return saints, Subject("robe", 1, chance.choice(ROBES)), Subject("halo", saints.count)
    if setting == "portrait":
        return _sitter(chance) + ((Subject("candle"),) if chance.random() < 0.3 else ())
    if setting == "reading":
        reader = _sitter(chance)[:2]
        book = Subject("open book", 1, chance.choice(OWN_COLORS["book"]))
        return (*reader, book, Subject(chance.choice(("candle", "candle", "window"))))
    return _things(chance, PLACES[setting])


def _sitter(chance: random.Random) -> tuple[Subject, ...]:
    sitter = chance.choice(SITTERS)
    dress = chance.choice(COLORS)
    worn = chance.choice(HEADGEAR if sitter in WOMEN else HEADGEAR[:-1])
    subjects = (Subject(sitter), Subject("coat", 1, dress))
    if not worn:
        return subjects
    return (*subjects, Subject(worn, 1, chance.choice([c for c in COLORS if c != dress])))


def _things(chance: random.Random, place: Place) -> tuple[Subject, ...]:
    name, fewest, most = chance.choice(place.main)
    things = [_thing(chance, name, chance.randint(fewest, most))]
    beside = chance.choice(place.beside)
    if beside and beside != name:
        things.append(_thing(chance, beside, 1))
    if place.indoors and chance.random() < 0.5:
        taken = {thing.name for thing in things}
        other = chance.choice([kind for kind, *_ in place.main if kind not in taken])
        things.append(_thing(chance, other, chance.randint(1, 2) if other != "vase" else 1))
    return tuple(things)


def _thing(chance: random.Random, name: str, count: int) -> Subject:
    return Subject(name, count, chance.choice(OWN_COLORS[name]) if name in OWN_COLORS else "")
