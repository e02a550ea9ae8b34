"""Training of the miniature reranker: does this picture answer this query, yes or no?

It begins with the weights of the miniature embedder, as the published rerankers begin with those of
the family's base model, and keeps the tower. Each batch has some queries, each with a hard list:
pictures that answer it, pictures that nearly do, pictures that have what it rules out, and others.

The answer is to be right in itself, and higher for the better of a list. Beside it the model learns
to tell facet by facet - things, counts, colours, moods - how much of what is asked is there: a
"yes" to seven conditions at once says too little of which one failed. That layer is thrown away.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from retrievals_pipeline.miniature.train.checkpoint import WIDTH
from retrievals_pipeline.miniature.train.descent import Descent
from retrievals_pipeline.miniature.train.paintings import Painting
from retrievals_pipeline.miniature.train.sentences import sentence
from retrievals_pipeline.miniature.train.targets import FACETS, Array, FactTable, satisfactions
from retrievals_pipeline.miniature.truth.relevance import PARTLY, Query
from retrievals_pipeline.progress import track
from retrievals_serving.models.qwen3_vl.body import Body
from retrievals_serving.models.qwen3_vl.reranker import INSTRUCTION, Question

QUERIES, CANDIDATES = 8, 10  # of a batch
ANSWERS = 3  # of the candidates, at most
KINDS = {"description": 4, "attributes": 6, "attribute": 3, "count": 4, "negation": 7, "mood": 3}
OTHERS = 64  # works that decide what is worth ruling out
RATE = 5e-3
WEIGHTS = {"answers": 1.0, "order": 0.5, "facets": 2.0}  # of the losses

Places = npt.NDArray[np.intp]


@dataclass(frozen=True)
class HardList:
    """A query in words, the places of its candidates, and what is to be said of each, 0 to 1."""

    text: str
    places: list[int]
    answers: Array  # (candidates,)
    facets: Array  # (candidates, facets)
    asked: Array  # (facets,): 1 where the query asks for any


class HardLists:
    """Queries, each with the pictures that it is hard to judge for."""

    def __init__(self, paintings: Sequence[Painting], seed: int) -> None:
        self._paintings = paintings
        self._degrees = [each.degrees for each in paintings]
        self._table = FactTable(self._degrees)
        self._facts = self._table.of_pictures(self._degrees)
        self._chance = random.Random(seed)  # noqa: S311 - which queries, not a secret

    def draw(self) -> HardList:
        """Draw a query with its candidates."""
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
        facets, asked = self._table.of_facets(query, self._facts[places])
        (answers,) = self._table.worths([query], self._facts[places])
        return HardList(text, places, answers, facets, asked)

    def _fits(self, query: Query) -> Array:
        return satisfactions(*self._table.of_queries([query]), self._facts)[0]

    def _some(self, places: Places, most: int) -> list[int]:
        return self._chance.sample(places.tolist(), min(most, len(places)))


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
    heads = nn.Linear(WIDTH, len(FACETS)).to(body.device)
    descent = Descent(language, heads, steps=steps, rate=RATE, weights=WEIGHTS)
    yes, no = body.prompts.token_id("yes"), body.prompts.token_id("no")
    with track("reranker", steps) as advance:
        for _ in range(steps):
            drawn = [lists.draw() for _ in range(QUERIES)]
            states = torch.stack([_states(body, each, paintings, features) for each in drawn])
            answers = states @ (
                language.embed_tokens.weight[yes] - language.embed_tokens.weight[no]
            )
            descent.step(_losses(drawn, answers, heads(states)))
            advance(1)
    language.requires_grad_(False)
    return descent.losses


def _states(
    body: Body, asked: HardList, paintings: Sequence[Painting], features: Sequence[Tensor]
) -> Tensor:
    """Return the states that the answers are read from, (candidates, width), as serving does."""
    text = body.prompts.clean(asked.text)
    content = [f"<Instruct>: {INSTRUCTION}", "<Query>:", text, "\n<Document>:"]
    question = Question(body, content)
    endings = [question.ending(paintings[place].grid) for place in asked.places]
    seen = [features[place].float() for place in asked.places]
    return body.last_states(endings, seen, question.prefix())


def _losses(drawn: Sequence[HardList], answers: Tensor, facets: Tensor) -> dict[str, Tensor]:
    """Return the losses of logits (queries, candidates) and (queries, candidates, facets)."""
    wanted, degrees, asked = (
        torch.from_numpy(np.stack([getattr(each, name) for each in drawn])).to(answers.device)
        for name in ("answers", "facets", "asked")
    )
    bce = functional.binary_cross_entropy_with_logits
    of_facets = bce(facets, degrees, reduction="none").mean(1)
    belongs = wanted / wanted.sum(1, keepdim=True)
    return {
        "answers": bce(answers, wanted),
        "order": -(belongs * answers.log_softmax(1)).sum(1).mean(),
        "facets": (of_facets * asked).sum() / asked.sum(),
    }
