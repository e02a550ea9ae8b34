"""Training of the vision tower: it learns what is where in a picture.

Each visual token names the things in its cell, their colours, and those whose middle is there, so
that they can be counted; all of them together, the facts of the picture. The painter knows where it
put what, which teaches a tower far faster than sentences about whole pictures would. The layers
that name are thrown away.
"""

import random
from collections.abc import Sequence

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from retrievals_pipeline.miniature.train.checkpoint import WIDTH
from retrievals_pipeline.miniature.train.descent import Descent
from retrievals_pipeline.miniature.train.paintings import Painting
from retrievals_pipeline.miniature.train.targets import CellTable, FactTable, mirrored
from retrievals_pipeline.progress import track
from retrievals_serving.models.qwen3_vl.body import Body

PICTURES = 48  # of a batch
RATE = 2e-3
CELLS, FACTS = 20.0, 5.0  # weights of the losses, which are means over many zeros


def train_tower(
    body: Body, paintings: Sequence[Painting], *, steps: int, seed: int
) -> dict[str, float]:
    """Train the vision tower of `body`; return the last losses."""
    chance = random.Random(seed)
    cells, facts = CellTable(paintings), FactTable([each.degrees for each in paintings])
    of_pictures = facts.of_pictures([each.degrees for each in paintings])
    name_cells, name_facts = nn.Linear(WIDTH, len(cells)), nn.Linear(WIDTH, len(facts))
    tower = body.network.visual.requires_grad_(True)
    heads = [*name_cells.parameters(), *name_facts.parameters()]
    descent = Descent([*tower.parameters(), *heads], steps=steps, rate=RATE)
    bce = functional.binary_cross_entropy_with_logits
    with track("tower", steps) as advance:
        for _ in range(steps):
            places = chance.sample(range(len(paintings)), PICTURES)
            pixels, inside = zip(
                *(_seen(paintings[place], cells, chance) for place in places), strict=True
            )
            features = body.features(pixels)
            tokens = torch.cat([each[0] for each in features])
            whole = torch.stack([each[0].mean(0) for each in features])
            descent.step({
                "cells": CELLS * bce(name_cells(tokens), torch.from_numpy(np.concatenate(inside))),
                "facts": FACTS * bce(name_facts(whole), torch.from_numpy(of_pictures[places])),
            })  # fmt: skip
            advance(1)
    tower.requires_grad_(False)
    return descent.losses


def _seen(
    painting: Painting, cells: CellTable, chance: random.Random
) -> tuple[np.ndarray, np.ndarray]:
    """Return the pixels of a painting and what is in its cells, every other time in a mirror."""
    inside = cells.of(painting)
    if chance.random() < 0.5:
        return painting.pixels, inside
    return np.ascontiguousarray(painting.pixels[:, ::-1]), mirrored(inside, painting.grid)
