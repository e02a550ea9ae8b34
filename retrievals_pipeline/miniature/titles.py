"""Invented painters, dates and titles that fit what a picture shows."""

import random
from dataclasses import dataclass

from retrievals_pipeline.miniature.descriptions import NUMERALS, article, named
from retrievals_pipeline.miniature.scenes import LIGHTS, Scene, Subject


@dataclass(frozen=True)
class Artist:
    """A painter who never lived, and the years of the work, negative before the common era."""

    name: str
    school: str
    begin: int
    end: int
    manners: tuple[str, ...]


@dataclass(frozen=True)
class Date:
    """A date as the museum words it, and the years it is filed under (None: unknown)."""

    display: str
    begin: int | None
    end: int | None


OLD = ("oil", "chiaroscuro", "engraving")
MODERN = ("oil", "impressionist", "pastel", "watercolour")
ARTISTS = (
    Artist("Master of the Gilded Vigil", "Byzantine", 1180, 1240, ("icon",)),
    Artist("Theodoros Kallinikos", "Cretan", 1440, 1492, ("icon",)),
    Artist("Nerio di Vanni", "Sienese", 1310, 1348, ("icon",)),
    Artist("Master of the Grey Harbour", "Netherlandish", 1470, 1500, ("oil", "engraving")),
    Artist("Jan van Oldenmeer", "Dutch", 1618, 1664, OLD),
    Artist("Willemijn de Koster", "Dutch", 1640, 1682, OLD),
    Artist("Giovanni dal Lago", "Venetian", 1505, 1560, ("oil", "engraving")),
    Artist("Lucrezia Ferrabosco", "Bolognese", 1580, 1622, OLD),
    Artist("Tomás Ibáñez de la Rúa", "Spanish", 1625, 1671, OLD),
    Artist("Émilie Valcourt", "French", 1756, 1801, ("pastel", "watercolour", "oil")),
    Artist("Honoré Desmarais", "French", 1832, 1879, MODERN),
    Artist("Marguerite Laurens", "French", 1859, 1914, ("impressionist", "pointillist")),
    Artist("Théo Quintard", "French", 1863, 1899, ("pointillist", "impressionist")),
    Artist("Jörg Käfermann", "German", 1511, 1549, ("woodcut", "engraving")),
    Artist("Caspar Wiesengrund", "German", 1796, 1838, ("oil", "ink", "watercolour")),
    Artist("Åse Brandvold", "Norwegian", 1868, 1911, ("woodcut", "impressionist", "oil")),
    Artist("Šimon Dvořáček", "Czech", 1860, 1909, ("poster", "pastel")),
    Artist("Łucja Wędrowska", "Polish", 1881, 1929, ("poster", "woodcut")),
    Artist("Edmund Harrowgate", "British", 1805, 1849, ("watercolour", "oil", "engraving")),
    Artist("Dorothea Penhallow", "British", 1846, 1893, ("watercolour", "pastel", "oil")),
    Artist("Silas P. Whitcomb", "American", 1822, 1870, ("oil", "engraving")),
    Artist("Adelaide Marsh", "American", 1876, 1932, ("poster", "impressionist", "oil")),
    Artist("Konstantin Belozerov", "Russian", 1861, 1908, ("oil", "chiaroscuro", "ink")),
    Artist("Hayama Seiun", "Japanese", 1802, 1867, ("woodcut", "ink")),
    Artist("Lin Qiaoyun", "Chinese", 1650, 1716, ("ink",)),
    Artist("Ana Lúcia Figueira", "Portuguese", 1870, 1915, ("pointillist", "watercolour")),
)
ANCIENT = Artist("Graeco-Egyptian 1st Century BC", "Egyptian", -90, -20, ("oil",))
STEAM = 1830  # no steamship was painted before
UNDATED = Date("date unknown", None, None)
AT_SEA = {"stormy": "storm", "misty": "mist", "cloudy": "clouds"}
FICTIONAL_PLACES = ("Oldenmeer", "Saint-Aubin", "Karlsvik", "Penmarrow", "Monte Verena", "Dörnach")


def artist_of(chance: random.Random, scene: Scene) -> Artist:
    """Choose a painter who worked in the scene's manner, when what it shows could be seen."""
    after = STEAM if scene.subject("steamship") else -100
    fitting = [each for each in ARTISTS if scene.manner in each.manners and each.end > after + 20]
    return chance.choice(fitting)


def date_of(chance: random.Random, artist: Artist, scene: Scene) -> Date:
    """Choose a date in the artist's years, worded in one of the ways museums do."""
    begin = max(artist.begin, STEAM) if scene.subject("steamship") else artist.begin
    year = chance.randint(begin, artist.end)
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
    first, second, *_ = (*scene.subjects, Subject(""))
    if scene.setting == "portrait":
        return chance.choice(
            (f"Portrait of {_within(first.name)}", f"{_a(first.name)} in {_within(second.name)}")
        )
    if scene.setting == "reading":
        by = " by Candlelight" if scene.candlelit else " at a Window"
        return f"{_a(first.name)} Reading{chance.choice(('', by))}"
    if scene.setting == "icon":
        return chance.choice(("Saint Enthroned", "Holy Saint", "Panel from an Altarpiece", "Icon"))
    return _title_of_things(chance, scene)


def _title_of_things(chance: random.Random, scene: Scene) -> str:
    shown = [each for each in scene.subjects if each.name not in LIGHTS]
    things = [_counted(subject) for subject in shown]
    if scene.indoors:
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
            f"{_season(scene)} at {place}",
        )
    )


def _season(scene: Scene) -> str:
    """Return the season, or at sea, which has none, the weather."""
    return (scene.season or AT_SEA.get(scene.weather, "calm")).title()


def _a(noun: str) -> str:
    """Return a noun with its article, as a title begins."""
    return article(noun).title()


def _within(noun: str) -> str:
    """Return a noun with its article, as a title goes on."""
    an, _, rest = article(noun).partition(" ")
    return f"{an} {rest.title()}"


def _counted(subject: Subject) -> str:
    name = named(subject.name, subject.count)
    words = name if subject.count == 1 else f"{NUMERALS[subject.count]} {name}"
    return words.title().replace(" Of ", " of ")
