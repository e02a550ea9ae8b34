"""Pictures and queries embedded: ours, the loop of the reference code, and the bare forward.

    python -m benchmarks.embedding                  # on a CPU: 2B's proportions, 150 M parameters
    python -m benchmarks.embedding --device cuda    # the 2B's own shape, bfloat16

Side by side: each side in a process of its own on the same files and weights, in turns, so that
what else the machine does falls on all. Needs only torch, transformers, numpy and Pillow.
"""

import argparse
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks import checkpoints, flops
from benchmarks.loop import BATCH, DOCUMENT, EmbeddingLoop
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
from retrievals_serving.models import Embedder, Input, load_embedder

PROGRAM = "benchmarks.embedding"
LIBRARIES = ("torch", "transformers", "numpy", "pillow")
CPU = {"pictures": 16, "tokens": 256, "rounds": 5}
CUDA = {"pictures": 256, "tokens": 768, "rounds": 5}
GROWTH = 4  # times as many pictures, to see that memory does not grow with them
QUERIES = 50
PIXELS = 32 * 32  # of a visual token
# Of what the dtypes of a CPU are compared on: few and small, because without instructions for
# bfloat16 it takes ten times as long as float32.
DTYPE_PICTURES = 4
DTYPE_TOKENS = 64


class Ours:
    """The public API."""

    def __init__(self, folder: Path, device: str, dtype: str, max_pixels: int) -> None:
        self.embedder = load_embedder(
            str(folder), device=device, dtype=dtype, max_pixels=max_pixels
        )

    def embed_images(self, paths: list[Path]) -> np.ndarray:
        """Embed pictures as a build does."""
        return self.embedder.embed_images(paths)

    def embed_query(self, text: str) -> np.ndarray:
        """Embed a text as a search does."""
        return self.embedder.embed_queries([Input(text=text)])


class Reference:
    """The loop, and how much work each picture is for the network."""

    def __init__(self, folder: Path, device: str, dtype: str, max_pixels: int) -> None:
        self.loop = EmbeddingLoop(folder, device=device, dtype=dtype, max_pixels=max_pixels)
        self.embed_images, self.embed_query = self.loop.embed_images, self.loop.embed_query

    def sizes(self, paths: list[Path]) -> list[dict[str, int]]:
        """Return the patches of each picture and the tokens of its prompt."""
        every = (self.loop.prepare(DOCUMENT, [[path]]) for path in paths)
        return [
            {"patches": len(one["pixel_values"]), "tokens": one["input_ids"].shape[1]}
            for one in every
        ]


class Bare:
    """Our forward, and nothing else."""

    def __init__(self, folder: Path, device: str, dtype: str, max_pixels: int) -> None:
        self.embedder = Ours(folder, device, dtype, max_pixels).embedder

    def prepare(self, paths: list[Path]) -> None:
        """Make the batches, once."""
        self.forward = bare_forward(self.embedder, paths)

    def embed_images(self, _: list[Path]) -> np.ndarray:
        """Run the forward on them."""
        return self.forward()


def bare_forward(embedder: Embedder, paths: list[Path]) -> Callable[[], np.ndarray]:
    """Return a function that runs the forward of `embed_images(paths)` and nothing else.

    The batches are those that `embed_images` makes: token ids, and pictures decoded and resized.
    """
    model: Any = embedder
    forward = model._forward  # noqa: SLF001
    batches: list[Any] = []

    def recording(batch: Any) -> Any:
        batches.append(batch)
        return forward(batch)

    model._forward = recording  # noqa: SLF001
    embedder.embed_images(paths)
    del model._forward  # noqa: SLF001

    def run() -> np.ndarray:
        return np.concatenate([forward(batch) for batch in batches])

    return run


SIDES = {"ours": Ours, "loop": Reference, "bare": Bare}


def report(arguments: Sequence[str] = ()) -> str:
    """Measure, and return a section in Markdown."""
    chosen = options(PROGRAM, arguments, cpu=CPU, cuda=CUDA)
    with tempfile.TemporaryDirectory() as name:
        folder, model = Path(name), Path(name) / "model"
        config = checkpoints.write(model, chosen.model, "embedder", dtype=chosen.dtype)
        paths = paint_many(folder, GROWTH * chosen.pictures)
        measured = measure(chosen, model, paths)
        lines = [
            f"## Embedding on {chosen.device}, {chosen.model}\n",
            f"{machine(*LIBRARIES, device=chosen.device)} {command(PROGRAM, chosen)}.\n",
            described(config, chosen.dtype, measured.peak) + "\n",
            *speeds(chosen, config, measured),
            *agreement(measured),
        ]
        if chosen.device == "cpu":
            lines.append(dtypes(model, paths[:DTYPE_PICTURES]))
    return "\n".join(lines)


class Measured(NamedTuple):
    """What the sides came to, by their names."""

    calls: dict[str, list[Call]]
    more: Call
    queries: dict[str, list[float]]
    sizes: list[dict[str, int]]
    peak: float


