"""What a drawn picture shows: chosen from a seed here, put in words here, painted in `painter`.

The description states only what the painter makes visible, counts included: it is the ground truth
that retrieval is measured against.
"""

import random
from dataclasses import dataclass

COLORS = ("red", "blue", "green", "yellow", "white", "black", "violet", "orange")
SAILS = ("white", "white", "red", "orange", "blue", "yellow")
FLOWERS = ("red", "white", "yellow", "violet", "blue", "orange")
MANNERS = ("oil", "oil", "oil", "watercolour", "pastel", "engraving")
PALETTES = ("golden", "silvery", "rosy", "earthen", "vivid")
SITTERS = ("old man", "old woman", "young man", "young woman", "boy", "girl")
WOMEN = ("old woman", "young woman", "girl")
HEADGEAR = ("", "", "hat", "cap", "veil")
NUMERALS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight")
PLURALS = {
    "sheep": "sheep",
    "cypress": "cypresses",
    "church": "churches",
    "bunch of grapes": "bunches of grapes",
    "flock of birds": "flocks of birds",
    "bottle": "bottles of wine",
}
SINGULARS = {"bottle": "bottle of wine", "vase": "vase of flowers"}


@dataclass(frozen=True)
class Subject:
    """A thing in the picture, how often it is there, and its colour where it has one of its own."""

    name: str
    count: int = 1
    color: str = ""


@dataclass(frozen=True)
class Place:
    """A kind of picture: what may be in the middle of it, and what beside it."""

    main: tuple[tuple[str, int, int], ...]  # (thing, at least, at most)
    beside: tuple[str, ...]
    indoors: bool = False


@dataclass(frozen=True)
class Scene:
    """Everything a picture is painted from; equal scenes give equal pictures."""

    seed: int
    subjects: tuple[Subject, ...]
    setting: str
    time_of_day: str  # empty indoors, as weather and season are
    weather: str
    season: str
    mood: str
    palette: str
    manner: str


PLACES = {
    "open sea": Place(
        main=(("sailing boat", 1, 5), ("rowing boat", 1, 3), ("steamship", 1, 2)),
        beside=("", "lighthouse", "flock of birds"),
    ),
    "meadow": Place(
        main=(("sheep", 2, 6), ("cow", 1, 4), ("walker", 1, 3), ("horse", 1, 3)),
        beside=("church", "windmill", "cottage", "tree", "cypress"),
    ),
    "hills": Place(
        main=(("tree", 1, 4), ("cypress", 2, 6), ("cottage", 1, 3), ("windmill", 1, 2)),
        beside=("", "church", "flock of birds", "walker"),
    ),
    "mountain lake": Place(
        main=(("rowing boat", 1, 3), ("sailing boat", 1, 3), ("fir", 3, 6)),
        beside=("", "cottage", "church", "fir"),
    ),
    "village": Place(
        main=(("house", 3, 6), ("cottage", 3, 4)),
        beside=("church", "tree", "walker"),
    ),
    "table": Place(
        main=(("apple", 1, 6), ("pear", 1, 5), ("orange", 1, 5), ("lemon", 1, 5),
              ("bunch of grapes", 1, 2)),
        beside=("jug", "bottle", "candle", "vase", "book"),
        indoors=True,
    ),
    "portrait": Place(main=tuple((sitter, 1, 1) for sitter in SITTERS), beside=(), indoors=True),
}  # fmt: skip
SETTINGS = ("open sea", "open sea", "meadow", "hills", "mountain lake", "village", "table",
            "table", "portrait", "portrait")  # fmt: skip
WHERE = {
    "open sea": "on the open sea",
    "meadow": "in a meadow",
    "hills": "among rolling hills",
    "mountain lake": "by a mountain lake",
    "village": "in a village",
    "table": "on a table",
}
OPENINGS = {
    "oil": ("An oil painting of", "A painting of", "A canvas that shows"),
    "watercolour": ("A watercolour of", "A light watercolour of"),
    "pastel": ("A pastel of", "A drawing in soft chalks of"),
    "engraving": ("An engraving of", "A black and white print of"),
}
SKIES = {
    "clear": "under a clear sky",
    "cloudy": "under a cloudy sky",
    "misty": "in thin mist",
    "stormy": "under a dark stormy sky",
}
MOODS = {
    "stormy": ("dramatic", "menacing"),
    "misty": ("mysterious", "quiet"),
    "night": ("mysterious", "lonely"),
    "dusk": ("melancholy", "calm"),
    "day": ("cheerful", "calm"),
    "indoors": ("quiet", "solemn", "tender"),
}


