"""What people call the facts of a picture; the words themselves are in `words.toml`."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from retrievals_pipeline.miniature.truth.facts import Fact

WORDS = Path(__file__).with_name("words.toml")


@dataclass(frozen=True)
class Thing:
    """Nouns for one, for several and for uncounted many of a thing, without article."""

    one: tuple[str, ...]
    several: tuple[str, ...] = ()
    together: tuple[str, ...] = ()


@dataclass(frozen=True)
class Said:
    """How a fact that is no thing is said.

    Attributes:
        adjectives: Before any noun: `a lonely boat`.
        scenic: Before a word for a picture only: `an overcast scene`.
        phrases: After a noun: `a boat at sea`.
        pictures: A picture that is so: `an etching of a boat`.
        nouns: Alone.
    """

    adjectives: tuple[str, ...] = ()
    scenic: tuple[str, ...] = ()
    phrases: tuple[str, ...] = ()
    pictures: tuple[str, ...] = ()
    nouns: tuple[str, ...] = ()


@dataclass(frozen=True)
class Lexicon:
    """All the words."""

    things: dict[str, Thing]
    facts: dict[Fact, Said]
    faces: dict[Fact, Said]  # what more is said of a mood where a face shows it
    colors: dict[str, tuple[str, ...]]
    numbers: dict[int, tuple[str, ...]]


@cache
def lexicon() -> Lexicon:
    """Read the words."""
    tables = tomllib.loads(WORDS.read_text(encoding="utf-8"))
    return Lexicon(
        things={
            name: Thing(**{number: tuple(said) for number, said in words.items()})
            for name, words in tables["things"].items()
        },
        facts={
            Fact(facet, value): _said(words)
            for facet, values in tables["facts"].items()
            for value, words in values.items()
        },
        faces={Fact("mood", mood): _said(words) for mood, words in tables["faces"].items()},
        colors={name: tuple(words) for name, words in tables["colors"].items()},
        numbers={int(number): tuple(words) for number, words in tables["numbers"].items()},
    )


def _said(words: dict[str, list[str]]) -> Said:
    return Said(**{place: tuple(said) for place, said in words.items()})
