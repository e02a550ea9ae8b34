"""The vision tower: pixels in, what the language model sees of them out."""

from collections.abc import Iterator, Sequence
from itertools import groupby

import torch
from torch import Tensor, nn
from torch.nn import functional

from retrievals_serving.models.qwen3_vl.network.config import VisionShape
from retrievals_serving.models.qwen3_vl.network.rotation import Angles, Rotation, falling, rotate
from retrievals_serving.models.qwen3_vl.pixels import MERGE, PATCH

EPSILON = 1e-6
ROTATION_BASE = 10_000.0


class VisionTower(nn.Module):
    """Pictures of any sizes in one pass; a picture's features do not depend on the others."""

    def __init__(self, shape: VisionShape) -> None:
        super().__init__()
        self.patch_embed = nn.Linear(3 * PATCH**2, shape.width)
        self.pos_embed = nn.Embedding.from_pretrained(
            torch.empty(shape.position_grid**2, shape.width)
        )
        self.blocks = nn.ModuleList(Block(shape) for _ in range(shape.depth))
        self.merger = Merger(shape, norm_width=shape.width)
        self.deepstack_merger_list = nn.ModuleList(
            Merger(shape, norm_width=shape.width * MERGE**2) for _ in shape.deepstack_layers
        )
        self.deepstack_layers = shape.deepstack_layers
        self.position_grid = shape.position_grid
        of_one_axis = shape.width // shape.heads // 4
        self.rotation = Rotation(
            falling(ROTATION_BASE, of_one_axis).repeat(2),
            axes=[0] * of_one_axis + [1] * of_one_axis,
        )

    def forward(self, pictures: Sequence[Tensor]) -> list[Tensor]:
        """Return the features of each picture.

        Args:
            pictures: Fitted pixels, each uint8 (height, width, 3).

        Returns:
            For each, (1 + deepstack layers, visual tokens, output width): the first takes the
            tokens' places in the prompt, the others are added to them after the first layers of
            the language model.
        """
        # Pictures of as many patches as each other attend in one call.
        order = sorted(range(len(pictures)), key=lambda index: pictures[index].numel())
        shown = [pictures[index] for index in order]
        grids = [(len(each) // PATCH, each.shape[1] // PATCH) for each in shown]
        counts = [rows * columns for rows, columns in grids]
        weight = self.patch_embed.weight
        patches = torch.cat([patchify(each) for each in shown])
        states = self.patch_embed(patches.to(weight.dtype))
        positions = {grid: self._positions(*grid) for grid in set(grids)}
        states += torch.cat([positions[grid] for grid in grids]).to(weight.dtype)
        places = {grid: _places(*grid, weight.device) for grid in set(grids)}
        angles = self.rotation(torch.cat([places[grid] for grid in grids])[:, None], weight.dtype)
        features = []
        for number, block in enumerate(self.blocks):
            states = block(states, angles, counts)
            if number in self.deepstack_layers:
                merger = self.deepstack_merger_list[self.deepstack_layers.index(number)]
                features.append(merger(states))
        whole = torch.stack([self.merger(states), *features])
        parts = whole.split([count // MERGE**2 for count in counts], dim=1)
        of_picture = dict(zip(order, parts, strict=True))
        return [of_picture[index] for index in range(len(pictures))]

    def _positions(self, rows: int, columns: int) -> Tensor:
        """Return the learned positions resampled to a grid of patches, float32 (patches, width)."""
        side = self.position_grid
        table = self.pos_embed.weight.float().T.reshape(1, -1, side, side)
        resampled = functional.interpolate(
            table, (rows, columns), mode="bilinear", align_corners=True
        )
        return by_token(resampled[0].permute(1, 2, 0)).flatten(0, 1)


class Block(nn.Module):
    """One layer of the tower."""

    def __init__(self, shape: VisionShape) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(shape.width, EPSILON)
        self.norm2 = nn.LayerNorm(shape.width, EPSILON)
        self.attn = Attention(shape)
        self.mlp = FeedForward(shape)

    def forward(self, states: Tensor, angles: Angles, counts: Sequence[int]) -> Tensor:
        """Return the next states of pictures that lie one after another, (patches, width)."""
        states = states + self.attn(self.norm1(states), angles, counts)
        return states + self.mlp(self.norm2(states))


class Attention(nn.Module):
    """Each patch attends to all patches of its own picture."""

    def __init__(self, shape: VisionShape) -> None:
        super().__init__()
        self.heads = shape.heads
        self.qkv = nn.Linear(shape.width, 3 * shape.width)
        self.proj = nn.Linear(shape.width, shape.width)

    def forward(self, states: Tensor, angles: Angles, counts: Sequence[int]) -> Tensor:
        """Return what is to be added to states (patches, width); `counts`: patches by picture."""
        queries, keys, values = self.qkv(states).unflatten(1, (3, self.heads, -1)).unbind(1)
        queries, keys = rotate(queries, angles), rotate(keys, angles)
        attended = [
            functional.scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(0, 1)
            for query, key, value in _runs(counts, queries, keys, values)
        ]
        return self.proj(torch.cat(attended).flatten(1))


class FeedForward(nn.Module):
    """Two linear layers."""

    def __init__(self, shape: VisionShape) -> None:
        super().__init__()
        self.linear_fc1 = nn.Linear(shape.width, shape.mlp_width)
        self.linear_fc2 = nn.Linear(shape.mlp_width, shape.width)

    def forward(self, states: Tensor) -> Tensor:
        """Return what is to be added to states (patches, width)."""
        return self.linear_fc2(functional.gelu(self.linear_fc1(states), approximate="tanh"))


class Merger(nn.Module):
    """Makes of four patches a visual token of the language model's width."""

    def __init__(self, shape: VisionShape, *, norm_width: int) -> None:
        super().__init__()
        self.width = shape.width * MERGE**2
        self.norm = nn.LayerNorm(norm_width, EPSILON)
        self.linear_fc1 = nn.Linear(self.width, self.width)
        self.linear_fc2 = nn.Linear(self.width, shape.output_width)

    def forward(self, states: Tensor) -> Tensor:
        """Return visual tokens, (patches / 4, output width), of states (patches, width)."""
        normed = self.norm(states.reshape(-1, *self.norm.normalized_shape))
        return self.linear_fc2(functional.gelu(self.linear_fc1(normed.reshape(-1, self.width))))


def patchify(pixels: Tensor) -> Tensor:
    """Cut fitted pixels into the rows that the tower takes.

    Args:
        pixels: uint8 (height, width, 3).

    Returns:
        float32 from -1 to 1, (patches, 3 · 16 · 16): the four patches of a visual token stand
        together, and within a row the order is channel, y, x.
    """
    height, width, _ = pixels.shape
    grid = pixels.reshape(height // PATCH, PATCH, width // PATCH, PATCH, 3)
    patches = by_token(grid.permute(0, 2, 4, 1, 3)).reshape(-1, 3 * PATCH**2)
    return (patches.float() / 255 - 0.5) / 0.5


def by_token(grid: Tensor) -> Tensor:
    """Bring a grid of patches, (rows, columns, …), into the order (tokens, 4, …)."""
    rows, columns = grid.shape[0] // MERGE, grid.shape[1] // MERGE
    blocks = grid.unflatten(1, (columns, MERGE)).unflatten(0, (rows, MERGE))
    return blocks.transpose(1, 2).flatten(2, 3).flatten(0, 1)


def _places(rows: int, columns: int, device: torch.device) -> Tensor:
    """Return the row and the column of each patch, (patches, 2), in the order of `by_token`."""
    axes = torch.arange(rows, device=device), torch.arange(columns, device=device)
    return by_token(torch.stack(torch.meshgrid(*axes, indexing="ij"), dim=-1)).flatten(0, 1)


def _runs(counts: Sequence[int], *states: Tensor) -> Iterator[tuple[Tensor, ...]]:
    """Yield the states of neighbours of as many patches, (pictures, heads, patches, head width)."""
    start = 0
    for count, run in groupby(counts):
        pictures = len(list(run))
        end = start + pictures * count
        yield tuple(
            each[start:end].unflatten(0, (pictures, count)).transpose(1, 2) for each in states
        )
        start = end
