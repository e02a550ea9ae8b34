"""What the reranker learns from: queries, and the pictures that the embedder finds for them.

A reranker is handed the first works that a vector search finds, so it learns to compare on such.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from retrievals_pipeline.miniature.train.embedder import states_of
from retrievals_pipeline.miniature.train.paintings import Painting
from retrievals_pipeline.miniature.train.sentences import sentence
from retrievals_pipeline.miniature.train.targets import Array, FactTable
from retrievals_pipeline.miniature.truth.facts import Degrees
from retrievals_pipeline.miniature.truth.relevance import Query
from retrievals_serving.models.qwen3_vl.body import Body
from retrievals_serving.models.qwen3_vl.embedder import DOCUMENT_INSTRUCTION, QUERY_INSTRUCTION

QUERIES = 32  # of a batch
SEARCHED = 1200  # works that a list is found in, as in the museum
# Up to which rank pictures are drawn, and how many: most from where the order is decided.
RANKS = ((12, 11), (36, 18), (80, 18))
KINDS = {"description": 5, "attributes": 6, "attribute": 3, "count": 5, "negation": 6, "mood": 4}
OTHERS = 64  # works that decide what is worth ruling out
AT_ONCE = 64  # pictures that are embedded together


@dataclass(frozen=True)
class Found:
    """Queries, each with pictures of its own: some of the first that the embedder finds for it.

    Attributes:
        queries: (queries, width): the embedder's vectors.
        pictures: (queries, pictures, width): the embedder's vectors.
        worths: (queries, pictures), 0 to 1.
        facets: (queries, pictures, facets): to what degree what is asked of a facet is there.
        has_facet: (queries, facets): 1 where the query asks for any.
    """

    queries: Array
    pictures: Array
    worths: Array
    facets: Array
    has_facet: Array


class Embedded:
    """Paintings with their vectors: the vector search that a reranker comes after.

    `pictures` are the vectors, float32 (paintings, width), of length 1.
    """

    def __init__(
        self, body: Body, paintings: Sequence[Painting], features: Sequence[Tensor]
    ) -> None:
        self._body = body
        self.pictures: Array = np.concatenate(
            [
                self._embed(paintings[start : start + AT_ONCE], features[start : start + AT_ONCE])
                for start in range(0, len(paintings), AT_ONCE)
            ]
        )

    def queries(self, texts: Sequence[str]) -> Array:
        """Return the vectors of queries: float32 (texts, width), of length 1."""
        prompts = self._body.prompts
        said = [prompts.encode(QUERY_INSTRUCTION, prompts.clean(text)) for text in texts]
        with torch.no_grad():
            states = states_of(self._body, self._body.network.language_model, said, [])
        return np.asarray(functional.normalize(states).cpu().numpy())

    @torch.no_grad()
    def _embed(self, paintings: Sequence[Painting], features: Sequence[Tensor]) -> Array:
        shown = [self._body.prompts.encode(DOCUMENT_INSTRUCTION, each.grid) for each in paintings]
        states = self._body.last_states(shown, [each.float() for each in features])
        return np.asarray(functional.normalize(states).cpu().numpy())


class Shortlists:
    """Draws batches of queries that some of the paintings answer.

    `embedded` are the paintings with their vectors.
    """

    def __init__(self, paintings: Sequence[Painting], embedded: Embedded, seed: int) -> None:
        self._paintings = paintings
        self.embedded = embedded
        self._degrees = [each.degrees for each in paintings]
        self._table = FactTable(self._degrees)
        self._facts = self._table.of_pictures(self._degrees)
        self._chance = random.Random(seed)  # noqa: S311 - which queries, not a secret

    def found(self) -> Found:
        """Draw queries about neighbours, and for each of them a shortlist."""
        searched, others = self._stretch(), self._others()
        about = [self._chance.choice(searched) for _ in range(QUERIES)]
        asked = [self._ask(place, others) for place in about]
        queries = self.embedded.queries([text for _, text in asked])
        lists = self._shortlists(about, queries, searched)
        judged = [
            self._judged(query, those) for (query, _), those in zip(asked, lists, strict=True)
        ]
        worths, facets, has_facet = (np.stack(each) for each in zip(*judged, strict=True))
        return Found(queries, self.embedded.pictures[lists], worths, facets, has_facet)

    def said(self, queries: int, pictures: int) -> tuple[list[str], list[int]]:
        """Draw queries about any paintings, in words, and the places of other paintings."""
        others, places = self._others(), range(len(self._paintings))
        texts = [self._ask(self._chance.choice(places), others)[1] for _ in range(queries)]
        return texts, [self._chance.choice(places) for _ in range(pictures)]

    def _stretch(self) -> range:
        """Draw a run of paintings to search. Neighbours have nothing in common: it is a sample."""
        start = self._chance.randrange(max(1, len(self._paintings) - SEARCHED + 1))
        return range(start, min(start + SEARCHED, len(self._paintings)))

    def _others(self) -> list[Degrees]:
        """Draw works that decide what is worth ruling out."""
        return self._chance.sample(self._degrees, min(OTHERS, len(self._degrees)))

    def _judged(self, query: Query, places: Sequence[int]) -> tuple[Array, Array, Array]:
        """Return what these pictures are worth to a query, their facets, and which it asks for."""
        facts = self._facts[places]
        (worths,) = self._table.worths([query], facts)
        return worths, *self._table.of_facets(query, facts)

    def _shortlists(self, about: Sequence[int], queries: Array, searched: range) -> list[list[int]]:
        """Choose among what is found for each query; the picture that it is about comes first."""
        pictures = self.embedded.pictures[searched.start : searched.stop]
        cosines = queries @ pictures.T
        lists = []
        for place, order in zip(about, np.argsort(-cosines, axis=1, kind="stable"), strict=True):
            chosen, begin = [place], 0
            for end, count in RANKS:
                among = [searched[n] for n in order[begin:end] if searched[n] != place]
                chosen += self._chance.sample(among, min(count, len(among)))
                begin = end
            lists.append(chosen)
        return lists

    def _ask(self, place: int, others: Sequence[Degrees]) -> tuple[Query, str]:
        """Ask something that a painting answers, and put it in words."""
        painting = self._paintings[place]
        return sentence(self._chance, painting.scene, painting.degrees, others, KINDS)
