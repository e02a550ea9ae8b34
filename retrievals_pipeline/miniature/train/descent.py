"""How the weights are found: AdamW, a warm-up, half a cosine down to zero."""

import logging
import math
from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn

logger = logging.getLogger(__name__)

WARM_UP = 50  # steps
DECAY = 0.05
LARGEST_GRADIENT = 1.0
TELL_EVERY = 50  # steps
SMOOTHING = 0.98  # of the losses that are told


class Descent:
    """Descends a weighted sum of losses for so many steps.

    `losses` are its parts, smoothed and without their weights.
    """

    def __init__(
        self,
        parameters: Iterable[Tensor],
        *,
        steps: int,
        rate: float,
        weights: Mapping[str, float],
    ) -> None:
        self._parameters = list(parameters)
        matrices = [each for each in self._parameters if each.ndim > 1]
        vectors = [each for each in self._parameters if each.ndim <= 1]
        groups = [
            {"params": matrices, "weight_decay": DECAY},
            {"params": vectors, "weight_decay": 0.0},
        ]
        self._optimiser = torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.98))
        self._schedule = torch.optim.lr_scheduler.LambdaLR(
            self._optimiser, lambda step: share_of_rate(step, steps)
        )
        self._weights = weights
        self.losses: dict[str, float] = {}
        self._steps = 0

    def step(self, parts: Mapping[str, Tensor]) -> None:
        """Take one step down the weighted sum of the parts, of which each has a weight."""
        self._optimiser.zero_grad()
        weighted = [self._weights[name] * value for name, value in parts.items()]
        torch.stack(weighted).sum().backward()
        nn.utils.clip_grad_norm_(self._parameters, LARGEST_GRADIENT)
        self._optimiser.step()
        self._schedule.step()
        for name, value in parts.items():
            before = self.losses.get(name, value.item())
            self.losses[name] = SMOOTHING * before + (1 - SMOOTHING) * value.item()
        self._steps += 1
        if self._steps % TELL_EVERY == 0:
            told = ", ".join(f"{name} {loss:.3f}" for name, loss in self.losses.items())
            logger.info("step %d: %s", self._steps, told)


def share_of_rate(step: int, steps: int) -> float:
    """Return the share of the learning rate that a step takes."""
    if step < WARM_UP:
        return (step + 1) / WARM_UP
    return 0.5 * (1 + math.cos(math.pi * (step - WARM_UP) / max(1, steps - WARM_UP)))
