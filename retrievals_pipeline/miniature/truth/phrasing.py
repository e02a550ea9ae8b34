"""Queries put in natural words.

`Forms` are the sentence forms; the words are those of the lexicon. Training and the quality bench
have frames of their own around the same grammar, so that no whole sentence is in both; words that
training never uses are held out for the bench.
"""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from retrievals_pipeline.miniature.descriptions import article, join
from retrievals_pipeline.miniature.places import SITTERS, WORN
from retrievals_pipeline.miniature.truth.facts import SEVERAL, Fact
from retrievals_pipeline.miniature.truth.relevance import Query
from retrievals_pipeline.miniature.truth.words import Said, Thing, held_out, lexicon

FACES = ("man", "woman", "child", "old person", "young person", *SITTERS)
IMPLIED = {"reading": "person", "nature study": "bird"}  # who reads, what sits on a branch
MOST_ADJECTIVES = 2


@dataclass(frozen=True)
class Forms:
    """The ways in which sentences are built.

    Attributes:
        frames: Around a phrase, as `a picture of {}`.
        separators: Between keywords.
        without: What is ruled out, after a phrase: `without {}`; takes a noun or a colour.
        not_so: The same for adjectives, as `not {}`.
        worn: What someone wears: `in {}`.
        beside: A further thing: `with {}`.
        tones: The colours of a whole picture, as `in {} tones`.
        heads: Words for a picture, where nothing is named that it shows.
        keywords: How often a query is a list of keywords, 0 to 1.
        held_out: How often a fact is said in words that training never uses, if there are any.
    """

    frames: tuple[str, ...]
    separators: tuple[str, ...]
    without: tuple[str, ...]
    not_so: tuple[str, ...]
    worn: tuple[str, ...]
    beside: tuple[str, ...]
    tones: tuple[str, ...]
    heads: tuple[str, ...]
    keywords: float
    held_out: float = 0.0


def phrase_query(query: Query, chance: random.Random, forms: Forms) -> str:
    """Put a query in words, differently each time."""
    writer = _Writer(chance, forms)
    keywords = chance.random() < forms.keywords
    positive = writer.keywords(query) if keywords else writer.phrase(query)
    negative = [writer.ruled_out(fact) for fact in query.unwanted]
    text = " ".join([positive, *negative]).replace(" ,", ",")
    return text if keywords else chance.choice(forms.frames).format(text)


@dataclass
class _Parts:
    """The facts of a query, sorted by what they become in a sentence."""

    things: dict[str, dict[str, str]] = field(default_factory=dict)  # name: number and colour
    tones: list[str] = field(default_factory=list)
    others: list[Fact] = field(default_factory=list)


def _sorted(facts: Iterable[Fact]) -> _Parts:
    parts = _Parts()
    for fact in facts:
        if fact.facet == "thing":
            parts.things.setdefault(fact.value, {})
        elif fact.facet == "count":
            parts.things.setdefault(fact.of, {})["number"] = fact.value
        elif fact.facet == "color" and fact.of:
            parts.things.setdefault(fact.of, {})["color"] = fact.value
        elif fact.facet == "color" and fact not in lexicon().facts:
            parts.tones.append(fact.value)
        else:
            parts.others.append(fact)
    return parts


@dataclass
class _Placed:
    """Words for the facts that are no things, by their place in a sentence."""

    adjectives: list[str] = field(default_factory=list)
    phrases: list[str] = field(default_factory=list)
    pictures: list[str] = field(default_factory=list)  # one at most
    nouns: list[str] = field(default_factory=list)


