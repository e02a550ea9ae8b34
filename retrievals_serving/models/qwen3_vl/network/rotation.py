"""Rotary positions on several axes at once, as both halves of the network use them."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

Angles = tuple[Tensor, Tensor]  # cosines and sines


class Rotation(nn.Module):
    """From positions to the angles by which queries and keys are rotated.

    Each frequency belongs to one axis: it multiplies the position on that axis.
    """

    frequencies: Tensor  # float32, (head width / 2,)
    axes: Tensor  # int64, (head width / 2,)

    def __init__(self, frequencies: Tensor, axes: Sequence[int]) -> None:
        super().__init__()
        self.register_buffer("frequencies", frequencies, persistent=False)
        self.register_buffer("axes", torch.tensor(axes, device="cpu"), persistent=False)

    def forward(self, positions: Tensor, dtype: torch.dtype) -> Angles:
        """Return the angles of positions (…, axes): both (…, head width / 2)."""
        angles = positions[..., self.axes] * self.frequencies
        return angles.cos().to(dtype), angles.sin().to(dtype)


def falling(base: float, count: int) -> Tensor:
    """Return `count` frequencies, from 1 down to nearly 1 / base: float32, on the CPU."""
    return base ** -(torch.arange(count, dtype=torch.float32, device="cpu") / count)


def rotate(states: Tensor, angles: Angles) -> Tensor:
    """Rotate each pair of numbers of the last dimension, which lie half of it apart."""
    cosines, sines = angles
    if torch.is_grad_enabled():  # which the way below has no gradients for
        first, second = states.chunk(2, dim=-1)
        turned = (first * cosines - second * sines, second * cosines + first * sines)
        return torch.cat(turned, dim=-1)
    # Written into one output, half by half: the least traffic of the ways to say it.
    rotated = torch.empty_like(states)
    (first, second), (left, right) = states.chunk(2, dim=-1), rotated.chunk(2, dim=-1)
    torch.mul(first, cosines, out=left).addcmul_(second, sines, value=-1)
    torch.mul(second, cosines, out=right).addcmul_(first, sines)
    return rotated
