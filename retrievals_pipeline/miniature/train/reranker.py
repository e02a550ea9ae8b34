"""Training of the miniature reranker: does this picture answer this query, yes or no?

It begins with the weights of the miniature embedder, as the published rerankers begin with those of
the family's base model, and keeps the tower. Each batch has some queries, each with a hard list of
candidates; the answer is to be right in itself, and higher for the better of a list.

A "yes" or a "no" to seven conditions at once says too little of which one failed. So the model also
learns to tell how much of what is asked is there, facet by facet: things, counts, colours, moods.
And before the last layer each visual token tells whether what is asked for is in its cell, since it
has read the query by then. The layers that tell these are thrown away.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from retrievals_pipeline.miniature.train.checkpoint import WIDTH
from retrievals_pipeline.miniature.train.descent import Descent
from retrievals_pipeline.miniature.train.embedder import shared
from retrievals_pipeline.miniature.train.hard_lists import CANDIDATES, HardList, HardLists
from retrievals_pipeline.miniature.train.paintings import Painting
from retrievals_pipeline.miniature.train.targets import FACETS, SIGHTS
from retrievals_pipeline.progress import track
from retrievals_serving.models.qwen3_vl.body import Body
from retrievals_serving.models.qwen3_vl.reranker import INSTRUCTION, Question, content_of

QUERIES = 8  # of a batch
RATE = 5e-3
RARE = 3.0  # weight of a cell where what is asked for is, of which there are few
OWN = [slice(each * CANDIDATES, (each + 1) * CANDIDATES) for each in range(QUERIES)]
WEIGHTS = {"answers": 1.0, "order": 0.5, "facets": 2.0, "pooled": 1.0, "cells": 3.0}  # of losses


class Tellers(nn.Module):
    """The layers that tell what only training needs."""

    def __init__(self) -> None:
        super().__init__()
        self.facets = nn.Linear(WIDTH, len(FACETS))
        self.pooled = nn.Linear(WIDTH, len(FACETS))
        self.cells = nn.Linear(WIDTH, len(SIGHTS))

    def losses(self, drawn: HardList, states: Tensor, tokens: Sequence[Tensor]) -> list[Tensor]:
        """Return how badly facets, those of the visual tokens, and cells are told.

        Args:
            drawn: Their truth.
            states: Of the last tokens, (candidates, width).
            tokens: Visual tokens before the last layer, of each candidate (tokens, width).
        """
        facets, facets_asked, sights_asked, cells = (
            torch.from_numpy(each).to(states.device)
            for each in (
                drawn.facets,
                drawn.facets_asked,
                drawn.sights_asked,
                np.concatenate(drawn.cells),
            )
        )
        bce = functional.binary_cross_entropy_with_logits
        told = self.facets(states), self.pooled(torch.stack([each.mean(0) for each in tokens]))
        of_facets = (bce(each, facets, reduction="none").mean(0) for each in told)
        rare = cells.new_tensor(RARE)
        of_cells = bce(
            self.cells(torch.cat(list(tokens))), cells, reduction="none", pos_weight=rare
        )
        return [
            *((each * facets_asked).sum() / facets_asked.sum() for each in of_facets),
            (of_cells.mean(0) * sights_asked).sum() / sights_asked.sum().clamp(min=1),
        ]


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
    tellers = Tellers().to(body.device)
    descent = Descent(language, tellers, steps=steps, rate=RATE, weights=WEIGHTS)
    yes, no = body.prompts.token_id("yes"), body.prompts.token_id("no")
    with track("reranker", steps) as advance:
        for _ in range(steps):
            batch = [lists.draw() for _ in range(QUERIES)]
            states, tokens = _states(body, batch, paintings, features)
            rows = language.embed_tokens.weight
            parts = [
                [
                    *answer_losses(drawn, states[own] @ (rows[yes] - rows[no])),
                    *tellers.losses(drawn, states[own], tokens[own]),
                ]
                for drawn, own in zip(batch, OWN, strict=True)
            ]
            means = torch.stack([torch.stack(each) for each in parts]).mean(0)
            descent.step(dict(zip(WEIGHTS, means, strict=True)))
            advance(1)
    language.requires_grad_(False)
    return descent.losses


def answer_losses(drawn: HardList, logits: Tensor) -> list[Tensor]:
    """Return how wrong the answers of (candidates,) are, each in itself and in their order."""
    wanted = torch.from_numpy(drawn.answers).to(logits.device)
    order = -(wanted / wanted.sum() * logits.log_softmax(0)).sum()
    return [functional.binary_cross_entropy_with_logits(logits, wanted), order]


def _states(
    body: Body,
    batch: Sequence[HardList],
    paintings: Sequence[Painting],
    features: Sequence[Tensor],
) -> tuple[Tensor, list[Tensor]]:
    """Return the states that answers are read from, as serving does, and those of visual tokens.

    The first are (queries · candidates, width), after the last layer; the others, before it, of
    each candidate (visual tokens, width).
    """
    prompts = [
        Question(body, content_of(INSTRUCTION, [body.prompts.clean(drawn.text)])).prompt(
            paintings[place].grid
        )
        for drawn in batch
        for place in drawn.places
    ]
    seen = [features[place].float() for drawn in batch for place in drawn.places]
    before = shared(prompts)
    endings = [prompt[before:] for prompt in prompts]
    prefix = body.prefix(prompts[0][:before], [])
    with _outputs(body.network.language_model.layers[-2]) as outputs:
        states = body.last_states(endings, seen, prefix)
    (before_last,) = outputs
    visual = [torch.from_numpy(ending.is_visual) for ending in endings]
    return states, [row[: len(own)][own] for row, own in zip(before_last, visual, strict=True)]


@contextmanager
def _outputs(layer: nn.Module) -> Iterator[list[Tensor]]:
    """Collect the states that a layer returns in this block."""
    outputs: list[Tensor] = []
    handle = layer.register_forward_hook(lambda _layer, _given, out: outputs.append(out[0]))
    try:
        yield outputs
    finally:
        handle.remove()