def measure(chosen: argparse.Namespace, folder: Path, paths: list[Path]) -> Measured:
    """Run the sides in turns, another one first in each round."""
    arguments = (folder, chosen.device, chosen.dtype, chosen.tokens * PIXELS)
    some = paths[: chosen.pictures]
    with ExitStack() as stack:
        sides = {name: stack.enter_context(Side(make, *arguments)) for name, make in SIDES.items()}
        peak = stack.enter_context(Side(Peak, chosen.device, chosen.dtype))
        sides["bare"].call("prepare", some)
        for side in sides.values():  # a GPU is at its speed when it has seen each shape
            side.call("embed_images", some if chosen.device == "cuda" else some[:2])
        calls: dict[str, list[Call]] = {name: [] for name in sides}
        peaks = []
        for turn in range(chosen.rounds):
            peaks.append(peak.call("flops").result)
            for name in in_turn(list(sides), turn):
                calls[name].append(sides[name].call("embed_images", some))
        return Measured(
            calls=calls,
            more=sides["ours"].call("embed_images", paths),
            queries=latencies({name: sides[name] for name in ("ours", "loop")}),
            sizes=sides["loop"].call("sizes", some).result,
            peak=max(peaks),
        )


def latencies(sides: dict[str, Side]) -> dict[str, list[float]]:
    """Return the milliseconds of each of `QUERIES` texts, the sides in turns of ten."""
    took: dict[str, list[float]] = {name: [] for name in sides}
    for side in sides.values():
        for number in range(5):
            side.call("embed_query", f"{number} sheep under an oak")
    for start in range(0, QUERIES, 10):
        for name, side in sides.items():
            texts = [f"{number} boats on a stormy sea" for number in range(start, start + 10)]
            took[name] += [side.call("embed_query", text).seconds * 1000 for text in texts]
    return took


def speeds(chosen: argparse.Namespace, config: dict[str, Any], measured: Measured) -> Iterator[str]:
    """Yield the table of what the sides took, and how memory grows."""
    work = sum(flops.prompt_flops(config, **size) for size in measured.sizes)
    tokens = statistics.mean(size["patches"] / 4 for size in measured.sizes)
    seconds = {name: [call.seconds for call in calls] for name, calls in measured.calls.items()}
    yield (
        f"{chosen.pictures} JPEG files in a box of 1024 px, {tokens:.0f} visual tokens each on "
        f"average, {work / len(measured.sizes) / 1e9:.0f} GFLOP; {chosen.rounds} rounds, min / "
        "median / max. The ratios are of the same round; above 1 the row is the faster.\n"
    )
    yield "| | pictures/s | × the loop | × the bare forward | MFU, % | peak memory, MiB |"
    yield "|---|---|---|---|---|---|"
    titles = {"ours": "ours", "loop": f"the loop, {BATCH} at a time", "bare": "our bare forward"}
    for name, title in titles.items():
        memory = "" if name == "bare" else peak_memory(measured.calls[name][-1])
        yield " | ".join(
            [
                f"| {title}",
                spread([chosen.pictures / each for each in seconds[name]]),
                ratios(seconds["loop"], seconds[name]),
                ratios(seconds["bare"], seconds[name], digits=3),
                spread([100 * work / each / measured.peak for each in seconds[name]], digits=1),
                f"{memory} |",
            ]
        )
    yield (
        f"\nPeak memory of ours with {GROWTH} times as many pictures: "
        f"{peak_memory(measured.more)} MiB.\n"
    )


def agreement(measured: Measured) -> Iterator[str]:
    """Yield how alike the vectors are, and the latency of queries."""
    ours, loop = (measured.calls[name][-1].result for name in ("ours", "loop"))
    others = (loop @ loop.T)[~np.eye(len(loop), dtype=bool)]
    yield (
        f"Cosine of ours to the loop's vector of the same picture: at least "
        f"{cosines(ours, loop).min():.6f}; of the loop's vectors of two pictures: at most "
        f"{others.max():.6f}, median {np.median(others):.6f}.\n"
    )
    yield (
        f"One text query, {QUERIES} texts, ms: ours {spread(measured.queries['ours'])}, "
        f"the loop {spread(measured.queries['loop'])}.\n"
    )


def dtypes(folder: Path, paths: list[Path]) -> str:
    """Compare ours in float32 and in bfloat16, one run each after one that is not counted."""
    with ExitStack() as stack:
        sides = [
            stack.enter_context(Side(Ours, folder, "cpu", dtype, DTYPE_TOKENS * PIXELS))
            for dtype in ("float32", "bfloat16")
        ]
        for side in sides:
            side.call("embed_query", "a warm-up")
        full, half = (side.call("embed_images", paths) for side in sides)
    return (
        f"{len(paths)} pictures of {DTYPE_TOKENS} visual tokens: float32 {full.seconds:.2f} s, "
        f"bfloat16 {half.seconds:.2f} s, {full.seconds / half.seconds:.2f} × as fast, cosine to "
        f"float32 at least {cosines(full.result, half.result).min():.6f}.\n"
    )


def cosines(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Return the cosine of each pair of unit rows."""
    return np.einsum("nd,nd->n", left, right)


if __name__ == "__main__":
    print(report(sys.argv[1:]))
