"""How fast one host is asked: slowly at first, then as fast as it answers with ease.

The rate grows by addition while answers are good and quick, and is halved when the host shows
strain, as TCP finds the capacity of a line. Requests in flight follow the rate.
"""

import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from retrievals_pipeline.defs.images.run_clock import RunClock

FIRST_RATE = 4.0  # requests a second
LOWEST_RATE = 0.5
HIGHEST_RATE = 20.0  # the whole National Gallery of Art in an hour
GAIN = 0.25  # requests a second, gained in each second of good answers
CUT = 0.5
SLOW = 3.0  # seconds an answer takes on average, from which on the host counts as strained
RECENT = 0.25  # weight of the last answer in that average


@dataclass
class Turn:
    """Leave to make one request; whoever makes it says how the host bore it.

    Attributes:
        strained: It cannot follow: it is asked less.
        welcome: It may be asked more.
    """

    number: int
    began: float
    strained: bool = False
    welcome: bool = False


class Limiter:
    """Paces the requests of all threads of a run to one host.

    Args:
        clock: The run's.
        is_own: The host is one's own: it is asked as fast as it can answer, but left alone for
            as long as it wishes.

    Attributes:
        rate: Requests a second, now.
    """

    def __init__(self, clock: RunClock, *, is_own: bool = False) -> None:
        self.rate = FIRST_RATE
        self._clock = clock
        self._is_own = is_own
        self._changed = threading.Condition()
        self._highest_rate = HIGHEST_RATE
        self._in_flight = 0
        self._turns = 0
        self._turns_at_cut = 0
        self._next_at = -math.inf
        self._paused_until = -math.inf
        self._seconds = 0.0

    @contextmanager
    def turn(self) -> Iterator[Turn]:
        """Wait until a request may be made, and hold its place while it is.

        Raises:
            RunEnded: The run ended before.
        """
        turn = self._enter()
        try:
            yield turn
        finally:
            self._leave(turn)

    def pause(self, seconds: float) -> None:
        """Make no request for `seconds`, as the host wishes."""
        with self._changed:
            self._paused_until = max(self._paused_until, self._clock.now() + seconds)

    def keep_below(self, rate: float) -> None:
        """Never make more than `rate` requests a second."""
        with self._changed:
            self._highest_rate = min(self._highest_rate, rate)
            self.rate = min(self.rate, rate)

    def _enter(self) -> Turn:
        moment = self._clock.now()
        while True:
            self._clock.wait_until(moment)
            with self._changed:
                self._changed.wait_for(self._has_place)
                now = self._clock.now()
                moment = max(self._paused_until, self._next_at, now)
                if moment == now and self._clock.ended is None:
                    self._in_flight += 1
                    self._turns += 1
                    if not self._is_own:
                        self._next_at = now + 1 / self.rate
                    return Turn(self._turns, now)

    def _has_place(self) -> bool:
        """Tell whether fewer requests are in flight than may be made in a second."""
        return self._is_own or self._in_flight < max(1, int(self.rate))

    def _leave(self, turn: Turn) -> None:
        with self._changed:
            self._in_flight -= 1
            self._seconds += RECENT * (self._clock.now() - turn.began - self._seconds)
            if turn.strained or self._seconds > SLOW:
                if turn.number > self._turns_at_cut:  # asked at this rate, not at the one before
                    self.rate = max(min(LOWEST_RATE, self._highest_rate), self.rate * CUT)
                    self._turns_at_cut = self._turns
            elif turn.welcome:
                # As many good answers as there are requests in a second make one gain.
                self.rate = min(self._highest_rate, self.rate + GAIN / self.rate)
            self._changed.notify_all()