class _Writer:
    def __init__(self, chance: random.Random, forms: Forms) -> None:
        self._chance = chance
        self._forms = forms
        self._words = lexicon()
        self._held_out = held_out()

    def keywords(self, query: Query) -> str:
        """Write `winter storm, trees`."""
        parts = _sorted(query.wanted)
        words = [self._noun(name, about) for name, about in parts.things.items()]
        words += [self._color(color) for color in parts.tones]
        words += [self._alone(fact) for fact in parts.others]
        self._chance.shuffle(words)
        return self._chance.choice(self._forms.separators).join(words)

    def phrase(self, query: Query) -> str:
        """Write `a lonely boat in stormy seas`."""
        parts = _sorted(query.wanted)
        worn = [name for name in parts.things if name in WORN]
        shown = [name for name in parts.things if name not in WORN]
        main = shown[0] if shown else "person" if worn else _implied(parts.others)
        placed = self._placed(parts.others, main)
        if main:
            head = self._noun(main, parts.things.get(main, {}), placed.adjectives)
        else:
            kind = (
                placed.pictures.pop() if placed.pictures else self._chance.choice(self._forms.heads)
            )
            head = article(" ".join([*placed.adjectives, kind]))
        after = [self._worn(name, parts.things[name]) for name in worn]
        if further := [self._noun(name, parts.things[name]) for name in shown[1:]]:
            after.append(self._chance.choice(self._forms.beside).format(join(further)))
        tones = [self._tones(parts.tones)] if parts.tones else []
        self._chance.shuffle(placed.phrases)
        text = " ".join([head, *after, *placed.phrases, *tones])
        for picture in placed.pictures:
            frames = (f"{article(picture)} of {text}", f"{article(picture)} with {text}",
                      f"{text}, {picture}")  # fmt: skip
            text = self._chance.choice(frames)
        return ", ".join([text, *placed.nouns])

    def ruled_out(self, fact: Fact) -> str:
        """Write `but no blue`."""
        if fact.facet == "thing":
            thing = self._thing(fact.value)
            return self._without(
                self._pick(self._chance.choice((thing.one, thing.several or thing.one)))
            )
        if fact.facet == "color" and fact not in self._words.facts:
            return self._without(self._color(fact.value))
        said = self._said(fact)
        adjectives, nouns = said.adjectives + said.scenic, said.nouns + said.pictures
        if not nouns or (adjectives and self._chance.random() < 0.6):
            return self._chance.choice(self._forms.not_so).format(self._pick(adjectives))
        return self._without(self._pick(nouns))

    def _without(self, noun: str) -> str:
        return self._chance.choice(self._forms.without).format(noun)

    def _placed(self, facts: list[Fact], main: str) -> _Placed:
        """Choose a place and a word for each fact, beside the thing `main` if there is one."""
        placed = _Placed()
        for fact in facts:
            said = self._said(fact)
            taught = said is self._words.facts[fact]
            face = self._words.faces.get(fact, Said()) if taught and main in FACES else Said()
            adjectives = said.adjectives + (face.adjectives if main else said.scenic)
            phrases = said.phrases + face.phrases
            ways = [(placed.phrases, phrases), (placed.phrases, phrases)]
            if len(placed.adjectives) < MOST_ADJECTIVES:
                ways.append((placed.adjectives, adjectives))
            if not placed.pictures:
                ways.append((placed.pictures, said.pictures))
            if fact.facet == "weather":
                ways.append((placed.nouns, said.nouns))
            fallback = (placed.nouns, said.nouns + said.pictures)
            place, words = self._chance.choice([way for way in ways if way[1]] or [fallback])
            place.append(self._pick(words))
        return placed

    def _noun(self, name: str, about: dict[str, str], adjectives: Sequence[str] = ()) -> str:
        """Write a thing with its number and colour: `three boats with red sails`."""
        thing, number = self._thing(name), about.get("number", "")
        many = thing.several + thing.together if number == SEVERAL else thing.several
        several = number not in ("", "1")
        before, after = [*adjectives], ""
        if "color" in about:
            before, after = self._colored(name, about["color"], before)
        noun = " ".join([*before, self._pick(many if several else thing.one)]) + after
        if number not in ("", SEVERAL):
            return f"{self._pick(self._words.numbers[int(number)])} {noun}"
        without_article = several or noun[0].isupper() or self._chance.random() < 0.2
        return noun if without_article else article(noun)

    def _colored(self, name: str, color: str, before: list[str]) -> tuple[list[str], str]:
        word = self._color(color)
        if name == "sailing boat" and self._chance.random() < 0.7:
            return before, f" with {word} sails"
        if name == "walker":
            return before, f" in {word}"
        if name in ("vase", "flowers"):
            return before, f" with {word} flowers"
        return [*before, word], ""

    def _worn(self, name: str, about: dict[str, str]) -> str:
        if "color" in about and self._chance.random() < 0.25 and name in ("coat", "robe"):
            return f"in {self._color(about['color'])}"
        return self._chance.choice(self._forms.worn).format(self._noun(name, about))

    def _alone(self, fact: Fact) -> str:
        said = self._said(fact)
        nouns = said.nouns + said.pictures
        ways = (nouns, nouns, said.adjectives + said.scenic, said.phrases)
        return self._pick(self._chance.choice([words for words in ways if words]))

    def _tones(self, colors: list[str]) -> str:
        return self._chance.choice(self._forms.tones).format(
            join([self._color(each) for each in colors])
        )

    def _color(self, name: str) -> str:
        if self._unseen() and name in self._held_out.colors:
            return self._pick(self._held_out.colors[name])
        words = self._words.colors[name]
        return words[0] if self._chance.random() < 0.6 else self._pick(words)

    def _thing(self, name: str) -> Thing:
        """Return the words for a thing: in each number those held out, where they are to be."""
        thing = self._words.things[name]
        if not self._unseen() or name not in self._held_out.things:
            return thing
        other = self._held_out.things[name]
        return Thing(
            other.one or thing.one, other.several or thing.several, other.together or thing.together
        )

    def _said(self, fact: Fact) -> Said:
        """Return the words for another fact: those held out, where they are to be."""
        if self._unseen() and fact in self._held_out.facts:
            return self._held_out.facts[fact]
        return self._words.facts[fact]

    def _unseen(self) -> bool:
        return self._forms.held_out > 0 and self._chance.random() < self._forms.held_out

    def _pick(self, words: Sequence[str]) -> str:
        """Choose a word, the first one, which is the plainest, more often than another."""
        return words[0] if self._chance.random() < 0.3 else self._chance.choice(words)


def _implied(facts: Iterable[Fact]) -> str:
    """Return the thing that a picture of such facts is of, or nothing."""
    return next((IMPLIED[fact.value] for fact in facts if fact.value in IMPLIED), "")
