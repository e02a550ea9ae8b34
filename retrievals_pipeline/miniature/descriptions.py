"""What a scene shows in human words: the `assistivetext` of the museum's records."""

import random

from retrievals_pipeline.miniature.scenes import IN_THE_SKY, MONOCHROME, Scene, Subject

NUMERALS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight")
PLURALS = {
    "sheep": "sheep",
    "cypress": "cypresses",
    "church": "churches",
    "bunch of grapes": "bunches of grapes",
    "flock of birds": "flocks of birds",
    "bottle": "bottles of wine",
    "fir": "fir trees",
    "vase": "vases of flowers",
}
SINGULARS = {"bottle": "bottle of wine", "vase": "vase of flowers", "fir": "fir tree"}
WITH = {"sailing boat": "with {} sails", "walker": "in {}"}  # where the colour stands
WHERE = {
    "open sea": "on the open sea",
    "river": "over a slow river",
    "meadow": "in a meadow",
    "hills": "among rolling hills",
    "forest": "in a forest clearing",
    "mountains": "above wooded foothills",
    "mountain lake": "by a mountain lake",
    "village": "along a village street",
    "branch": "on a branch",
    "table": "on a table",
}
OPENINGS = {
    "oil": ("An oil painting shows", "On this canvas we see"),
    "impressionist": ("Loose, broken brushstrokes form", "Dabs of bright paint describe"),
    "pointillist": ("Countless dots of pure colour build up", "Small points of paint form"),
    "woodcut": ("Printed from carved wooden blocks,", "A colour woodcut with bold outlines shows"),
    "watercolour": ("Thin washes of watercolour show", "A light watercolour shows"),
    "ink": ("Brushed in black ink on pale paper,", "An ink drawing shows"),
    "pastel": ("Soft chalks on toned paper show", "A pastel drawing shows"),
    "engraving": ("Fine engraved lines show", "A black and white print shows"),
    "chiaroscuro": (
        "Strong light falls out of deep darkness on",
        "Against deep shadow, in strong light, we see",
    ),
    "poster": ("Flat areas of colour, like a poster, show", "A poster-like picture shows"),
    "icon": ("On a ground of gold leaf, the panel shows", "Painted on gold ground, we see"),
}
SKIES = {
    "clear": "under a clear sky",
    "cloudy": "under a cloudy sky",
    "misty": "in thin mist",
    "stormy": "under a dark stormy sky",
}
FACES = {
    "cheerful": "smiles at us",
    "calm": "looks out calmly",
    "melancholy": "bows the head and looks sad",
    "mysterious": "is half hidden in shadow",
}
FEELINGS = {
    "cheerful": "cheerful and bright",
    "calm": "calm",
    "lonely": "lonely",
    "melancholy": "melancholy",
    "dramatic": "dramatic",
    "mysterious": "mysterious",
    "devotional": "solemn and devotional",
}
TONES = {
    "golden": ", in golden tones",
    "silvery": ", in silver grey tones",
    "rosy": ", in rosy tones",
    "earthen": ", in brown, earthy tones",
    "azure": ", in blue tones",
    "crimson": ", in red tones",
}


def describe(scene: Scene) -> str:
    """Say in two to four sentences what the picture of `scene` shows."""
    sentences = {"portrait": _portrait, "reading": _reading, "icon": _icon}.get(
        scene.setting, _things
    )(scene, _opening(scene))
    tones = "" if scene.manner in MONOCHROME else TONES.get(scene.palette, "")
    feeling = f"The mood is {FEELINGS[scene.mood]}{tones}."
    return " ".join(sentence for sentence in (*sentences, feeling) if sentence)


def _opening(scene: Scene) -> str:
    return random.Random(scene.seed).choice(OPENINGS[scene.manner])  # noqa: S311 - words, no secret


def _portrait(scene: Scene, opening: str) -> list[str]:
    light = "A candle is the only light." if scene.candlelit else ""
    sitter, *worn = (each for each in scene.subjects if each.name != "candle")
    clothes = join([phrase(each, scene.manner) for each in worn])
    first = f"{opening} {phrase(sitter)} from the chest up, wearing {clothes}."
    return [first, f"The sitter {FACES[scene.mood]}.", light]


def _reading(scene: Scene, opening: str) -> list[str]:
    reader, coat, book, light = scene.subjects
    by = "by the light of a candle" if light.name == "candle" else "beside a tall window"
    clothes, pages = phrase(coat, scene.manner), phrase(book, scene.manner)
    first = f"{opening} {phrase(reader)} in {clothes}, reading {pages} {by}."
    return [first, f"The reader {FACES[scene.mood]}."]


def _icon(scene: Scene, opening: str) -> list[str]:
    saints, robe, _ = scene.subjects
    robes = f"{robe.color} robes" if saints.count > 1 else f"a {robe.color} robe"
    halos = "golden halos" if saints.count > 1 else "a golden halo"
    return [f"{opening} {phrase(saints)} in {robes} with {halos}, facing us."]


def _things(scene: Scene, opening: str) -> list[str]:
    on_the_ground = [each for each in scene.subjects if each.name not in IN_THE_SKY]
    shown = join([phrase(subject, scene.manner) for subject in on_the_ground])
    first = f"{opening} {shown} {WHERE[scene.setting]}"
    if scene.indoors:
        light = "The candle lights the room." if scene.candlelit else ""
        return [f"{first}.", light]
    season = f" in {scene.season}" if scene.season else ""
    sky = SKIES[scene.weather]
    if scene.weather == "stormy" and scene.season == "winter":
        sky = "in a snowstorm"
    above = [sentence for name, sentence in _above(scene).items() if scene.subject(name)]
    return [f"{first} {moment(scene.time_of_day)}{season}, {sky}.", *above]


def _above(scene: Scene) -> dict[str, str]:
    rising = "rising" if scene.time_of_day == "dawn" else "setting"
    moon = "shines" if scene.weather == "clear" else "breaks through the clouds"
    return {
        "moon": f"A full moon {moon}.",
        "sun": f"The sun is {rising}.",
        "flock of birds": "A flock of birds flies past.",
    }


def phrase(subject: Subject, manner: str = "oil") -> str:
    """Name a subject with its number and colour: `three boats with red sails`."""
    color = "" if manner in MONOCHROME else subject.color  # no colours to see
    name = named(subject.name, subject.count)
    if color and subject.name in WITH:
        name = f"{name} {WITH[subject.name].format(color)}"
    elif color and subject.name in ("vase", "bunch of grapes"):
        holder, _, held = name.rpartition(" ")
        name = f"{holder} {color} {held}"
    elif color:
        name = f"{color} {name}"
    if subject.count > 1:
        return f"{NUMERALS[subject.count]} {name}"
    return article(name)


def named(name: str, count: int) -> str:
    """Return the noun of a thing for one or for several of it."""
    return SINGULARS.get(name, name) if count == 1 else PLURALS.get(name, f"{name}s")


def article(noun: str) -> str:
    """Put `a` or `an` before a noun."""
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def join(words: list[str]) -> str:
    """Join as people do: `a, b and c`."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def moment(time_of_day: str) -> str:
    """Put the time of day in words: `at dusk`, `in the morning`."""
    return "in the morning" if time_of_day == "morning" else f"at {time_of_day}"
