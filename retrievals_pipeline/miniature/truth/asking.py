"""Queries that a work answers: facts chosen from what is true of it, by the kind of query."""

import random
from collections.abc import Sequence

from retrievals_pipeline.miniature.places import WORN
from retrievals_pipeline.miniature.scenes import IN_THE_SKY, Scene, Subject
from retrievals_pipeline.miniature.truth.facts import KINDS, SEVERAL, Degrees, Fact
from retrievals_pipeline.miniature.truth.relevance import Query
from retrievals_pipeline.miniature.truth.words import lexicon

QUERY_KINDS = ("attribute", "attributes", "count", "negation", "mood", "description")
SURE = 1.0  # only what anyone would agree to is asked for
PLURALS = 0.4  # how often what is there twice or more is asked for in the plural
ABSENT_COLORS = ("red", "blue", "green", "yellow", "violet", "orange", "white", "black")
DESCRIBED_GENRES = ("portrait", "reading", "still life", "icon", "nature study")


def ask(
    chance: random.Random, kind: str, scene: Scene, degrees: Degrees, others: Sequence[Degrees]
) -> Query | None:
    """Choose a query of that kind which the work answers, or None if it answers none of that kind.

    Args:
        chance: Decides.
        kind: One of `QUERY_KINDS`.
        scene: The work's.
        degrees: Its facts.
        others: Facts of other works: what is ruled out is something that some of them have.
    """
    main = _numbered(chance, _named(chance, scene.subjects[0]), degrees)
    said = [_numbered(chance, fact, degrees) for fact in _sayable(scene, degrees)]
    if kind == "attribute":
        return Query((chance.choice([main, *said]),))
    if kind == "attributes":
        first = main if chance.random() < 0.75 else chance.choice(said)
        return Query(_together(first, *_some(chance, said, (1, 1, 2))))
    if kind == "count":
        counted = [
            fact
            for fact, degree in degrees.items()
            if fact.facet == "count" and fact.value != SEVERAL and degree >= SURE
        ]
        if not counted:
            return None
        return Query(_together(chance.choice(counted), *_some(chance, said, (0, 1))))
    if kind == "mood":
        moods = [fact for fact in degrees if fact.facet == "mood" and degrees[fact] >= SURE]
        return Query(_together(main, chance.choice(moods), *_some(chance, said, (0, 1))))
    if kind == "negation":
        wanted = _together(main, *_some(chance, said, (0, 1)))
        return _ruling_out(chance, wanted, degrees, others)
    return _description(chance, scene, degrees)


def description_of(scene: Scene, degrees: Degrees) -> tuple[list[Fact], list[Fact]]:
    """Return what a whole description says: each subject with number and colour, and the rest."""
    subjects: list[Fact] = []
    for subject in scene.subjects:
        counted = Fact("count", str(subject.count), subject.name)
        is_counted = counted in degrees and subject.name not in IN_THE_SKY
        subjects.append(counted if is_counted else Fact("thing", subject.name))
        color = Fact("color", subject.color, subject.name)
        if degrees.get(color, 0) >= SURE:
            subjects.append(color)
    rest = [
        Fact("time", scene.time_of_day),
        Fact("weather", scene.weather),
        Fact("season", scene.season),
        Fact("mood", scene.mood),
        Fact("manner", scene.manner),
        *[fact for fact in degrees if fact.facet == "place"][:1],
        *(Fact("genre", name) for name in DESCRIBED_GENRES),
    ]
    said = lexicon().facts
    return subjects, [fact for fact in rest if degrees.get(fact, 0) >= SURE and fact in said]


def _description(chance: random.Random, scene: Scene, degrees: Degrees) -> Query:
    subjects, rest = description_of(scene, degrees)
    chance.shuffle(rest)
    tones = [fact for fact in degrees if _is_tone(fact) and degrees[fact] >= SURE]
    kept = rest[: chance.randint(4, 7)]
    return Query((*subjects, *kept, *(tones[:1] if chance.random() < 0.5 else ())))


def _named(chance: random.Random, subject: Subject) -> Fact:
    """Return the fact that a subject is there, under one of the names that fit it wholly."""
    broader = [name for name, degree in KINDS.get(subject.name, {}).items() if degree >= SURE]
    name = chance.choice([subject.name, subject.name, *broader])
    return Fact("thing", name)


def _numbered(chance: random.Random, fact: Fact, degrees: Degrees) -> Fact:
    """Put a thing in the plural at times, if there are two or more of it."""
    several = Fact("count", SEVERAL, fact.value)
    if fact.facet != "thing" or degrees.get(several, 0) < SURE or chance.random() >= PLURALS:
        return fact
    return several


def _sayable(scene: Scene, degrees: Degrees) -> list[Fact]:
    """Return the facts that there are words for, the things beside the first among them."""
    own = {subject.name for subject in scene.subjects}
    said = [fact for fact, degree in degrees.items() if degree >= SURE and _has_words(fact, own)]
    beside = [Fact("thing", each.name) for each in scene.subjects[1:] if each.name not in WORN]
    return beside + said


def _has_words(fact: Fact, own: set[str]) -> bool:
    """Return whether a fact can be said: a colour, unless of what has a name of its own."""
    if fact.facet == "color":
        return not fact.of or fact.of in own
    return fact in lexicon().facts


def _some(chance: random.Random, said: list[Fact], numbers: Sequence[int]) -> list[Fact]:
    return chance.sample(said, min(chance.choice(numbers), len(said)))


def _together(*facts: Fact) -> tuple[Fact, ...]:
    """Return facts without what is said twice: one of a facet, but for things and colours."""
    kept: dict[tuple[str, str], Fact] = {}
    for fact in facts:
        several = fact.facet in ("thing", "color", "count")
        kept.setdefault((fact.facet, fact.value + fact.of if several else ""), fact)
    return tuple(kept.values())


def _ruling_out(
    chance: random.Random, wanted: tuple[Fact, ...], degrees: Degrees, others: Sequence[Degrees]
) -> Query | None:
    """Add a fact that the work lacks and others of which the rest is true have."""
    alike = [each for each in others if all(each.get(fact, 0) >= SURE for fact in wanted)]
    lacking = sorted({
        fact
        for each in alike
        for fact, degree in each.items()
        if degree >= SURE and fact not in degrees and _can_be_ruled_out(fact)
    })  # fmt: skip
    if not lacking:
        return None
    facet = chance.choice(sorted({fact.facet for fact in lacking}))
    return Query(wanted, (chance.choice([fact for fact in lacking if fact.facet == facet]),))


def _can_be_ruled_out(fact: Fact) -> bool:
    if fact.facet == "color":
        return _is_tone(fact) and fact.value in ABSENT_COLORS
    if fact.facet == "thing":
        return fact.value not in ("coat", "halo", "robe", "person")
    return fact.facet in ("time", "weather", "season", "light", "mood", "manner", "place")


def _is_tone(fact: Fact) -> bool:
    """Return whether a fact is of the colours of the whole picture."""
    return fact.facet == "color" and not fact.of
