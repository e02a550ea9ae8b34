"""Candidates of a search scored: ours, with new and with known pictures, and the reference's loop.

    python -m benchmarks.reranking                  # on a CPU: 2B's proportions, 150 M parameters
    python -m benchmarks.reranking --device cuda    # the 2B's own shape, bfloat16

Each side in a process of its own, in turns. Each round has pictures of its own, so that ours knows
none of them when it scores them first. Needs only torch, transformers, numpy and Pillow.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks import checkpoints, flops
from benchmarks.loop import RerankingLoop
from benchmarks.machine import machine, spread
from benchmarks.pictures import paint_many
from benchmarks.sides import (
    Call,
    Peak,
    Side,
    command,
    described,
    in_turn,
    options,
    peak_memory,
    ratios,
)
from retrievals_serving.models import load_reranker

PROGRAM = "benchmarks.reranking"
LIBRARIES = ("torch", "transformers", "numpy", "pillow")
CPU = {"candidates": 80, "rounds": 2}
CUDA = {"candidates": 80, "rounds": 5}
SIZE = (512, 512)  # px; 256 visual tokens
QUERY = "old man reading by candlelight"
AGAIN = "a lonely boat in stormy seas"  # asked of pictures that are known by then
AGREEMENT = 8  # candidates whose scores for it are compared


class Ours:
    """The public API."""

    def __init__(self, folder: Path, device: str, dtype: str) -> None:
        self.reranker = load_reranker(str(folder), device=device, dtype=dtype)

    def score(self, query: str, paths: list[Path]) -> np.ndarray:
        """Score pictures as a search does."""
        return self.reranker.score(query, paths)


class Reference:
    """The loop, and how much work a pair is for the network."""

    def __init__(self, folder: Path, device: str, dtype: str) -> None:
        self.loop = RerankingLoop(folder, device=device, dtype=dtype)
        self.score = self.loop.score

    def size(self, query: str, path: Path) -> dict[str, int]:
        """Return the patches of a picture and the tokens of its prompt."""
        inputs = self.loop.pair(query, path)
        return {"patches": len(inputs["pixel_values"]), "tokens": inputs["input_ids"].shape[1]}


class Measured(NamedTuple):
    """What the rounds came to: `cold` is ours with new pictures, `known` with the same again."""

    calls: dict[str, list[Call]]
    again: np.ndarray  # of the loop, for the second query and the last round's first pictures
    size: dict[str, int]
    peak: float


def report(arguments: Sequence[str] = ()) -> str:
    """Measure, and return a section in Markdown."""
    chosen = options(PROGRAM, arguments, cpu=CPU, cuda=CUDA)
    with tempfile.TemporaryDirectory() as name:
        folder, model = Path(name), Path(name) / "model"
        config = checkpoints.write(model, chosen.model, "reranker", dtype=chosen.dtype)
        measured = measure(chosen, model, folder)
    return "\n".join(
        [
            f"## Reranking on {chosen.device}, {chosen.model}\n",
            f"{machine(*LIBRARIES, device=chosen.device)} {command(PROGRAM, chosen)}.\n",
            described(config, chosen.dtype, measured.peak) + "\n",
            *speeds(chosen, config, measured),
            agreement(measured),
        ]
    )


def measure(chosen: argparse.Namespace, model: Path, folder: Path) -> Measured:
    """Score each round's pictures by both sides, the other one first in each round."""
    count = chosen.candidates
    arguments = (model, chosen.device, chosen.dtype)
    calls: dict[str, list[Call]] = {"cold": [], "known": [], "loop": []}
    peaks = []
    with (
        Side(Ours, *arguments) as ours,
        Side(Reference, *arguments) as loop,
        Side(Peak, chosen.device, chosen.dtype) as peak,
    ):
        # A GPU is at its speed when it has seen each shape.
        paths = paint_many(folder, count if chosen.device == "cuda" else 2, [SIZE])
        for side in (ours, loop):
            side.call("score", QUERY, paths)
        for turn in range(chosen.rounds):
            paths = paint_many(folder, count, [SIZE], first=(turn + 1) * count)
            peaks.append(peak.call("flops").result)
            for name in in_turn(["ours", "loop"], turn):
                if name == "ours":
                    calls["cold"].append(ours.call("score", QUERY, paths))
                    calls["known"].append(ours.call("score", AGAIN, paths))
                else:
                    calls["loop"].append(loop.call("score", QUERY, paths))
        return Measured(
            calls=calls,
            again=loop.call("score", AGAIN, paths[:AGREEMENT]).result,
            size=loop.call("size", QUERY, paths[0]).result,
            peak=max(peaks),
        )


def speeds(chosen: argparse.Namespace, config: dict[str, Any], measured: Measured) -> Iterator[str]:
    """Yield the table of what the sides took."""
    work = chosen.candidates * flops.prompt_flops(config, **measured.size)
    yield (
        f"{chosen.candidates} candidates of 512 by 512 px, {measured.size['patches'] // 4} visual "
        f"tokens in a prompt of {measured.size['tokens']}, {work / 1e12:.2f} TFLOP a query; "
        f"{chosen.rounds} rounds, min / median / max, each with pictures of its own. Known "
        "pictures: another query for the same; its MFU is still of the whole work, of which it "
        "does a part. The ratios are of the same round; above 1 the row is the faster.\n"
    )
    yield "| | seconds a query | × the loop | MFU, % | peak memory, MiB |"
    yield "|---|---|---|---|---|"
    titles = {
        "cold": "ours, new pictures",
        "known": "ours, known pictures",
        "loop": "the loop, one pair at a time",
    }
    loop = [call.seconds for call in measured.calls["loop"]]
    for name, title in titles.items():
        calls = measured.calls[name]
        seconds = [call.seconds for call in calls]
        yield " | ".join(
            [
                f"| {title}",
                spread(seconds, digits=3),
                ratios(loop, seconds),
                spread([100 * work / each / measured.peak for each in seconds], digits=1),
                f"{peak_memory(calls[0])}, after the last round {peak_memory(calls[-1])} |",
            ]
        )
    yield ""


def agreement(measured: Measured) -> str:
    """Say how far the scores of the sides differ, and how far those of the pictures."""
    pairs = zip(measured.calls["cold"], measured.calls["loop"], strict=True)
    cold = max(np.abs(ours.result - loop.result).max() for ours, loop in pairs)
    again = measured.calls["known"][-1].result[: len(measured.again)]
    known = np.abs(again - measured.again).max()
    scores = measured.calls["loop"][-1].result
    return (
        f"Largest difference of ours to the loop's score: {cold:.2g} with new pictures, "
        f"{known:.2g} with known ones (the first {len(again)} of the last round). The loop's "
        f"scores are from {scores.min():.6f} to {scores.max():.6f}.\n"
    )


if __name__ == "__main__":
    print(report(sys.argv[1:]))
