"""What the benchmarks of models share: sides measured in turns, the peak, the command line."""

import argparse
import re
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple, Self

import torch

from benchmarks import checkpoints, flops
from benchmarks.machine import spread

# Of the square matrices whose product is the peak: large enough to fill the device.
PEAK_SIZE = {"cpu": 2048, "cuda": 8192}
PEAK_SECONDS = 1.0
MEBIBYTE = 2**20


class Call(NamedTuple):
    """What one call of a side came to."""

    result: Any
    seconds: float
    host_mib: float
    """Most memory that the side's process has held so far."""
    device_mib: float
    """Most memory that its tensors have held on a GPU so far; 0 without one."""


class Side:
    """One way to do the work, in a process of its own, so that its peak memory is its own.

    Args:
        make: Returns the object whose methods are called; importable by its name.
        arguments: What it takes.
    """

    def __init__(self, make: Callable[..., object], *arguments: object) -> None:
        self._pool = ProcessPoolExecutor(1, get_context("spawn"), _start, (make, *arguments))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown()

    def call(self, method: str, *arguments: object) -> Call:
        """Call a method in the side's process, timed there."""
        return self._pool.submit(_call, method, arguments).result()


_made: list[object] = []


def _start(make: Callable[..., object], *arguments: object) -> None:
    _made.append(make(*arguments))


def _call(method: str, arguments: Sequence[object]) -> Call:
    """Call, time and measure. The methods return numbers of the host, so the device is done too."""
    started = time.perf_counter()
    result = getattr(_made[0], method)(*arguments)
    seconds = time.perf_counter() - started
    device = torch.cuda.max_memory_allocated() if torch.cuda.is_available() else 0
    return Call(result, seconds, host_peak(), device / MEBIBYTE)


def host_peak() -> float:
    """Return the most memory that this process has held, in MiB.

    Not `ru_maxrss`: Linux lets a new process begin with that of the one that started it.
    """
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) / 1024


class Peak:
    """The device at its best: the product of two large square matrices."""

    def __init__(self, device: str, dtype: str) -> None:
        size = PEAK_SIZE[device]
        random = torch.randn(2, size, size, device=device, dtype=getattr(torch, dtype))
        self.left, self.right = random
        self.repeats = 20 if device == "cuda" else 1

    def flops(self) -> float:
        """Return the operations a second of the fastest of the products of about a second."""
        best, until = 0.0, time.perf_counter() + PEAK_SECONDS
        while best == 0.0 or time.perf_counter() < until:
            started = time.perf_counter()
            for _ in range(self.repeats):
                product = torch.nn.functional.linear(self.left, self.right)
            product[0, 0].item()  # waits for the device
            done = self.repeats * 2 * len(self.left) ** 3
            best = max(best, done / (time.perf_counter() - started))
        return best


def options(
    program: str, arguments: Sequence[str], *, cpu: dict[str, int], cuda: dict[str, int]
) -> argparse.Namespace:
    """Read a command line; `cpu` and `cuda` name the numbers it takes, with their defaults."""
    parser = argparse.ArgumentParser(prog=f"python -m {program}")
    parser.add_argument("--device", choices=("cpu", "cuda"), help="default CUDA where there is one")
    parser.add_argument("--dtype", choices=("float32", "bfloat16", "float16"))
    parser.add_argument("--model", choices=("small", "2b"), help="default 2b on CUDA, else small")
    for name in cpu:
        parser.add_argument(
            f"--{name}", type=int, help=f"default {cpu[name]}, on CUDA {cuda[name]}"
        )
    chosen = vars(parser.parse_args(arguments))
    device = chosen["device"] or ("cuda" if torch.cuda.is_available() else "cpu")
    on_cuda = {"device": "cuda", "dtype": "bfloat16", "model": "2b"} | cuda
    on_cpu = {"device": "cpu", "dtype": "float32", "model": "small"} | cpu
    defaults = on_cuda if device == "cuda" else on_cpu
    given = {name: value for name, value in chosen.items() if value is not None}
    return argparse.Namespace(**(defaults | given))


def command(program: str, chosen: argparse.Namespace) -> str:
    """Return the command line that chooses the same again."""
    flags = " ".join(f"--{name} {value}" for name, value in vars(chosen).items())
    return f"`python -m {program} {flags}`"


def described(config: dict[str, Any], dtype: str, peak: float) -> str:
    """Say what network was measured, and against which peak its utilisation is."""
    vision = flops.vision_flops(config, 1024)
    share = vision / (vision + flops.language_flops(config, 300))
    return (
        f"Random weights in {dtype}, {checkpoints.parameters(config) / 1e6:.0f} M parameters "
        "without the vocabulary, which is the shipped tokenizer's; of a picture of 256 visual "
        f"tokens in a prompt of 300 the vision tower takes {share:.0%} of the work. MFU: the work "
        f"of the loop's computation / time / {peak / 1e12:.3g} TFLOP/s, which is the fastest "
        "product of two large matrices in this run and dtype."
    )


def in_turn(names: Sequence[str], turn: int) -> list[str]:
    """Return the names, another one first each turn."""
    first = turn % len(names)
    return [*names[first:], *names[:first]]


def ratios(slower: Sequence[float], faster: Sequence[float], digits: int = 2) -> str:
    """Return the spread of the ratios of what two sides took in the same round."""
    return spread([one / other for one, other in zip(slower, faster, strict=True)], digits)


def peak_memory(call: Call) -> str:
    """Return the most memory that a side has held, MiB: of its process, and of a GPU."""
    device = f", GPU {call.device_mib:.0f}" if call.device_mib else ""
    return f"{call.host_mib:.0f}{device}"
