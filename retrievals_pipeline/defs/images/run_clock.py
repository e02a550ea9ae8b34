"""The time of one run, which all its threads share: they wait by it, and it ends their waiting."""

import threading
import time
from collections.abc import Callable

from retrievals_serving.errors import SourceError

KEPT = "What is done is kept; run the build again later to go on."


class RunEnded(Exception):
    """The run has ended, so that nothing more is asked for."""


class RunClock:
    """Tells the time of a run and lets its threads wait, until the run ends.

    Args:
        seconds: How long the run may take; None for as long as it needs.

    Attributes:
        ended: Why the run has ended; None while it goes on.
    """

    def __init__(self, seconds: float | None = None) -> None:
        self._ending = threading.Event()
        self._lock = threading.Lock()
        self._seconds = seconds
        self._began = self.now()
        self._at_end: list[Callable[[], None]] = []
        self.ended: SourceError | None = None

    def now(self) -> float:
        """Return seconds since some moment before the run."""
        return time.monotonic()

    def wait_until(self, moment: float) -> None:
        """Wait for `moment`, in the seconds of `now`.

        Raises:
            RunEnded: The run ended meanwhile, or will before `moment`.
        """
        if self._seconds is not None and moment - self._began > self._seconds:
            self.end(SourceError(f"the run's {self._seconds:g} seconds are over. {KEPT}"))
        if self.ended is None:
            self._sleep_until(moment)
        if self.ended is not None:
            raise RunEnded

    def at_end(self, call: Callable[[], None]) -> None:
        """Have `call` called when the run ends, by the thread that ends it."""
        self._at_end.append(call)

    def end(self, reason: SourceError) -> None:
        """End the run for `reason`, and wake all who wait. The first reason stands."""
        with self._lock:
            if self.ended is not None:
                return
            self.ended = reason
        self._ending.set()
        for call in self._at_end:
            call()

    def _sleep_until(self, moment: float) -> None:
        self._ending.wait(max(0.0, moment - self.now()))
