"""The conditions that a query names, which a reranker judges one by one.

"two ships at sunset, but no people" asks for two ships, for a sunset, and for no people. Shown a
picture and one of them at a time, the reranker tells which of them the picture meets.

The rules are those of English: they split at commas, brackets, conjunctions and prepositions. A
condition is a part of the query as it stands, but for the article that "no" takes the place of.
Where they are in doubt, as within a name, they do not split: a condition that says more is still
one that the visitor asked for.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from retrievals_serving.pages import Verdict
from retrievals_serving.vectors import Float32

MAX_CONDITIONS = 6  # each costs a forward of the reranker for every picture it is asked about
YES = 0.5  # from here on P(yes), which a reranker's score is, is the answer yes


@dataclass(frozen=True)
class Condition:
    """One of the things that a query asks for.

    Attributes:
        text: What the reranker is asked.
        is_negative: Whether it must not be met.
    """

    text: str
    is_negative: bool = False


def _any_of(phrases: str) -> str:
    """Return the pattern of any of the phrases, of which each line has some, at any spacing."""
    listed = [phrase for line in phrases.splitlines() for phrase in line.split(", ")]
    return "|".join(phrase.strip().replace(" ", r"\s+") for phrase in listed if phrase.strip())


# Said of one thing: to ask for its parts would ask for something else.
SET_PHRASES = _any_of("""
    black and white, mother and child, madonna and child, virgin and child, father and son
    mother and daughter, horse and rider, horse and cart, horse and carriage, bow and arrow
    bread and wine, skull and crossbones, pen and ink, brush and ink, arts and crafts
    war and peace, good and evil, life and death, side by side, hand in hand, arm in arm, no one
    on canvas, on panel, on wood, on paper, on copper, on silk, on horseback, on fire
    at work, at rest, at play, at prayer, in profile, in prayer, in love, in flight, in bloom
    in the background, in the foreground, in the distance, on the left, on the right
""")
PREPOSITIONS = _any_of("""
    in front of, on top of, next to, close to, with, in, on, at, by, under, underneath, beneath
    below, above, over, upon, inside, outside, within, beside, near, behind, before, against
    among, amid, between, through, along, across, around, during
""")
# A preposition completes these, and belongs to the condition that they begin.
PARTICIPLES = _any_of("""
    covered, dressed, clad, surrounded, filled, laden, lit, illuminated, bathed, wrapped
    decorated, adorned, crowned, made, carved, drawn, painted, looking, gazing, staring, pointing
""")
SEPARATOR = re.compile(
    rf"""
    (?P<stop> [;\n()\[\]] | (?<!\d), | ,(?!\d) )
    | (?P<quoted> "[^"]*" | “[^”]*” )
    | (?<![\w'\u2019-]) (?:
        (?P<phrase> {SET_PHRASES} )
        | (?P<too> (?:but\s+)? not\s+(?:only|just|merely) | but\s+also )
        | (?P<negative> (?:(?:but|and|with)\s+)* (?:without|except|not|no(?!\.|\s*\d|\s+one\b)) )
        | (?P<participle> (?:\w+ly\s+)? (?:{PARTICIPLES}) \s+ (?:{PREPOSITIONS}) )
        | (?P<but> but )
        | (?P<and> and | as\s+well\s+as | & )
        | (?P<preposition> {PREPOSITIONS} )
    ) (?![\w'\u2019-])
    """,
    re.IGNORECASE | re.VERBOSE,
)
EDGES = re.compile(r"""^[\s.!?:"“”]+|[\s.!?:"“”]+$""")
# Nouns that take no article, and colours.
BARE = _any_of("""
    people, men, women, children, fruit, food, text, writing, music, water, snow, ice, rain, fog
    mist, smoke, fire, light, shadow, sunlight, moonlight, candlelight, sand, grass, wood
    furniture, clothing, blood, war, death, red, orange, yellow, green, blue, violet, purple, pink
    brown, black, white, grey, gray, gold, silver, color, colour
""")
# The end of what takes none: a plural, a form in -ing, or such a word.
WITHOUT_ARTICLE = re.compile(rf"(?:[^s]s|ing|\b(?:{BARE}))$", re.IGNORECASE)
FILLERS = {"a", "an", "the", "some", "any", "this", "that", "these", "those", "it", "its", "there"}


def conditions_of(query: str) -> list[Condition]:
    """Split a query into its conditions.

    Args:
        query: As `clean_text` returns it.

    Returns:
        In the order of the query, each once, the first 6 where there are more. The query itself
        where it cannot be split.
    """
    found: dict[tuple[str, bool], Condition] = {}
    for piece, negation in _pieces(query):
        text, is_negative = EDGES.sub("", piece), bool(negation)
        if not set(text.lower().split()) <= FILLERS:
            text = _with_article(text) if negation == "no" else text
            found.setdefault((text.lower(), is_negative), Condition(text, is_negative))
    conditions = list(found.values())
    if len(conditions) < 2 and not any(condition.is_negative for condition in conditions):
        return [Condition(query)]
    return conditions[:MAX_CONDITIONS]


def verdicts(conditions: Sequence[Condition], scores: Float32) -> list[tuple[Verdict, ...]]:
    """Tell what each work is to each condition.

    Args:
        conditions: One for each row.
        scores: float32 (conditions, works), the reranker's; NaN where it has not judged.

    Returns:
        For each work a verdict on each condition.
    """
    return [
        tuple(
            _verdict(condition, None if score != score else score)  # NaN is not itself
            for condition, score in zip(conditions, of_work, strict=True)
        )
        for of_work in scores.T.tolist()
    ]


def _verdict(condition: Condition, score: float | None) -> Verdict:
    return Verdict(
        condition=condition.text,
        negative=condition.is_negative,
        score=score,
        met=None if score is None else (score >= YES) != condition.is_negative,
    )


def _pieces(query: str) -> Iterator[tuple[str, str]]:
    """Yield what is between the separators, even if it is blank, and what negates it, if any."""
    start, negation = 0, ""
    for match in SEPARATOR.finditer(query):
        kind = match.lastgroup or ""
        if _joins(query, match, kind, is_negated=bool(negation)):
            continue
        yield query[start : match.start()], negation
        start = match.start() if kind == "participle" else match.end()
        if kind == "negative":
            negation = match[0].lower().split()[-1]
        elif not (kind == "and" and negation == "without"):  # "without people and cars"
            negation = ""
    yield query[start:], negation


def _with_article(text: str) -> str:
    """Return `text` with the article it has where no "no" is: rerankers know "a bottle" better."""
    first = text.split()[0].lower()
    if first in FILLERS or not text.isascii() or WITHOUT_ARTICLE.search(text):
        return text
    return f"an {text}" if first[0] in "aeiou" else f"a {text}"


def _joins(query: str, match: re.Match[str], kind: str, *, is_negated: bool) -> bool:
    """Tell whether what looks like a separator belongs to the condition around it."""
    if kind in ("quoted", "phrase"):
        return True
    if kind in ("preposition", "participle") and is_negated:
        return True  # "no man with a hat" asks for no hat
    return kind in ("and", "preposition") and _is_in_name(query, match)


def _is_in_name(query: str, match: re.Match[str]) -> bool:
    """Tell whether capitals are on both sides, as in "Adam and Eve" or "Rest on the Flight"."""
    before = query[: match.start()].split()
    after = [word for word in query[match.end() :].split()[:2] if word.lower() not in FILLERS]
    return bool(
        before
        and after
        and before[-1][0].isupper()
        and after[0][0].isupper()
        and not query.isupper()
    )
