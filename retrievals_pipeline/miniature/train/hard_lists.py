"""What the reranker learns from: queries, each with the pictures that are hard to judge for it."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from retrievals_pipeline.miniature.train.paintings import Painting
from retrievals_pipeline.miniature.train.sentences import sentence
from retrievals_pipeline.miniature.train.targets import Array, FactTable, satisfactions
from retrievals_pipeline.miniature.truth.relevance import PARTLY, Query

CANDIDATES = 10  # of a query
ANSWERS = 3  # of the candidates, at most
KINDS = {"description": 4, "attributes": 6, "attribute": 3, "count": 4, "negation": 7, "mood": 3}
OTHERS = 64  # works that decide what is worth ruling out
POOL = 1500  # works that candidates are chosen from


@dataclass(frozen=True)
class HardList:
    """A query in words, the places of its candidates, and what is to be said of each, 0 to 1."""

    text: str
    places: list[int]
    answers: Array  # (candidates,)
    facets: Array  # (candidates, facets)
    asked: Array  # (facets,): 1 where the query asks for any


class HardLists:
    """Draws queries that some of the paintings answer, with candidates."""

    def __init__(self, paintings: Sequence[Painting], seed: int) -> None:
        self._paintings = paintings
        self._degrees = [each.degrees for each in paintings]
        self._table = FactTable(self._degrees)
        self._facts = self._table.of_pictures(self._degrees)
        self._chance = random.Random(seed)  # noqa: S311 - which queries, not a secret

    def draw(self) -> HardList:
        """Draw a query with what answers it, nearly does, has what it rules out, and others."""
        about = self._chance.randrange(len(self._paintings))
        others = self._chance.sample(self._degrees, min(OTHERS, len(self._degrees)))
        painting = self._paintings[about]
        query, text = sentence(self._chance, painting.scene, painting.degrees, others, KINDS)
        places = self._candidates(about, query)
        facts = self._facts[places]
        facets, asked = self._table.of_facets(query, facts)
        return HardList(
            text=text,
            places=places,
            answers=self._table.worths([query], facts)[0],
            facets=facets,
            asked=asked,
        )

    def _candidates(self, about: int, query: Query) -> list[int]:
        # Neighbours have nothing in common, so that a run of them is as good as a sample.
        start = self._chance.randrange(max(1, len(self._paintings) - POOL))
        end = min(start + POOL, len(self._paintings))
        asked = self._table.of_queries([query, Query(query.wanted)])
        fits, met = satisfactions(*asked, self._facts[start:end])
        among = (  # as `met` leaves aside what is ruled out
            (fits >= 1, ANSWERS),
            ((met >= 1) & (fits < PARTLY), ANSWERS),
            ((fits >= PARTLY) & (fits < 1), CANDIDATES // 2),
        )
        chosen = [about]
        for is_such, most in among:
            such = (start + np.flatnonzero(is_such)).tolist()
            chosen += self._chance.sample(such, min(most, len(such)))
        rest = self._chance.sample(range(start, end), min(2 * CANDIDATES, end - start))
        # Each of them once, and two at least that are there by chance.
        return list(dict.fromkeys([*dict.fromkeys(chosen[: CANDIDATES - 2]), *rest]))[:CANDIDATES]
