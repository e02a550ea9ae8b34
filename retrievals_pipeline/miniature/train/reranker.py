"""Training of the miniature reranker: does this picture answer this query, yes or no?

It begins with the weights of the miniature embedder, as the published rerankers begin with those of
the family's base model, and keeps the tower. What a reranker does is learned part by part
(`comparing` says why): to say yes or no of a query and what a search finds for it, to read both as
they stand in a prompt, and to look at them there.

A "yes" or a "no" to seven conditions at once says too little of which one failed. So the model also
learns to tell, facet by facet, how much of what is asked is there. The layer that tells it is
thrown away.
"""

import copy
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from retrievals_pipeline.miniature.train import comparing
from retrievals_pipeline.miniature.train.checkpoint import WIDTH
from retrievals_pipeline.miniature.train.comparing import Reading
from retrievals_pipeline.miniature.train.descent import Descent
from retrievals_pipeline.miniature.train.embedder import shared, states_of
from retrievals_pipeline.miniature.train.paintings import Painting
from retrievals_pipeline.miniature.train.reading import Read, behind, chosen, read
from retrievals_pipeline.miniature.train.shortlists import Found, Shortlists
from retrievals_pipeline.miniature.train.targets import FACETS, Array
from retrievals_pipeline.progress import track
from retrievals_serving.models.qwen3_vl.body import Body
from retrievals_serving.models.qwen3_vl.network.language import LanguageModel
from retrievals_serving.models.qwen3_vl.pixels import Grid
from retrievals_serving.models.qwen3_vl.reranker import INSTRUCTION, Question, content_of

COMPARING_RATE, READING_RATE, LOOKING_RATE = 3e-3, 3e-3, 3e-2
# Of the losses.
COMPARING_WEIGHTS = {"answers": 2.0, "order": 1.0, "facets": 0.3}
READING_WEIGHTS = {"query": 1.0, "picture": 1.0}
LOOKING_WEIGHTS = {"looks": 1.0}
# Queries and pictures of a batch.
READ_AT_ONCE = (192, 64)
LOOKED_AT_ONCE = (32, 64)


