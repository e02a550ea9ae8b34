"""From many inputs to batches on a device: prepared ahead of the model, like lengths together.

While a batch is computed, the next is prepared by other threads. What is held is bounded, however
many inputs there are.
"""

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import Any, TypeVar

import numpy as np

from retrievals_serving.errors import ModelError, PictureError
from retrievals_serving.models.embedder import Embedded

GPU_TOKENS = 8192  # ten pictures of 1024 x 768 px: enough to fill the largest GPU
CPU_TOKENS = 1024
WORKERS = 8  # at most; a core decodes some eighty pictures of 1024 px in a second

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


os.register_at_fork(after_in_child=workers.cache_clear)  # a fork has none of its parent's threads


def embed(
    items: Sequence[Item],
    *,
    length: Callable[[Item], int],
    prepare: Callable[[Item], Ready],
    forward: Callable[[Sequence[Ready]], np.ndarray],
    budget: Budget,
) -> Iterator[Embedded]:
    """Yield what becomes of each input, batch by batch, the longest first.

    A batch takes the next inputs that can be prepared, as many as the budget allows. So the inputs
    that are left after any batch make the same batches in a call of their own: whoever stops there
    and goes on later gets the same numbers, unless memory runs out.

    Args:
        items: The inputs. One alone is prepared in the caller's thread: a query waits for no one.
        length: How many tokens an input will take; quick, and may raise PictureError.
        prepare: All that needs no model; runs in other threads, and may raise PictureError.
        forward: Computes float32 unit rows of a batch.
        budget: What a batch may take.

    Raises:
        ModelError: Memory does not suffice for one input alone.
    """
    submit = workers().submit if len(items) > 1 else _now
    lengths: dict[int, int] = {}
    for place, item in enumerate(items):
        try:
            lengths[place] = length(item)
        except PictureError as error:
            yield Embedded(failed={place: error})
    left = deque(sorted(lengths, key=lambda place: -lengths[place]))
    coming: dict[int, Future[Ready | PictureError]] = {}

    def room(longest: int) -> int:
        return max(1, budget.tokens // lengths[longest])

    def prepare_next(count: int) -> None:
        for place in islice(left, count):
            if place not in coming:
                coming[place] = submit(attempt, prepare, items[place])

    try:
        while left:
            size = room(left[0])
            ready: dict[int, Ready] = {}
            failed: dict[int, PictureError] = {}
            while left and len(ready) < size:
                if left[0] not in coming:
                    prepare_next(size - len(ready))
                place = left.popleft()
                result = coming.pop(place).result()
                if isinstance(result, PictureError):
                    failed[place] = result
                    continue
                size = size if ready else room(place)
                ready[place] = result
            if left:
                prepare_next(room(left[0]))
            if failed:
                yield Embedded(failed=failed)
            if ready:
                rows = halving(forward, [*ready.values()], lengths[next(iter(ready))], budget)
                yield Embedded([*ready], rows)
            del result, ready  # what they hold would outlive the next batch's making
    finally:
        for future in coming.values():
            future.cancel()


def _now(function: Callable[..., Ready], *arguments: Any) -> "Future[Ready]":
    """Return what a thread would, done here."""
    future: Future[Ready] = Future()
    future.set_result(function(*arguments))
    return future


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


def halving(
    forward: Callable[[Sequence[Ready]], np.ndarray],
    batch: Sequence[Ready],
    length: int,
    budget: Budget,
) -> np.ndarray:
    """Compute a batch; where memory does not suffice for it whole, in as many parts as it takes.

    The budget of batches to come shrinks to what was found to fit. `length` is the tokens of the
    batch's longest input.

    Raises:
        ModelError: Memory does not suffice for one input alone.
    """
    import torch

    fitting = len(batch)
    rows: list[np.ndarray] = []
    done = 0
    while done < len(batch):
        try:
            rows.append(forward(batch[done : done + fitting]))
            done += fitting
        except torch.OutOfMemoryError as error:
            if fitting == 1:
                raise ModelError(
                    f"the device has not the memory for a single input: {error}. Set "
                    "RETRIEVALS_DEVICE to another device, or RETRIEVALS_MAX_PIXELS lower, which "
                    "is another corpus contract."
                ) from error
            fitting = (fitting + 1) // 2
            budget.tokens = min(budget.tokens, fitting * length)
            torch.cuda.empty_cache()
    return np.concatenate(rows)


def attempt(prepare: Callable[[Item], Ready], item: Item) -> Ready | PictureError:
    """Return an input prepared, or why it cannot be."""
    try:
        return prepare(item)
    except PictureError as error:
        return error
