"""What people call the facts of a picture; the words themselves are in `words.toml`."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from retrievals_pipeline.miniature.facts import Fact

WORDS = Path(__file__).with_name("words.toml")


@dataclass(frozen=True)
class Thing:
    """Nouns for one, for several and for uncounted many of a thing, without article."""

    one: tuple[str, ...]
    several: tuple[str, ...]
    together: tuple[str, ...] = ()


@dataclass(frozen=True)
class Said:
    """How a fact that is no thing is said: before a noun, after it, and alone."""

    adjectives: tuple[str, ...] = ()
    phrases: tuple[str, ...] = ()
    nouns: tuple[str, ...] = ()


@dataclass(frozen=True)
class Lexicon:
    """All the words."""

    things: dict[str, Thing]
    facts: dict[Fact, Said]
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
            Fact(facet, value): Said(**{place: tuple(said) for place, said in words.items()})
            for facet, values in tables["facts"].items()
            for value, words in values.items()
        },
        colors={name: tuple(words) for name, words in tables["colors"].items()},
        numbers={int(number): tuple(words) for number, words in tables["numbers"].items()},
    )
