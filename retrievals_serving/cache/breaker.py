"""A circuit breaker: what failed is left alone for a while, instead of being waited for again."""

import threading
from collections.abc import Callable
from time import monotonic

PAUSE = 5.0  # seconds


class Breaker:
    """Closed while a service works, open for `pause` seconds after each failure, then half-open.

    Half-open, one caller is let through to try, and its success closes the breaker. Who is let
    through says what came of it; if nothing is said, another caller tries after one more pause.
    Safe to use from several threads.
    """

    def __init__(self, pause: float = PAUSE, *, timer: Callable[[], float] = monotonic) -> None:
        """Start closed; `timer` gives seconds."""
        self._pause = pause
        self._timer = timer
        self._again: float | None = None  # when the next caller may try; None while closed
        self._is_tried = False
        self._lock = threading.Lock()

    @property
    def is_closed(self) -> bool:
        """Whether everyone is let through."""
        return self._again is None

    def lets_through(self) -> bool:
        """Tell whether the caller may use the service."""
        with self._lock:
            if self._again is None:
                return True
            if self._timer() < self._again:
                return False
            self._again = self._timer() + self._pause
            self._is_tried = True
            return True

    def succeed(self) -> bool:
        """Note that the service works; tell whether this closed the breaker.

        A success that began before the failure, and only ended after it, closes nothing.
        """
        with self._lock:
            is_closing = self._is_tried
            if is_closing:
                self._again, self._is_tried = None, False
            return is_closing

    def fail(self) -> bool:
        """Note that the service failed; tell whether this opened the breaker."""
        with self._lock:
            is_opening = self._again is None
            self._again, self._is_tried = self._timer() + self._pause, False
            return is_opening
