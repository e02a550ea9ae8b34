"""The model card of a miniature model: what it is, what it learned from, how good it is."""

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch

from retrievals_pipeline.miniature.train.figures import QUERIES

CARD = """# The miniature {model}

A Qwen3-VL {model} of the true architecture with {parameters:,} parameters ({megabytes:.1f} MB), for
the demo and the tests. It knows the paintings of the miniature museum and nothing else.

Made by `python -m retrievals_pipeline.miniature.train {model}`{base} in {minutes:.0f} minutes on
{machine}, painting included.

## Data

{paintings:,} paintings of a seed that is no museum's, with their scenes as truth, and sentences
about them, new in every batch: of the words and grammar of the quality bench, in other frames.

## Losses at the end

Before they are weighted.

| loss | |
|---|---|
{losses}

## Figures

On {held_out} paintings that training did not show, in its own sentence forms; {queries} queries of
each kind:

| figure | |
|---|---|
{figures}

Figures on the museum itself: docs/benchmarks.md.
"""


@dataclass(frozen=True)
class Training:
    """How a model came to be, and was judged.

    Attributes:
        device: That computed, as torch names it.
        paintings: How many were shown.
        held_out: How many were not, and judge.
        losses: At the end, without weights.
        figures: On what was held out.
        seconds: From the first painting to the last figure.
    """

    device: str
    paintings: int
    held_out: int
    losses: Mapping[str, float]
    figures: Mapping[str, float]
    seconds: float


def write_card(folder: Path, model: str, training: Training) -> None:
    """Write `README.md` into the folder of a checkpoint."""
    from safetensors import safe_open

    weights = folder / "model.safetensors"
    with safe_open(weights, framework="np") as tensors:
        parameters = sum(
            math.prod(tensors.get_slice(name).get_shape())
            for name in tensors.keys()  # noqa: SIM118
        )
    card = CARD.format(
        model=model,
        parameters=parameters,
        megabytes=weights.stat().st_size / 1e6,
        base=" from the miniature embedder" if model == "reranker" else "",
        minutes=training.seconds / 60,
        machine=_machine(training.device),
        paintings=training.paintings,
        held_out=training.held_out,
        queries=QUERIES,
        losses=_rows(training.losses),
        figures=_rows(training.figures),
    )
    (folder / "README.md").write_text(card, encoding="utf-8")


def _rows(numbers: Mapping[str, float]) -> str:
    return "\n".join(f"| {name} | {number:.3f} |" for name, number in numbers.items())


def _machine(device: str) -> str:
    if device.startswith("cuda"):
        return f"one {torch.cuda.get_device_name(device)}"
    return f"{os.cpu_count()} CPU cores"
