"""How long an answer took, and which stage of it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Clock:
    """Measures an answer and its stages, in ms."""

    def __init__(self) -> None:
        self.stages = {"embed": 0.0, "search": 0.0, "rerank": 0.0, "metadata": 0.0}
        self._started = time.perf_counter()

    def elapsed(self) -> float:
        """Return the time since the clock was made."""
        return 1000 * (time.perf_counter() - self._started)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Measure what is done inside."""
        before = self.elapsed()
        yield
        self.stages[name] = self.elapsed() - before