class Reranker:
    """A reranker in training, and what it learns from.

    Args:
        body: With the weights of an embedder, and layers that add nothing yet behind its own.
        paintings: To learn from.
        features: What the tower makes of each, as `Body.features` gives it.
        lists: Of these paintings.
        seed: Of what is read behind what.
    """

    def __init__(
        self,
        body: Body,
        paintings: Sequence[Painting],
        features: Sequence[Tensor],
        lists: Shortlists,
        *,
        seed: int,
    ) -> None:
        self._body = body
        self._language = body.network.language_model
        self._paintings, self._features, self._lists = paintings, features, lists
        self._chance = torch.Generator().manual_seed(seed)
        self._yes, self._no = body.prompts.token_id("yes"), body.prompts.token_id("no")
        self._teller = nn.Linear(WIDTH, len(FACETS)).to(body.device)
        self._norm = copy.deepcopy(self._language.norm)
        comparing.prepare(self._language, self._answer.detach())

    @property
    def _answer(self) -> Tensor:
        """The output row of "yes" less that of "no", (width,)."""
        rows = self._language.embed_tokens.weight
        return rows[self._yes] - rows[self._no]

    def compare(self, steps: int) -> dict[str, float]:
        """Teach it to compare queries with pictures, by the embedder's vectors of both.

        Returns:
            The last losses.
        """
        comparer = comparing.comparer(self._language).requires_grad_(True)
        descent = Descent(
            comparer, self._teller, steps=steps, rate=COMPARING_RATE, weights=COMPARING_WEIGHTS
        )
        with track("comparing", steps) as advance:
            for _ in range(steps):
                descent.step(self._compared(self._lists.found()))
                advance(1)
        comparer.requires_grad_(False)
        comparing.outweigh(self._language)
        return descent.losses

    def _compared(self, batch: Found) -> dict[str, Tensor]:
        queries, pictures = (self._states(each) for each in (batch.queries, batch.pictures))
        states = comparing.compared(self._language, queries, pictures)
        return losses(batch, states @ self._answer, self._teller(states))

    def _states(self, vectors: Array) -> Tensor:
        """Return the states that the embedder makes these vectors of."""
        return comparing.states_of_vectors(self._norm.weight, torch.from_numpy(vectors))

    def read(self, steps: int) -> dict[str, float]:
        """Teach it to read as the embedder does what stands in its own prompts.

        Returns:
            The last losses.
        """
        beginning = comparing.Beginning(self._language, self._norm).requires_grad_(True)
        self._norm.requires_grad_(False)
        descent = Descent(
            beginning, nn.Module(), steps=steps, rate=READING_RATE, weights=READING_WEIGHTS
        )
        with track("reading", steps) as advance:
            for _ in range(steps):
                descent.step(self._misread(beginning, *self._lists.said(*READ_AT_ONCE)))
                advance(1)
        beginning.requires_grad_(False)
        return descent.losses

    def _misread(
        self, beginning: LanguageModel, texts: Sequence[str], places: Sequence[int]
    ) -> dict[str, Tensor]:
        """Return how far what is read lies from the embedder's vectors: 1 less the cosine."""
        asked = questions(self._body, texts)
        prompts = [each.prompt(Grid(1, 1))[: each.before] for each in asked]
        grids, features = self._shown(places)
        behind = [
            each.prompt(grid)[: each.before + grid.tokens + 1]
            for each, grid in zip(asked, grids, strict=False)
        ]
        queries = states_of(self._body, beginning, prompts, [])
        pictures = states_of(self._body, beginning, behind, features)
        embedded = self._lists.embedded
        return {
            name: (1 - functional.cosine_similarity(states, vectors.to(states.device))).mean()
            for name, states, vectors in (
                ("query", queries, torch.from_numpy(embedded.queries(texts))),
                ("picture", pictures, torch.from_numpy(embedded.pictures[places])),
            )
        }

    def look(self, steps: int) -> dict[str, float]:
        """Teach the heads that lay a query beside a picture where to look.

        Returns:
            The last losses.
        """
        looker = comparing.looker(self._language).requires_grad_(True)
        descent = Descent(
            looker, nn.Module(), steps=steps, rate=LOOKING_RATE, weights=LOOKING_WEIGHTS
        )
        with track("looking", steps) as advance:
            for _ in range(steps):
                texts, places = self._lists.said(*LOOKED_AT_ONCE)
                rows = torch.randint(len(texts), (len(places),), generator=self._chance)
                reading = self._reading(texts, places, rows)
                descent.step({"looks": comparing.looks(self._language, reading)})
                advance(1)
        looker.requires_grad_(False)
        return descent.losses

    def _reading(self, texts: Sequence[str], places: Sequence[int], rows: Tensor) -> Reading:
        """Read each picture to the end of its prompt, behind the query that its row names."""
        asked = questions(self._body, texts)
        queries = chosen(read_queries(self._body, asked), rows.to(self._body.device))
        grids, features = self._shown(places)
        endings = [asked[row].ending(grid) for row, grid in zip(rows.tolist(), grids, strict=True)]
        pictures = read(self._language, self._body.tokens(endings, features), queries)
        last = torch.tensor([grid.tokens for grid in grids], device=self._body.device)
        return Reading(queries, pictures, last)

    def _shown(self, places: Sequence[int]) -> tuple[list[Grid], list[Tensor]]:
        grids = [self._paintings[place].grid for place in places]
        return grids, [self._features[place].float() for place in places]


def losses(batch: Found, answers: Tensor, facets: Tensor) -> dict[str, Tensor]:
    """Return how wrong answers are, in themselves and in the order that they lead to, and facets.

    Args:
        batch: The truth.
        answers: Logits of "yes", (queries, pictures).
        facets: Logits, (queries, pictures, facets).
    """
    worths, degrees, has_facet = (
        torch.from_numpy(each).to(answers.device)
        for each in (batch.worths, batch.facets, batch.has_facet)
    )
    bce = functional.binary_cross_entropy_with_logits
    belongs = worths / worths.sum(1, keepdim=True)
    of_facets = bce(facets, degrees, reduction="none").mean(1)
    return {
        "answers": bce(answers, worths),
        "order": functional.kl_div(answers.log_softmax(1), belongs, reduction="batchmean"),
        "facets": (of_facets * has_facet).sum() / has_facet.sum(),
    }


def questions(body: Body, texts: Sequence[str]) -> list[Question]:
    """Return the queries as serving asks them."""
    return [Question(body, content_of(INSTRUCTION, [body.prompts.clean(each)])) for each in texts]


def read_queries(body: Body, asked: Sequence[Question]) -> Read:
    """Read all that stands before a picture; what all prompts begin with is read once."""
    language = body.network.language_model
    prompts = [question.prompt(Grid(1, 1))[: question.before] for question in asked]
    alike = shared(prompts)
    system = read(language, body.tokens([prompts[0][:alike]], []))
    rest = body.tokens([prompt[alike:] for prompt in prompts], [])
    return behind(system, read(language, rest, system))
