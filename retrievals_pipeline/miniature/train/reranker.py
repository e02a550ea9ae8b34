"""Training of the miniature reranker: does this picture answer this query, yes or no?

It begins with the weights of the miniature embedder, as the published rerankers begin with those of
the family's base model, and keeps the tower. Each batch has some queries, each with a hard list of
candidates; the answer is to be right in itself, and higher for the better of a list.

A "yes" or a "no" to seven conditions at once says too little of which one failed. So the model also
learns to tell how much of what is asked is there, facet by facet: things, counts, colours, moods.
The layer that tells it is thrown away.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from retrievals_pipeline.miniature.train.checkpoint import WIDTH
from retrievals_pipeline.miniature.train.descent import Descent
from retrievals_pipeline.miniature.train.embedder import shared
from retrievals_pipeline.miniature.train.hard_lists import HardList, HardLists
from retrievals_pipeline.miniature.train.paintings import Painting
from retrievals_pipeline.miniature.train.targets import FACETS
from retrievals_pipeline.progress import track
from retrievals_serving.models.qwen3_vl.body import Body
from retrievals_serving.models.qwen3_vl.prompts import Prompt
from retrievals_serving.models.qwen3_vl.reranker import INSTRUCTION, Question, content_of

QUERIES = 8  # of a batch
RATE = 5e-3
WEIGHTS = {"answers": 1.0, "order": 0.5, "facets": 2.0}  # of the losses


def train_reranker(
    body: Body, paintings: Sequence[Painting], features: Sequence[Tensor], *, steps: int, seed: int
) -> dict[str, float]:
    """Train the language model of `body` as a reranker; return the last losses.

    Args:
        body: With the weights of an embedder and a reranker's tokenizer.
        paintings: To learn from.
        features: What the tower makes of each, as `Body.features` gives it.
        steps: How many batches.
        seed: Of the batches.
    """
    lists = HardLists(paintings, seed)
    language = body.network.language_model.requires_grad_(True)
    teller = nn.Linear(WIDTH, len(FACETS)).to(body.device)
    descent = Descent(language, teller, steps=steps, rate=RATE, weights=WEIGHTS)
    yes, no = body.prompts.token_id("yes"), body.prompts.token_id("no")
    with track("reranker", steps) as advance:
        for _ in range(steps):
            batch = [lists.draw() for _ in range(QUERIES)]
            states = _states(body, batch, paintings, features)
            rows = language.embed_tokens.weight
            descent.step(losses(batch, states @ (rows[yes] - rows[no]), teller(states)))
            advance(1)
    language.requires_grad_(False)
    return descent.losses


def losses(batch: Sequence[HardList], answers: Tensor, facets: Tensor) -> dict[str, Tensor]:
    """Return how wrong answers are, in themselves and in the order of each list, and facets.

    Args:
        batch: The truth.
        answers: Logits of "yes", (queries, candidates).
        facets: Logits, (queries, candidates, facets).
    """
    wanted, degrees, asked = (
        torch.from_numpy(np.stack([getattr(each, name) for each in batch])).to(answers.device)
        for name in ("answers", "facets", "asked")
    )
    bce = functional.binary_cross_entropy_with_logits
    belongs = wanted / wanted.sum(1, keepdim=True)
    of_facets = bce(facets, degrees, reduction="none").mean(1)
    return {
        "answers": bce(answers, wanted),
        "order": -(belongs * answers.log_softmax(1)).sum(1).mean(),
        "facets": (of_facets * asked).sum() / asked.sum(),
    }


def _states(
    body: Body,
    batch: Sequence[HardList],
    paintings: Sequence[Painting],
    features: Sequence[Tensor],
) -> Tensor:
    """Return the states that answers are read from, as in serving: (queries, candidates, width)."""
    prompts: list[Prompt] = []
    for drawn in batch:
        question = Question(body, content_of(INSTRUCTION, [body.prompts.clean(drawn.text)]))
        prompts += [question.prompt(paintings[place].grid) for place in drawn.places]
    seen = [features[place].float() for drawn in batch for place in drawn.places]
    before = shared(prompts)
    prefix = body.prefix(prompts[0][:before], [])
    states = body.last_states([prompt[before:] for prompt in prompts], seen, prefix)
    return states.unflatten(0, (len(batch), -1))
