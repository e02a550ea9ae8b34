"""What people call the facts of a picture.

The words are in `words.toml`; those in `held_out.toml` say the same facts, and training never
uses them: what is found by them was understood without having been taught.
"""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import chain
from pathlib import Path

from retrievals_pipeline.miniature.truth.facts import Fact

WORDS = Path(__file__).with_name("words.toml")
HELD_OUT = Path(__file__).with_name("held_out.toml")


@dataclass(frozen=True)
class Thing:
    """Nouns for one, for several and for uncounted many of a thing, without article."""

    one: tuple[str, ...] = ()
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
    """Words for many facts, or for all of them."""

    things: dict[str, Thing]
    facts: dict[Fact, Said]
    faces: dict[Fact, Said]  # what more is said of a mood where a face shows it
    colors: dict[str, tuple[str, ...]]
    numbers: dict[int, tuple[str, ...]]

    def strings(self) -> Iterator[tuple[str, Fact]]:
        """Yield each word or phrase with the fact that it says, numbers aside."""
        for name, thing in self.things.items():
            for said in dict.fromkeys(thing.one + thing.several + thing.together):
                yield said, Fact("thing", name)
        for fact, words in (*self.facts.items(), *self.faces.items()):
            places = (words.adjectives, words.scenic, words.phrases, words.pictures, words.nouns)
            for said in dict.fromkeys(chain(*places)):
                yield said, fact
        for name, colors in self.colors.items():
            for said in colors:
                yield said, Fact("color", name)


@cache
def lexicon() -> Lexicon:
    """Return the words that training uses: some for every fact."""
    return _read(WORDS)


@cache
def held_out() -> Lexicon:
    """Return the words that only the quality bench uses: some for some facts."""
    return _read(HELD_OUT)


def _read(path: Path) -> Lexicon:
    tables = tomllib.loads(path.read_text(encoding="utf-8"))
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
        faces={Fact("mood", mood): _said(words) for mood, words in tables.get("faces", {}).items()},
        colors={name: tuple(words) for name, words in tables["colors"].items()},
        numbers={int(number): tuple(words) for number, words in tables.get("numbers", {}).items()},
    )


def _said(words: dict[str, list[str]]) -> Said:
    return Said(**{place: tuple(said) for place, said in words.items()})
