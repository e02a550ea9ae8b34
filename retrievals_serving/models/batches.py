"""From many inputs to batches on a device: prepared ahead of the model, like lengths together.

While a batch is computed, the next is prepared by other threads and the one before is handed over,
so that the device waits for neither. What is held is bounded, however many inputs there are.
"""

import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from retrievals_serving.errors import ModelError, PictureError
from retrievals_serving.models.embedder import Embedded

if TYPE_CHECKING:
    from torch import Tensor

GPU_TOKENS = 8192  # ten pictures of 1024 x 768 px: enough to fill the largest GPU
CPU_TOKENS = 1024
WORKERS = 8  # at most; a core decodes some sixty pictures of 1024 px in a second

Item = TypeVar("Item")
Ready = TypeVar("Ready")


@dataclass
class Budget:
    """How many tokens one forward may take, padding included; halved when memory runs out."""

    tokens: int


def default_tokens(device: str) -> int:
    """Return what a batch takes on a device when nobody says."""
    return GPU_TOKENS if device.startswith("cuda") else CPU_TOKENS


@cache
def workers() -> ThreadPoolExecutor:
    """Return the threads of this process that prepare inputs."""
    return ThreadPoolExecutor(min(WORKERS, os.cpu_count() or 1), thread_name_prefix="prepare")


def embed(
    items: Sequence[Item],
    *,
    length: Callable[[Item], int],
    prepare: Callable[[Item], Ready],
    forward: Callable[[Sequence[Ready]], "Tensor"],
    finish: Callable[["Tensor"], np.ndarray],
    budget: Budget,
) -> Iterator[Embedded]:
    """Yield what becomes of each input, batch by batch, the longest first.

    Args:
        items: The inputs.
        length: How many tokens an input will take; quick, and may raise PictureError.
        prepare: All that needs no model; runs in other threads, and may raise PictureError.
        forward: Begins to compute a batch, and need not wait for the device.
        finish: Waits for what `forward` returned and makes float32 unit rows of it.
        budget: What a batch may take.

    Raises:
        ModelError: Memory does not suffice for one input alone.
    """
    lengths, failed = {}, {}
    for place, item in enumerate(items):
        try:
            lengths[place] = length(item)
        except PictureError as error:
            failed[place] = error
    if failed:
        yield Embedded(failed=failed)
    batches = plan(lengths, budget)

    def prepare_next() -> dict[int, "Future[Ready | PictureError]"]:
        places = next(batches, ())
        return {place: workers().submit(attempt, prepare, items[place]) for place in places}

    computing: tuple[list[int], Tensor] | None = None
    coming = prepare_next()
    try:
        while coming:
            batch, coming = coming, prepare_next()
            results = {place: future.result() for place, future in batch.items()}
            failed = {at: each for at, each in results.items() if isinstance(each, PictureError)}
            ready = {at: each for at, each in results.items() if not isinstance(each, PictureError)}
            if failed:
                yield Embedded(failed=failed)
            states = halving(forward, list(ready.values()), budget) if ready else None
            if computing is not None:
                yield Embedded(computing[0], finish(computing[1]))
            computing = None if states is None else (list(ready), states)
        if computing is not None:
            yield Embedded(computing[0], finish(computing[1]))
    finally:
        for future in coming.values():
            future.cancel()


def ahead(
    prepare: Callable[[Item], Ready], items: Sequence[Item]
) -> Iterator[Ready | PictureError]:
    """Yield each input prepared, in their order, while other threads prepare those that follow."""
    coming: deque[Future[Ready | PictureError]] = deque()
    try:
        for item in items:
            coming.append(workers().submit(attempt, prepare, item))
            if len(coming) > 2 * WORKERS:
                yield coming.popleft().result()
        while coming:
            yield coming.popleft().result()
    finally:
        for future in coming:
            future.cancel()


def plan(lengths: Mapping[int, int], budget: Budget) -> Iterator[list[int]]:
    """Yield the places of inputs of like length, as many as the budget now allows, at least one."""
    longest_first = sorted(lengths, key=lambda place: -lengths[place])
    while longest_first:
        count = max(1, budget.tokens // lengths[longest_first[0]])
        yield longest_first[:count]
        longest_first = longest_first[count:]


def halving(
    forward: Callable[[Sequence[Ready]], "Tensor"], batch: Sequence[Ready], budget: Budget
) -> "Tensor":
    """Compute a batch; in halves, and so from then on, where memory does not suffice for it whole.

    Raises:
        ModelError: It does not suffice for one input alone.
    """
    import torch

    try:
        return forward(batch)
    except torch.OutOfMemoryError as error:
        if len(batch) == 1:
            raise ModelError(
                f"the device has not the memory for a single input: {error}. Set "
                "RETRIEVALS_MAX_PIXELS lower, or RETRIEVALS_DEVICE to another device."
            ) from error
    # Here and not above: there, the error still holds on to what the forward had allocated.
    torch.cuda.empty_cache()
    budget.tokens //= 2
    half = len(batch) // 2
    return torch.cat([halving(forward, part, budget) for part in (batch[:half], batch[half:])])


def attempt(prepare: Callable[[Item], Ready], item: Item) -> Ready | PictureError:
    """Return an input prepared, or why it cannot be."""
    try:
        return prepare(item)
    except PictureError as error:
        return error
