"""Invented painters, dates and titles that fit what a picture shows."""

import random
from dataclasses import dataclass

from retrievals_pipeline.miniature.scenes import NUMERALS, PLACES, PLURALS, Scene, Subject


@dataclass(frozen=True)
class Artist:
    """A painter who never lived, and the years of the work, negative before the common era."""

    name: str
    school: str
    begin: int
    end: int


@dataclass(frozen=True)
class Date:
    """A date as the museum words it, and the years it is filed under (None: unknown)."""

    display: str
    begin: int | None
    end: int | None


ARTISTS = (
    Artist("Master of the Grey Harbour", "Netherlandish", 1470, 1500),
    Artist("Jan van Oldenmeer", "Dutch", 1618, 1664),
    Artist("Willemijn de Koster", "Dutch", 1640, 1682),
    Artist("Giovanni dal Lago", "Venetian", 1505, 1560),
    Artist("Lucrezia Ferrabosco", "Bolognese", 1580, 1622),
    Artist("Tomás Ibáñez de la Rúa", "Spanish", 1625, 1671),
    Artist("Émilie Valcourt", "French", 1756, 1801),
    Artist("Honoré Desmarais", "French", 1832, 1879),
    Artist("Jörg Käfermann", "German", 1511, 1549),
    Artist("Caspar Wiesengrund", "German", 1796, 1838),
    Artist("Åse Brandvold", "Norwegian", 1868, 1911),
    Artist("Šimon Dvořáček", "Czech", 1850, 1899),
    Artist("Łucja Wędrowska", "Polish", 1881, 1919),
    Artist("Edmund Harrowgate", "British", 1775, 1829),
    Artist("Dorothea Penhallow", "British", 1846, 1893),
    Artist("Silas P. Whitcomb", "American", 1822, 1870),
    Artist("Adelaide Marsh", "American", 1876, 1922),
    Artist("Konstantin Belozerov", "Russian", 1861, 1908),
    Artist("Ørjan Strømme", "Danish", 1802, 1847),
    Artist("Ana Lúcia Figueira", "Portuguese", 1870, 1915),
)
ANCIENT = Artist("Graeco-Egyptian 1st Century BC", "Egyptian", -90, -20)
UNDATED = Date("date unknown", None, None)
FICTIONAL_PLACES = ("Oldenmeer", "Saint-Aubin", "Karlsvik", "Penmarrow", "Monte Verena", "Dörnach")


def date_of(chance: random.Random, artist: Artist) -> Date:
    """Choose a date in the artist's years, worded in one of the ways museums do."""
    year = chance.randint(artist.begin, artist.end)
    if year < 0:
        return Date(f"c. {-year}/{-year - 10} BC", year, year + 10)
    decade = year - year % 10
    return chance.choice(
        (
            Date(str(year), year, year),
            Date(str(year), year, year),
            Date(f"c. {year}", year, year),
            Date(f"c. {year}/{year + 5}", year, year + 5),
            Date(f"{year}-{year + 2}", year, year + 2),
            Date(f"{decade}s", decade, decade + 9),
            Date(f"probably {year}", year, year),
            Date(f"{str(year)[:3]}[{str(year)[3]}?]", decade, decade + 9),
            Date(f"{year} or after", year, year + 10),
        )
    )


def title_of(chance: random.Random, scene: Scene) -> str:
    """Choose a title that names what the scene shows."""
    first, *others = scene.subjects
    if scene.setting == "portrait":
        worn = others[-1]
        return chance.choice(
            (
                f"Portrait of {_a(first.name)} in {_a(worn.name)}",
                f"{first.name.title()} in {_a(worn.name)}",
                f"Portrait of {_a(first.name)}",
            )
        )
    things = [
        _counted(subject) for subject in scene.subjects if subject.name not in ("sun", "moon")
    ]
    if PLACES[scene.setting].indoors:
        return f"Still Life with {things[0]}" + (f" and {things[1]}" if len(things) > 1 else "")
    place = chance.choice(FICTIONAL_PLACES)
    moment = {"morning": "in the Morning", "noon": "at Midday"}.get(
        scene.time_of_day, f"at {scene.time_of_day.title()}"
    )
    return chance.choice(
        (
            f"{things[0]} {moment}",
            f"{things[0]} near {place}",
            f"{things[0]} and {things[-1]}" if len(things) > 1 else f"{things[0]}, {place}",
            f"{scene.season.title()} at {place}",
        )
    )


def _a(words: str) -> str:
    words = words.title()
    return f"{'an' if words[0] in 'AEIOU' else 'a'} {words}"


def _counted(subject: Subject) -> str:
    if subject.count == 1:
        return subject.name.title().replace(" Of ", " of ")
    name = PLURALS.get(subject.name, f"{subject.name}s")
    return f"{NUMERALS[subject.count]} {name}".title().replace(" Of ", " of ")
