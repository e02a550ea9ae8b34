"""Threads that answer for asyncio: so many at once, and none works on for who has left."""

import asyncio
import contextvars
import threading
from collections.abc import AsyncGenerator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from math import ceil
from time import monotonic
from typing import TypeVar

from retrievals_serving.cancelling import Cancelled
from retrievals_serving.errors import ServerBusy

Value = TypeVar("Value")

WEIGHT = 0.1  # of the last piece of work in the mean time of one


class Workers:
    """Runs blocking work in threads of its own; used from one event loop.

    Work whose awaiting task is cancelled is told so by the `Cancelled` that it was given, and has
    its thread until it ends.

    Attributes:
        size: How many pieces of work may be under way.
        busy: How many are.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self.busy = 0
        self._seconds = 0.0  # what one takes, on average
        self._threads = ThreadPoolExecutor(size, thread_name_prefix="answer")

    def close(self) -> None:
        """End the threads, once each has done what it is at."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def run(self, work: Callable[[Cancelled], Value]) -> Value:
        """Return what `work` does.

        Raises:
            ServerBusy: As much is under way as may.
        """
        if self.busy >= self.size:
            wait = max(1, ceil(self._seconds))
            raise ServerBusy(
                f"{self.busy} searches are being answered, as many as may: ask again in "
                f"{wait} s, or set RETRIEVALS_QUEUE higher.",
                seconds=wait,
            )
        left = threading.Event()
        context = contextvars.copy_context()
        began = monotonic()
        future = asyncio.get_running_loop().run_in_executor(
            self._threads, context.run, work, left.is_set
        )
        self.busy += 1
        future.add_done_callback(lambda _: self._done(monotonic() - began))
        try:
            await asyncio.wait([future])
        except asyncio.CancelledError:
            left.set()
            future.add_done_callback(_heard)
            raise
        return future.result()

    async def stream(self, work: Callable[[Cancelled], Iterator[Value]]) -> AsyncGenerator[Value]:
        """Yield what `work` yields, as soon as it does.

        Raises:
            ServerBusy: As for `run`.
        """
        loop = asyncio.get_running_loop()
        made: asyncio.Queue[Value] = asyncio.Queue()

        def produce(cancelled: Cancelled) -> None:
            for value in work(cancelled):
                loop.call_soon_threadsafe(made.put_nowait, value)

        producing = asyncio.create_task(self.run(produce))
        taking = asyncio.create_task(made.get())
        try:
            while not (producing.done() and made.empty() and not taking.done()):
                await asyncio.wait({taking, producing}, return_when=asyncio.FIRST_COMPLETED)
                if taking.done():
                    yield taking.result()
                    taking = asyncio.create_task(made.get())
            await producing
        finally:
            taking.cancel()
            producing.cancel()

    def _done(self, seconds: float) -> None:
        self.busy -= 1
        self._seconds += WEIGHT * (seconds - self._seconds)


def _heard(future: "asyncio.Future[Value]") -> None:
    """Take note of how work ended that nobody awaits, which asyncio would complain of."""
    if not future.cancelled():
        future.exception()
