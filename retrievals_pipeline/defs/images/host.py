"""What a run knows of one host: its pace, its rules, and whether it is in trouble."""

import threading

from retrievals_pipeline.defs.images.limiter import Limiter
from retrievals_pipeline.defs.images.robots import Robots
from retrievals_pipeline.defs.images.run_clock import KEPT, RunClock
from retrievals_pipeline.defs.images.transport import UNCHANGED, Answer
from retrievals_serving.errors import SourceError, SourceUnavailable

TIMEOUT = "timeout"
WORTH_A_RETRY = frozenset({TIMEOUT, "unreachable", "server_error", "throttled"})
FORBIDDEN = "forbidden"
AWAY = frozenset({"not_found", "gone"})
MAX_IN_A_ROW = 32  # works that fail or are not shown, as if the host were down, or shut us out
MAX_SILENCE = 300.0  # seconds of timeouts alone: a dark host takes half a minute for each request
FEW = 4  # works; a host that times out for fewer may hang on these pictures alone
NOT_SHOWN = (
    "See whether it shows their pictures in a browser, and if RETRIEVALS_IIIF_MIRROR is right. "
    "What is done is kept; `retrievals build --revalidate` asks for these works too."
)


class Host:
    """One host.

    Args:
        origin: Scheme and name, as `https://museum.example`.
        limiter: Its pace.
        clock: The run's.

    Attributes:
        reading: Held by the thread that reads the rules.
        robots: The rules; None until they are read.
        serves_works: Works have their addresses here: without it the run has nothing to do.
        closed: Why it is not asked any more; None while it is.
    """

    def __init__(self, origin: str, limiter: Limiter, clock: RunClock) -> None:
        self.origin = origin
        self.limiter = limiter
        self.reading = threading.Lock()
        self.robots: Robots | None = None
        self.serves_works = False
        self.closed: str | None = None
        self._failing: set[str] = set()
        self._not_shown: set[str] = set()
        self._silent_since: float | None = None
        self._clock = clock
        self._lock = threading.Lock()

    def note(self, answer: Answer, work: str | None) -> SourceError | None:
        """Note how a request ended.

        Args:
            answer: What came.
            work: Address of the work it was for; None where a failure says nothing of the host.

        Returns:
            Why the host is to be left alone from now on, if it is: too many works in a row, each
            counted once however often it is tried, were of no avail, or for too long every
            request timed out.
        """
        with self._lock:
            now = self._clock.now()
            if answer.status in {FORBIDDEN, *AWAY}:
                self._not_shown.update([work] if work else [])
            elif answer.status in WORTH_A_RETRY:
                self._failing.update([work] if work else [])
            else:
                self._failing.clear()
                if answer.status in ("ok", UNCHANGED):
                    self._not_shown.clear()
            if answer.status != TIMEOUT:
                self._silent_since = None
            elif work is not None and self._silent_since is None:
                self._silent_since = now
            silence = 0.0 if self._silent_since is None else now - self._silent_since
            failing, not_shown = len(self._failing), len(self._not_shown)
        last = f"the last with {answer.status} ({answer.detail})"
        if failing >= MAX_IN_A_ROW:
            return SourceUnavailable(
                f"{failing} works in a row of {self.origin} failed, {last}. {KEPT}"
            )
        if silence >= MAX_SILENCE and failing >= FEW:
            return SourceUnavailable(
                f"{self.origin} has answered nothing for {silence:.0f} s, {last}. {KEPT}"
            )
        if not_shown >= MAX_IN_A_ROW:
            # To ask again in a minute would make it worse.
            return SourceError(
                f"{self.origin} showed none of {not_shown} works in a row, {last}. {NOT_SHOWN}"
            )
        return None
