"""Training of the vision tower: it learns what is where in a picture.

Each visual token names the thing in its cell, the thing's colour, and whether the middle of one is
there, so that things can be counted; all of them together, the facts of the picture. The painter
knows where it put what, which teaches a tower far faster than sentences about whole pictures would.
The layers that name are thrown away.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional

from retrievals_pipeline.miniature.train.ahead import ahead
from retrievals_pipeline.miniature.train.checkpoint import WIDTH
from retrievals_pipeline.miniature.train.descent import Descent
from retrievals_pipeline.miniature.train.paintings import MAX_PIXELS, Painting
from retrievals_pipeline.miniature.train.targets import Array, Cells, CellTable, FactTable
from retrievals_pipeline.progress import track
from retrievals_serving.models.qwen3_vl.body import Body
from retrievals_serving.models.qwen3_vl.pixels import grid_of, read_pixels

PICTURES = 48  # of a batch
RATE = 1e-2
# Up to which share of the steps pictures are shown in which size, px: small ones cost a quarter,
# and what things look like is learned from them; the full size then only refines it.
SIZES = ((0.55, 144**2), (0.75, 192**2), (1.0, MAX_PIXELS))
EMPTY = 0.15  # weight of a cell with nothing in it
RARE = 5.0  # weight of a middle, of which there are few
WEIGHTS = {"things": 1.0, "middles": 10.0, "colors": 0.5, "facts": 5.0}  # of the losses


@dataclass(frozen=True)
class Shown:
    """A painting as the tower is shown it."""

    pixels: np.ndarray
    cells: Cells


class Namer(nn.Module):
    """The layers that name what the tower saw."""

    def __init__(self, table: CellTable, facts: int) -> None:
        super().__init__()
        self.things = nn.Linear(WIDTH, 1 + len(table.things))
        self.middles = nn.Linear(WIDTH, len(table.things))
        self.colors = nn.Linear(WIDTH, len(table.colors))
        self.facts = nn.Linear(WIDTH, facts)

    def losses(
        self, features: Sequence[Tensor], shown: Sequence[Shown], facts: Array
    ) -> dict[str, Tensor]:
        """Return how badly things, middles, colours and facts are named."""
        tokens = torch.cat([each[0] for each in features])
        there = tokens.device
        pictures = torch.stack([each[0].mean(0) for each in features])
        things, middles, colors = (
            torch.from_numpy(np.concatenate([getattr(each.cells, name) for each in shown]))
            for name in ("things", "middles", "colors")
        )
        things, middles, colors = (each.to(there) for each in (things, middles, colors))
        empty = (things.sum(1, keepdim=True) == 0).float()
        one_of = torch.cat([empty, things], dim=1)
        weights = torch.where(empty[:, 0] > 0, EMPTY, 1.0)
        colored = colors.sum(1) > 0
        bce = functional.binary_cross_entropy_with_logits
        return {
            "things": (_misnamed(self.things(tokens), one_of) * weights).sum() / weights.sum(),
            "middles": bce(self.middles(tokens), middles, pos_weight=middles.new_tensor(RARE)),
            "colors": _misnamed(self.colors(tokens[colored]), colors[colored]).mean(),
            "facts": bce(self.facts(pictures), torch.from_numpy(facts).to(there)),
        }


def _misnamed(logits: Tensor, names: Tensor) -> Tensor:
    """Return the cross entropy of each row, where several names may be right."""
    return -(names / names.sum(1, keepdim=True) * logits.log_softmax(1)).sum(1)


def train_tower(
    body: Body, paintings: Sequence[Painting], *, steps: int, seed: int
) -> dict[str, float]:
    """Train the vision tower of `body`; return the last losses."""
    chance = random.Random(seed)  # noqa: S311 - which paintings, not a secret
    table, facts = CellTable(paintings), FactTable([each.degrees for each in paintings])
    of_pictures = facts.of_pictures([each.degrees for each in paintings])
    namer = Namer(table, len(facts)).to(body.device)
    tower = body.network.visual.requires_grad_(True)
    descent = Descent(tower, namer, steps=steps, rate=RATE, weights=WEIGHTS)
    done = count()

    def draw() -> tuple[list[int], list[Shown]]:
        step = next(done)
        size = next(size for until, size in SIZES if step < until * steps)
        places = chance.sample(range(len(paintings)), PICTURES)
        return places, [show(paintings[place], table, chance, max_pixels=size) for place in places]

    with track("tower", steps) as advance:
        for places, shown in ahead(draw, steps):
            features = body.features([each.pixels for each in shown])
            descent.step(namer.losses(features, shown, of_pictures[places]))
            advance(1)
    tower.requires_grad_(False)
    return descent.losses


def show(painting: Painting, table: CellTable, chance: random.Random, *, max_pixels: int) -> Shown:
    """Return a painting as the tower sees it, every other time in a mirror."""
    pixels = read_pixels(Image.fromarray(painting.pixels), max_pixels)
    grid = grid_of(pixels)
    cells = table.of(painting, grid)
    if chance.random() < 0.5:
        return Shown(pixels, cells)
    return Shown(np.ascontiguousarray(pixels[:, ::-1]), cells.mirrored(grid))
