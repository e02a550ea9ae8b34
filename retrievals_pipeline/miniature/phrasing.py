"""Queries put in natural words.

`Forms` are the sentence forms; the words are those of the lexicon. Training and the quality bench
have forms of their own, so that no sentence is in both.
"""

import random
from collections.abc import Iterable
from dataclasses import dataclass, field

from retrievals_pipeline.miniature.descriptions import article, join
from retrievals_pipeline.miniature.facts import Fact
from retrievals_pipeline.miniature.truth import Query
from retrievals_pipeline.miniature.words import Said, lexicon

WORN = ("coat", "hat", "cap", "veil", "robe")
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
        keywords: How often a query is a list of keywords, 0 to 1.
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


def phrase_query(query: Query, chance: random.Random, forms: Forms) -> str:
    """Put a query in words, differently each time."""
    writer = _Writer(chance, forms)
    keywords = chance.random() < forms.keywords
    positive = writer.keywords(query) if keywords else writer.phrase(query)
    negative = [writer.ruled_out(fact) for fact in query.unwanted]
    text = " ".join([positive, *negative])
    return text if keywords else writer.framed(text)


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


class _Writer:
    def __init__(self, chance: random.Random, forms: Forms) -> None:
        self._chance = chance
        self._forms = forms
        self._words = lexicon()

    def framed(self, text: str) -> str:
        return self._chance.choice(self._forms.frames).format(text)

    def keywords(self, query: Query) -> str:
        """Write `winter storm, trees`."""
        parts = _sorted(query.wanted)
        words = [self._noun(name, **about) for name, about in parts.things.items()]
        words += [self._color(color) for color in parts.tones]
        words += [self._alone(fact) for fact in parts.others]
        self._chance.shuffle(words)
        return self._chance.choice(self._forms.separators).join(words)

    def phrase(self, query: Query) -> str:
        """Write `a lonely boat in stormy seas`."""
        parts = _sorted(query.wanted)
        adjectives, phrases, nouns = self._placed(parts.others)
        names = list(parts.things)
        worn = [name for name in names if name in WORN]
        shown = [name for name in names if name not in WORN]
        tones = [self._tones(parts.tones)] if parts.tones else []
        if shown:
            head = self._noun(shown[0], **parts.things[shown[0]], adjectives=adjectives)
        elif nouns and not adjectives:
            head = nouns.pop()
        else:
            head = article(" ".join([*adjectives, self._chance.choice(self._forms.heads)]))
        after = [self._worn(name, parts.things[name]) for name in worn]
        further = [self._noun(name, **parts.things[name]) for name in shown[1:]]
        if further:
            after.append(self._chance.choice(self._forms.beside).format(join(further)))
        self._chance.shuffle(phrases)
        text = " ".join([head, *after, *phrases, *tones])
        return self._with_nouns(text, nouns)

    def ruled_out(self, fact: Fact) -> str:
        """Write `but no blue`."""
        said = self._words.facts.get(fact, Said())
        if said.adjectives and self._chance.random() < 0.6:
            return self._chance.choice(self._forms.not_so).format(self._pick(said.adjectives))
        if fact.facet == "thing":
            thing = self._words.things[fact.value]
            return self._without(self._pick(self._chance.choice((thing.one, thing.several))))
        if fact.facet == "color":
            return self._without(self._color(fact.value))
        return self._without(self._pick(said.nouns))

    def _without(self, noun: str) -> str:
        return self._chance.choice(self._forms.without).format(noun)

    def _placed(self, facts: list[Fact]) -> tuple[list[str], list[str], list[str]]:
        """Return adjectives, phrases and nouns: one of them for each fact."""
        adjectives, phrases, nouns = [], [], []
        for fact in facts:
            said = self._words.facts[fact]
            ways = [
                way
                for way, words, full in (
                    (adjectives, said.adjectives, len(adjectives) == MOST_ADJECTIVES),
                    (phrases, said.phrases, False),
                    (
                        nouns,
                        said.nouns if fact.facet in ("genre", "manner", "weather") else (),
                        bool(nouns),
                    ),
                )
                for _ in range(2 if way is phrases else 1)
                if words and not full
            ]
            way = self._chance.choice(ways) if ways else phrases
            words = {id(adjectives): said.adjectives, id(phrases): said.phrases}.get(
                id(way), said.nouns
            )
            way.append(self._pick(words or said.nouns))
        return adjectives, phrases, nouns

    def _with_nouns(self, text: str, nouns: list[str]) -> str:
        for noun in nouns:
            text = self._chance.choice((f"{text}, {noun}", f"{article(noun)} of {text}",
                                        f"{article(noun)} with {text}"))  # fmt: skip
        return text

    def _noun(
        self, name: str, number: str = "", color: str = "", adjectives: Iterable[str] = ()
    ) -> str:
        """Write a thing with its number and colour: `three boats with red sails`."""
        thing = self._words.things[name]
        several = number not in ("", "1") or (not number and self._chance.random() < 0.25)
        many = thing.several if number else thing.several + thing.together
        noun = self._pick(many if several else thing.one)
        before, after = [*adjectives], ""
        if color:
            before, after = self._colored(name, color, before)
        noun = " ".join([*before, noun]) + after
        if number:
            return f"{self._pick(self._words.numbers[int(number)])} {noun}"
        return noun if several or self._chance.random() < 0.2 else article(noun)

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
        return self._chance.choice(self._forms.worn).format(
            self._noun(name, color=about.get("color", ""))
        )

    def _alone(self, fact: Fact) -> str:
        said = self._words.facts[fact]
        return self._pick(self._chance.choice([each for each in (said.nouns, said.adjectives, said.nouns,
                                                                 said.phrases) if each]))  # fmt: skip

    def _tones(self, colors: list[str]) -> str:
        return self._chance.choice(self._forms.tones).format(
            join([self._color(each) for each in colors])
        )

    def _color(self, name: str) -> str:
        words = self._words.colors[name]
        return words[0] if self._chance.random() < 0.6 else self._pick(words)

    def _pick(self, words: tuple[str, ...]) -> str:
        """Choose a word, the first one, which is the plainest, more often than another."""
        return words[0] if self._chance.random() < 0.3 else self._chance.choice(words)