def scene(seed: int, number: int) -> Scene:
    """Choose the picture `number` of the museum `seed`; it depends on nothing else."""
    chance = random.Random(f"{seed}/{number}")  # noqa: S311 - a picture, not a secret
    setting = chance.choice(SETTINGS)
    manner = chance.choice(MANNERS)
    palette = chance.choice(PALETTES)
    brush = chance.getrandbits(32)
    subjects = _sitter(chance) if setting == "portrait" else _things(chance, PLACES[setting])
    if PLACES[setting].indoors:
        mood = chance.choice(MOODS["indoors"])
        return Scene(brush, subjects, setting, "", "", "", mood, palette, manner)
    time_of_day = chance.choice(("dawn", "morning", "noon", "noon", "dusk", "night"))
    weather = chance.choice(("clear", "clear", "cloudy", "misty", "stormy"))
    season = chance.choice(("spring", "summer", "autumn", "winter"))
    if weather == "clear" and time_of_day == "night":
        subjects += (Subject("moon"),)
    elif weather == "clear" and time_of_day in ("dawn", "dusk"):
        subjects += (Subject("sun"),)
    kind = weather if weather in MOODS else time_of_day if time_of_day in MOODS else "day"
    mood = chance.choice(MOODS[kind])
    return Scene(brush, subjects, setting, time_of_day, weather, season, mood, palette, manner)


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
        other = chance.choice([kind for kind, *_ in place.main if kind != name])
        things.append(_thing(chance, other, chance.randint(1, 2)))
    return tuple(things)


def _thing(chance: random.Random, name: str, count: int) -> Subject:
    own = {"sailing boat": SAILS, "vase": FLOWERS, "apple": ("red", "green", "yellow"),
           "bunch of grapes": ("green", "violet"), "book": ("red", "blue", "green"),
           "walker": ("red", "blue", "white", "yellow"), "cow": ("white", "black", "brown"),
           "horse": ("white", "black", "brown")}  # fmt: skip
    return Subject(name, count, chance.choice(own[name]) if name in own else "")


def describe(scene: Scene) -> str:
    """Say in human words what the picture of `scene` shows, in two or three sentences."""
    opening = OPENINGS[scene.manner][scene.seed % len(OPENINGS[scene.manner])]
    if scene.setting == "portrait":
        return f"{opening} {portrait(scene)}. The mood is {scene.mood}.{_tones(scene)}"
    in_the_sky = [s for s in scene.subjects if s.name in ("moon", "sun", "flock of birds")]
    on_the_ground = [s for s in scene.subjects if s not in in_the_sky]
    shown = join([phrase(subject, scene.manner) for subject in on_the_ground])
    first = f"{opening} {shown} {WHERE[scene.setting]}"
    if PLACES[scene.setting].indoors:
        return f"{first}. The mood is {scene.mood}.{_tones(scene)}"
    season = "" if scene.setting == "open sea" else f" in {scene.season}"
    above = _above(in_the_sky, scene.time_of_day)
    return (
        f"{first} {moment(scene.time_of_day)}{season}, {SKIES[scene.weather]}.{above} "
        f"The mood is {scene.mood}.{_tones(scene)}"
    )


def portrait(scene: Scene) -> str:
    """Name the sitter and what is worn: `an old man in a red coat and a black hat`."""
    sitter, *worn = scene.subjects
    return f"{phrase(sitter, scene.manner)} in {join([phrase(s, scene.manner) for s in worn])}"


def phrase(subject: Subject, manner: str = "oil") -> str:
    """Name a subject with its number and colour: `three boats with red sails`."""
    name = (
        SINGULARS.get(subject.name, subject.name)
        if subject.count == 1
        else PLURALS.get(subject.name, f"{subject.name}s")
    )
    color = "" if manner == "engraving" else subject.color  # a print has no colours to see
    if color and subject.name == "sailing boat":
        name = f"{name} with {color} sails"
    elif color and subject.name in ("vase", "bunch of grapes"):
        holder, _, held = name.rpartition(" ")
        name = f"{holder} {color} {held}"
    elif color and subject.name == "walker":
        name = f"{name} in {color}"
    elif color:
        name = f"{color} {name}"
    if subject.count > 1:
        return f"{NUMERALS[subject.count]} {name}"
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def join(words: list[str]) -> str:
    """Join as people do: `a, b and c`."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def moment(time_of_day: str) -> str:
    """Put the time of day in words: `at dusk`, `in the morning`."""
    return "in the morning" if time_of_day == "morning" else f"at {time_of_day}"


def _above(in_the_sky: list[Subject], time_of_day: str) -> str:
    words = {
        "moon": "A full moon shines.",
        "sun": f"The sun is {'rising' if time_of_day == 'dawn' else 'setting'}.",
        "flock of birds": "A flock of birds flies past.",
    }
    return "".join(f" {words[subject.name]}" for subject in in_the_sky)


def _tones(scene: Scene) -> str:
    words = {"golden": "Golden", "silvery": "Silver grey", "rosy": "Rosy", "earthen": "Brown"}
    if scene.manner == "engraving" or scene.palette not in words:
        return ""
    return f" {words[scene.palette]} tones prevail."
