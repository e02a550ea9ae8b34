"""From many inputs to batches on a device: prepared ahead of the model, like lengths together.

While a batch is computed, the next is prepared by other threads. What is held is bounded, however
many inputs there are.
"""

import os
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import Any, Generic, TypeVar

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
    in_place: bool = False,
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
        in_place: Prepare all in the caller's thread: those threads may have a queue of pictures,
            which what is prepared in no time need not wait for.

    Raises:
        ModelError: Memory does not suffice for one input alone.
    """
    lengths: dict[int, int] = {}
    for place, item in enumerate(items):
        try:
            lengths[place] = length(item)
        except PictureError as error:
            yield Embedded(failed={place: error})
    submit = _now if in_place or len(items) == 1 else workers().submit
    line = _Line(items, lengths, prepare, budget, submit)
    try:
        while line.waiting:
            ready, failed = line.take_batch()
            line.prepare_batch()
            if failed:
                yield Embedded(failed=failed)
            if ready:
                rows = halving(forward, [*ready.values()], lengths[next(iter(ready))], budget)
                yield Embedded([*ready], rows)
            del ready  # what it holds would outlive the next batch's making
    finally:
        line.cancel()


class _Line(Generic[Item, Ready]):
    """The inputs that wait for their batch, the longest first; the next of them are prepared."""

    def __init__(
        self,
        items: Sequence[Item],
        lengths: Mapping[int, int],
        prepare: Callable[[Item], Ready],
        budget: Budget,
        submit: Callable[..., Future[Ready | PictureError]],
    ) -> None:
        self.waiting = deque(sorted(lengths, key=lambda place: -lengths[place]))
        self._items = items
        self._lengths = lengths
        self._prepare = prepare
        self._budget = budget
        self._submit = submit
        self._coming: dict[int, Future[Ready | PictureError]] = {}

    def take_batch(self) -> tuple[dict[int, Ready], dict[int, PictureError]]:
        """Return the next batch, by places, and those that could not be prepared for it."""
        ready: dict[int, Ready] = {}
        failed: dict[int, PictureError] = {}
        room = 1
        while self.waiting and len(ready) < room:
            if not ready:
                room = self._room()
            self.prepare_batch(room - len(ready))
            place = self.waiting.popleft()
            result = self._coming.pop(place).result()
            if isinstance(result, PictureError):
                failed[place] = result
            else:
                ready[place] = result
        return ready, failed

    def prepare_batch(self, count: int | None = None) -> None:
        """Have the next `count` prepared, or as many as a batch takes."""
        if self.waiting:
            for place in islice(self.waiting, count or self._room()):
                if place not in self._coming:
                    self._coming[place] = self._submit(attempt, self._prepare, self._items[place])

    def cancel(self) -> None:
        """Have nothing more prepared."""
        for future in self._coming.values():
            future.cancel()

    def _room(self) -> int:
        """Return how many inputs a batch takes that begins with the next one."""
        return max(1, self._budget.tokens // self._lengths[self.waiting[0]])


def _now(function: Callable[..., Ready], *arguments: Any) -> "Future[Ready]":
    """Return what a thread would, done here."""
    future: Future[Ready] = Future()
    future.set_result(function(*arguments))
    return future


def ahead(
    prepare: Callable[[Item], Ready], items: Sequence[Item], *, until: float | None = None
) -> Iterator[Ready | PictureError]:
    """Yield each input prepared, in their order, while other threads prepare those that follow.

    At `until`, on the clock `time.monotonic`, s, it ends with the first that is not ready by then.
    """
    waiting = iter(items)
    coming: deque[Future[Ready | PictureError]] = deque()
    try:
        while True:
            for item in islice(waiting, 2 * WORKERS + 1 - len(coming)):
                coming.append(workers().submit(attempt, prepare, item))
            if not coming:
                return
            left = None if until is None else max(0.0, until - time.monotonic())
            if not wait([coming[0]], left).done:
                return
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
