"""Queries with a known answer: drawn from works by kind, or written by hand.

Their sentences have the grammar of training's in frames that training does not use, and they come
from seeds of their own. A kind of its own is asked in words that training does not use either.
"""

import dataclasses
import random
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from benchmarks.collection import Piece
from retrievals_pipeline.miniature.truth.asking import QUERY_KINDS, ask, description_of
from retrievals_pipeline.miniature.truth.facts import Fact
from retrievals_pipeline.miniature.truth.phrasing import Forms, phrase_query
from retrievals_pipeline.miniature.truth.relevance import Query
from retrievals_pipeline.miniature.truth.words import held_out

FORMS = Forms(
    frames=("do you have {}?", "can you find me {}?", "I would love to see {}", "is there {} here?",
            "which works show {}?", "something with {}", "we would like to look at {}",
            "where can I see {}?", "anything that shows {}", "I remember {}", "{}, please",
            "have you got {} in the museum?"),
    separators=(),
    without=("that has no {}", "but please no {}", "in which there is no {}", "and certainly no {}",
             "without showing any {}", "that does not have any {}"),
    not_so=("but nothing {}", "as long as it is not {}", "provided it is not {}", "and nothing {}"),
    worn=("with {} on", "clothed in {}", "that wears {}", "in {}"),
    beside=("along with {}", "accompanied by {}", "and also {}", "with {} close by"),
    tones=("with much {} in it", "in which {} dominates", "that is mainly {}", "in shades of {}"),
    heads=("work", "composition", "artwork", "motif"),
    keywords=0.0,
)  # fmt: skip
UNSEEN_FORMS = dataclasses.replace(FORMS, held_out=1.0)
COMPOSED, OWN = "description, composed", "description, the museum's"
UNSEEN, VISITORS = "held-out words", "visitors"
COMMON = (*QUERY_KINDS[:-1], COMPOSED)
DRAWN = (*COMMON, UNSEEN, OWN)
VISITORS_FILE = Path(__file__).with_name("visitors.toml")
ELSEWHERE_FILE = Path(__file__).with_name("elsewhere.toml")
OTHERS = 64  # works among which something to rule out is looked for
ATTEMPTS = 200  # draws for each query that is wanted, before there are no more


@dataclass(frozen=True)
class Asked:
    """A query in words and as facts; of a description, the rows of the works that it describes."""

    kind: str
    text: str
    query: Query
    known: tuple[int, ...] = ()


def draw(kind: str, pieces: Sequence[Piece], count: int) -> list[Asked]:
    """Draw queries of a kind of `DRAWN`, no two of them the same; fewer where there are no more."""
    chance = random.Random(f"quality bench/{kind}")
    drawn: dict[Query, Asked] = {}
    for _ in range(ATTEMPTS * count):
        if len(drawn) == count:
            break
        asked = _draw(chance, kind, pieces)
        if asked is not None:
            drawn.setdefault(asked.query, asked)
    return list(drawn.values())


def _draw(chance: random.Random, kind: str, pieces: Sequence[Piece]) -> Asked | None:
    row = chance.randrange(len(pieces))
    piece = pieces[row]
    if kind == OWN:
        subjects, rest = description_of(piece.scene, piece.degrees)
        same = [n for n, each in enumerate(pieces) if each.description == piece.description]
        query = Query((*subjects, *rest))
        return Asked(kind, piece.description, query, tuple(same)) if piece.description else None
    others = [each.degrees for each in chance.sample(pieces, min(OTHERS, len(pieces)))]
    is_description = kind == COMPOSED
    name = {COMPOSED: "description", UNSEEN: "attributes"}.get(kind, kind)
    found = ask(chance, name, piece.scene, piece.degrees, others)
    if found is None:
        return None
    text = phrase_query(found, chance, UNSEEN_FORMS if kind == UNSEEN else FORMS)
    if kind == UNSEEN and not unseen_words().search(text):
        return None
    text = text[0].upper() + text[1:] if chance.random() < 0.5 else text
    return Asked(kind, text, found, (row,) if is_description else ())


@cache
def unseen_words() -> re.Pattern[str]:
    """Return what finds the words that training does not use."""
    words = sorted({re.escape(word) for word, _ in held_out().strings()})
    return re.compile(rf"\b({'|'.join(words)})\b", re.IGNORECASE)


def elsewhere() -> list[str]:
    """Return texts about what no museum shows."""
    texts: list[str] = tomllib.loads(ELSEWHERE_FILE.read_text(encoding="utf-8"))["texts"]
    return texts


def visitors() -> list[Asked]:
    """Return the queries that were written by hand."""
    tables = tomllib.loads(VISITORS_FILE.read_text(encoding="utf-8"))["queries"]
    return [
        Asked(VISITORS, each["text"], Query(_facts(each["wanted"]), _facts(each.get("unwanted"))))
        for each in tables
    ]


def _facts(names: list[str] | None) -> tuple[Fact, ...]:
    return tuple(Fact(*name.split("/")) for name in names or ())
