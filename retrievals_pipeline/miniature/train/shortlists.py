"""What the reranker learns from: queries, and the pictures that the embedder finds for them.

A reranker is handed the first works that a vector search finds, so it learns on such: each batch
has a few shortlists, of which each belongs to a query. The other queries are about pictures of the
shortlists too, and every query is judged against every picture.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from retrievals_pipeline.miniature.train.embedder import sentence_states
from retrievals_pipeline.miniature.train.paintings import Painting
from retrievals_pipeline.miniature.train.sentences import sentence
from retrievals_pipeline.miniature.train.targets import Array, FactTable
from retrievals_pipeline.miniature.truth.facts import Degrees
from retrievals_pipeline.miniature.truth.relevance import Query
from retrievals_serving.models.qwen3_vl.body import Body
from retrievals_serving.models.qwen3_vl.embedder import DOCUMENT_INSTRUCTION, QUERY_INSTRUCTION

LISTS = 4  # of a batch
PICTURES = 16  # of a list
QUERIES = 8  # about the pictures of a list
SEARCHED = 1200  # works that a list is found in, as in the museum
# Up to which rank pictures are drawn, and how many: most from where the order is decided.
RANKS = ((12, 6), (36, 5), (80, 4))
KINDS = {"description": 5, "attributes": 6, "attribute": 3, "count": 5, "negation": 6, "mood": 4}
OTHERS = 64  # works that decide what is worth ruling out
AT_ONCE = 64  # pictures that are embedded together


@dataclass(frozen=True)
class Batch:
    """Queries and pictures, and what each picture is worth to each query.

    Attributes:
        texts: The queries in words.
        places: The pictures, by their places among the paintings.
        worths: (queries, pictures), 0 to 1.
        facets: (queries, pictures, facets): to what degree what is asked of a facet is there.
        has_facet: (queries, facets): 1 where the query asks for any.
        cosines: (queries, pictures), by the embedder.
        queries: (queries, width): the embedder's vectors.
        pictures: (pictures, width): the embedder's vectors.
    """

    texts: list[str]
    places: list[int]
    worths: Array
    facets: Array
    has_facet: Array
    cosines: Array
    queries: Array
    pictures: Array


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
            states = sentence_states(self._body, said)
        return np.asarray(functional.normalize(states).cpu().numpy())

    @torch.no_grad()
    def _embed(self, paintings: Sequence[Painting], features: Sequence[Tensor]) -> Array:
        shown = [self._body.prompts.encode(DOCUMENT_INSTRUCTION, each.grid) for each in paintings]
        states = self._body.last_states(shown, [each.float() for each in features])
        return np.asarray(functional.normalize(states).cpu().numpy())


class Shortlists:
    """Draws batches of queries that some of the paintings answer."""

    def __init__(self, paintings: Sequence[Painting], embedded: Embedded, seed: int) -> None:
        self._paintings = paintings
        self._embedded = embedded
        self._degrees = [each.degrees for each in paintings]
        self._table = FactTable(self._degrees)
        self._facts = self._table.of_pictures(self._degrees)
        self._chance = random.Random(seed)  # noqa: S311 - which queries, not a secret

    def batch(self) -> Batch:
        """Draw a batch."""
        asked: list[tuple[Query, str]] = []
        places: list[int] = []
        for _ in range(LISTS):
            query, shortlist = self._shortlist()
            others = [self._degrees[place] for place in shortlist]
            about = self._chance.sample(shortlist, min(QUERIES - 1, len(shortlist)))
            asked += [query, *(self._ask(place, others) for place in about)]
            places += shortlist
        queries = [query for query, _ in asked]
        texts = [text for _, text in asked]
        facts = self._facts[places]
        asking, shown = self._embedded.queries(texts), self._embedded.pictures[places]
        judged = [self._table.of_facets(each, facts) for each in queries]
        return Batch(
            texts=texts,
            places=places,
            worths=self._table.worths(queries, facts),
            facets=np.stack([degrees for degrees, _ in judged]),
            has_facet=np.stack([has for _, has in judged]),
            cosines=asking @ shown.T,
            queries=asking,
            pictures=shown,
        )

    def _shortlist(self) -> tuple[tuple[Query, str], list[int]]:
        """Draw a query, and choose among what is found for it; a picture that answers it is there.

        Neighbours have nothing in common, so that a run of them is as good as a sample.
        """
        start = self._chance.randrange(max(1, len(self._paintings) - SEARCHED + 1))
        searched = range(start, min(start + SEARCHED, len(self._paintings)))
        about = self._chance.choice(searched)
        others = self._chance.sample(self._degrees, min(OTHERS, len(self._degrees)))
        asked = self._ask(about, others)
        (vector,) = self._embedded.queries([asked[1]])
        cosines = self._embedded.pictures[searched.start : searched.stop] @ vector
        found = [searched[place] for place in np.argsort(-cosines, kind="stable")]
        chosen, begin = [about], 0
        for end, count in RANKS:
            among = [place for place in found[begin:end] if place != about]
            chosen += self._chance.sample(among, min(count, len(among)))
            begin = end
        return asked, chosen

    def _ask(self, place: int, others: Sequence[Degrees]) -> tuple[Query, str]:
        """Ask something that a painting answers, and put it in words."""
        painting = self._paintings[place]
        return sentence(self._chance, painting.scene, painting.degrees, others, KINDS)
