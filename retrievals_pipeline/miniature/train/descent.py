"""How the weights are found: Muon and AdamW, a warm-up, half a cosine down to zero.

Muon makes each step of a layer's matrix orthogonal (Jordan et al.,
https://kellerjordan.github.io/posts/muon). Everything else, as tokens, positions, norms, and the
heads that are thrown away after training, follows AdamW.
"""

import logging
import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn

logger = logging.getLogger(__name__)

WARM_UP = 50  # steps
DECAY = 0.05  # of a layer's matrices
OTHERS = 0.3  # of the rate, for what is no layer's matrix
LARGEST_GRADIENT = 1.0
TELL_EVERY = 50  # steps
SMOOTHING = 0.98  # of the losses that are told


class Descent:
    """Descends a weighted sum of losses for so many steps.

    `losses` are its parts, smoothed and without their weights.
    """

    def __init__(
        self,
        network: nn.Module,
        heads: nn.Module,
        *,
        steps: int,
        rate: float,
        weights: Mapping[str, float],
    ) -> None:
        matrices = {each.weight for each in network.modules() if isinstance(each, nn.Linear)}
        self._parameters = [*network.parameters(), *heads.parameters()]
        layers = [each for each in self._parameters if each in matrices]
        others = [each for each in self._parameters if each not in matrices]
        self._optimisers = (
            # As large as AdamW's steps, so that one rate is of the same kind for both.
            torch.optim.Muon(layers, rate, weight_decay=DECAY, adjust_lr_fn="match_rms_adamw"),
            torch.optim.AdamW(others, OTHERS * rate, betas=(0.9, 0.98), weight_decay=0.0),
        )
        self._schedules = [
            torch.optim.lr_scheduler.LambdaLR(each, lambda step: share_of_rate(step, steps))
            for each in self._optimisers
        ]
        self._weights = weights
        self.losses: dict[str, float] = {}
        self._steps = 0

    def step(self, parts: Mapping[str, Tensor]) -> None:
        """Take one step down the weighted sum of the parts, of which each has a weight."""
        for parameter in self._parameters:
            parameter.grad = None
        weighted = [self._weights[name] * value for name, value in parts.items()]
        torch.stack(weighted).sum().backward()
        nn.utils.clip_grad_norm_(self._parameters, LARGEST_GRADIENT)
        for optimiser, schedule in zip(self._optimisers, self._schedules, strict=True):
            optimiser.step()
            schedule.step()
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
