"""Training of the miniature reranker: does this picture answer this query, yes or no?

It begins with the weights of the miniature embedder, as the published rerankers begin with those of
the family's base model, and keeps the tower. Each batch is one query with a hard list: pictures
that answer it, pictures that nearly do, pictures that have what it rules out, and others.
"""

import random
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from retrievals_pipeline.miniature.train.descent import Descent
from retrievals_pipeline.miniature.train.paintings import Painting
from retrievals_pipeline.miniature.train.sentences import sentence
from retrievals_pipeline.miniature.train.targets import Array, FactTable, satisfactions
from retrievals_pipeline.miniature.truth.relevance import PARTLY, Query
from retrievals_pipeline.progress import track
from retrievals_serving.models.qwen3_vl.body import Body
from retrievals_serving.models.qwen3_vl.reranker import INSTRUCTION, Question

QUERIES, CANDIDATES = 4, 16  # of a batch
ANSWERS = 5  # of the candidates, at most
KINDS = {"description": 4, "attributes": 6, "attribute": 3, "count": 4, "negation": 7, "mood": 3}
OTHERS = 64  # works that decide what is worth ruling out
RATE = 1e-3
WEIGHTS = {"answers": 1.0}  # of the losses

Places = npt.NDArray[np.intp]


class HardLists:
    """Queries, each with the pictures that it is hard to judge for."""

    def __init__(self, paintings: Sequence[Painting], seed: int) -> None:
        self._paintings = paintings
        self._degrees = [each.degrees for each in paintings]
        self._table = FactTable(self._degrees)
        self._facts = self._table.of_pictures(self._degrees)
        self._chance = random.Random(seed)  # noqa: S311 - which queries, not a secret

    def draw(self) -> tuple[str, list[int], Array]:
        """Return a query's text, candidates by their places, and what to say of each, 0 to 1."""
        about = self._chance.randrange(len(self._paintings))
        others = self._chance.sample(self._degrees, min(OTHERS, len(self._degrees)))
        painting = self._paintings[about]
        query, text = sentence(self._chance, painting.scene, painting.degrees, others, KINDS)
        fits = self._fits(query)
        met = self._fits(Query(query.wanted))  # what is ruled out left aside
        answers = self._some(np.flatnonzero(fits >= 1), ANSWERS)
        ruled_out = self._some(np.flatnonzero((met >= 1) & (fits < PARTLY)), ANSWERS)
        nearly = self._some(np.flatnonzero((fits >= PARTLY) & (fits < 1)), CANDIDATES // 2)
        chosen = dict.fromkeys([about, *answers, *ruled_out, *nearly])  # each of them once
        places = list(chosen)[: CANDIDATES - 2]
        rest = np.setdiff1d(np.arange(len(fits)), places)
        places += self._some(rest, CANDIDATES - len(places))
        return text, places, answer(fits[places])

    def _fits(self, query: Query) -> Array:
        return satisfactions(*self._table.of_queries([query]), self._facts)[0]

    def _some(self, places: Places, most: int) -> list[int]:
        return self._chance.sample(places.tolist(), min(most, len(places)))


def answer(fits: Array) -> Array:
    """Return how sure a "yes" is to be: 1 for all that was asked, 0.06 for half of it."""
    return np.asarray(fits**4, np.float32)


def train_reranker(
    body: Body, paintings: Sequence[Painting], features: Sequence[Tensor], *, steps: int, seed: int
) -> dict[str, float]:
    """Train the language model of `body` as a reranker; return the last loss.

    Args:
        body: With the weights of an embedder and a reranker's tokenizer.
        paintings: To learn from.
        features: What the tower makes of each, as `Body.features` gives it.
        steps: How many batches.
        seed: Of the batches.
    """
    lists = HardLists(paintings, seed)
    language = body.network.language_model.requires_grad_(True)
    descent = Descent(language.parameters(), steps=steps, rate=RATE, weights=WEIGHTS)
    yes, no = body.prompts.token_id("yes"), body.prompts.token_id("no")
    with track("reranker", steps) as advance:
        for _ in range(steps):
            losses = []
            for _ in range(QUERIES):
                text, places, answers = lists.draw()
                content = [
                    f"<Instruct>: {INSTRUCTION}",
                    "<Query>:",
                    body.prompts.clean(text),
                    "\n<Document>:",
                ]
                question = Question(body, content)
                endings = [question.ending(paintings[place].grid) for place in places]
                seen = [features[place].float() for place in places]
                states = body.last_states(endings, seen, question.prefix())
                head = language.embed_tokens.weight[yes] - language.embed_tokens.weight[no]
                losses.append(
                    functional.binary_cross_entropy_with_logits(
                        states @ head, torch.from_numpy(answers).to(body.device)
                    )
                )
            descent.step({"answers": torch.stack(losses).mean()})
            advance(1)
    language.requires_grad_(False)
    return descent.losses
