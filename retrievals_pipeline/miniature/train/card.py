"""The model card of a miniature model: what it is, what it learned from, how good it is."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

CARD = """# The miniature {model}

A Qwen3-VL {model} of the true architecture with {parameters:,} parameters ({megabytes:.1f} MB), for
the demo and the tests. It knows the paintings of the miniature museum and nothing else.

Made by `python -m retrievals_pipeline.miniature.train {model}`{base} in {minutes:.0f} minutes on
{cores} CPU cores, painting included.

## Data

{paintings:,} paintings of a seed that is no museum's, with their scenes as truth, and sentences
about them, new in every batch, in forms that neither the museum's descriptions nor the quality
bench use.

## Losses at the end

| loss | |
|---|---|
{losses}

## Figures

On 500 paintings and 60 sentences of each kind that training did not show:

| figure | |
|---|---|
{figures}

Figures on the museum itself: docs/benchmarks.md.
"""


@dataclass(frozen=True)
class Training:
    """How a model came to be: paintings shown, losses at the end, seconds taken."""

    paintings: int
    losses: Mapping[str, float]
    seconds: float


def write_card(folder: Path, model: str, training: Training, figures: Mapping[str, float]) -> None:
    """Write `README.md` into the folder of a checkpoint."""
    from safetensors import safe_open

    weights = folder / "model.safetensors"
    with safe_open(weights, framework="np") as tensors:
        parameters = sum(
            _product(tensors.get_slice(name).get_shape())
            for name in tensors.keys()  # noqa: SIM118
        )
    card = CARD.format(
        model=model,
        parameters=parameters,
        megabytes=weights.stat().st_size / 1e6,
        base=" from the miniature embedder" if model == "reranker" else "",
        minutes=training.seconds / 60,
        cores=os.cpu_count(),
        paintings=training.paintings,
        losses=_rows(training.losses),
        figures=_rows(figures),
    )
    (folder / "README.md").write_text(card, encoding="utf-8")


def _rows(numbers: Mapping[str, float]) -> str:
    return "\n".join(f"| {name} | {number:.3f} |" for name, number in numbers.items())


def _product(shape: list[int]) -> int:
    product = 1
    for side in shape:
        product *= side
    return product
