"""Fetching pictures as a good guest: paced, patient, and gone when the host is in trouble."""

import random
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Self
from urllib.parse import urljoin, urlsplit

from retrievals_pipeline.defs.images.clock import KEPT, RunClock, RunEnded
from retrievals_pipeline.defs.images.http import MOVED, Answer, Transport, retry_after
from retrievals_pipeline.defs.images.limiter import Limiter
from retrievals_pipeline.defs.images.robots import READABLE, Robots
from retrievals_pipeline.http import is_loopback, user_agent
from retrievals_serving.errors import SourceError, SourceUnavailable

MAX_ATTEMPTS = 5
MAX_REDIRECTS = 5
BACK_OFF = 1.0  # seconds, at most, before the second attempt; twice as many before each next
MAX_PAUSE = 900.0  # seconds; a host that wants to be left alone for longer ends the run
MAX_FAILURES_IN_A_ROW = 32  # requests, as if the host were down: these end the run

WORTH_A_RETRY = frozenset({"timeout", "unreachable", "server_error", "throttled"})
STRAIN = frozenset({429, 502, 503, 504})


class Fetcher:
    """Fetches pictures for the threads of one run, which ends when a host asks or seems to.

    A context manager: leaving it closes the connections.

    Args:
        clock: The run's.
        is_own: Tells of an address whether its host is one's own: it is not paced, and not asked
            for its robots.txt.
        contact: Address of whoever runs this, for the user agent.
    """

    def __init__(
        self,
        *,
        clock: RunClock | None = None,
        is_own: Callable[[str], bool] = is_loopback,
        contact: str | None = None,
    ) -> None:
        self._clock = clock or RunClock()
        self._is_own = is_own
        self._transport = Transport(self._clock, user_agent(contact))
        self._hosts: dict[str, Host] = {}
        self._lock = threading.Lock()

    @property
    def ended(self) -> SourceError | None:
        """Why the run has ended; None while it goes on."""
        return self._clock.ended

    def fetch(self, url: str, held: Mapping[str, str] | None = None) -> Answer:
        """Fetch `url`, trying again when a retry can help.

        `held` are the headers of a conditional request, which may be answered `unchanged`.

        Raises:
            RunEnded: The run ended before there was an outcome.
        """
        try:
            return self._retrying(lambda: self._follow(url, held or {}))
        except ValueError as error:  # urllib's, of an address that cannot be taken apart
            return Answer(status="refused", reason=str(error))

    @contextmanager
    def ending_with_errors(self) -> Iterator[None]:
        """End the run when an error, or Ctrl-C, leaves the context, so that no thread waits on."""
        try:
            yield
        except BaseException as error:
            self._clock.end(SourceError(f"the run was ended by {type(error).__name__}. {KEPT}"))
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._transport.close()

    def _retrying(self, ask: Callable[[], Answer]) -> Answer:
        attempts = 0
        while True:
            attempts += 1
            answer = replace(ask(), attempts=attempts)
            if answer.status not in WORTH_A_RETRY or attempts == MAX_ATTEMPTS:
                return answer
            if retry_after(answer) is None:  # else the host's own pause holds all back
                self._clock.wait_until(self._clock.now() + back_off(attempts))

    def _follow(self, url: str, headers: Mapping[str, str], *, obey: bool = True) -> Answer:
        """Ask for `url` and for where it is moved to, each under the rules of its host."""
        for _ in range(MAX_REDIRECTS + 1):
            host = self._host(url)
            if obey and not self._is_own(url) and not self._robots(host).allows(url):
                return Answer(status="restricted", reason=f"robots.txt of {host.origin}")
            answer = self._ask(host, url, headers)
            if answer.status != MOVED:
                return answer
            if "location" not in answer.headers:
                return replace(answer, status="refused")
            url = urljoin(url, answer.headers["location"])
        return replace(answer, status="refused", reason=f"more than {MAX_REDIRECTS} redirects")

    def _ask(self, host: "Host", url: str, headers: Mapping[str, str]) -> Answer:
        with host.limiter.turn() as turn:
            answer = self._transport.get(url, headers)
            turn.strained = answer.http_status in STRAIN or (
                answer.status in ("timeout", "unreachable")
            )
            wish = retry_after(answer) if answer.status in WORTH_A_RETRY else None
            if wish is not None:
                host.limiter.pause(wish)
        if wish is not None and wish > MAX_PAUSE:
            # No reason to try again soon: the wish stands.
            self._clock.end(
                SourceError(f"{host.origin} wishes to be left alone for {wish:,.0f} s. {KEPT}")
            )
        failures = host.count(failed=answer.status in WORTH_A_RETRY)
        if failures >= MAX_FAILURES_IN_A_ROW:
            self._clock.end(
                SourceUnavailable(
                    f"{failures} requests in a row to {host.origin} failed, the last with "
                    f"{answer.status} ({answer.reason}). {KEPT}"
                )
            )
        return answer

    def _host(self, url: str) -> "Host":
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc}"
        with self._lock:
            if origin not in self._hosts:
                self._hosts[origin] = Host(origin, Limiter(self._clock, is_own=self._is_own(url)))
            return self._hosts[origin]

    def _robots(self, host: "Host") -> Robots:
        """Return the host's rules, reading them when they are asked for first."""
        with host.reading:
            if host.robots is None:
                address = f"{host.origin}/robots.txt"
                answer = self._retrying(lambda: self._follow(address, {}, obey=False))
                if answer.status not in READABLE:
                    reason = f"{address} could not be read ({answer.reason}). {KEPT}"
                    self._clock.end(SourceUnavailable(reason))
                    raise RunEnded
                host.robots = Robots(answer)
                if host.robots.highest_rate is not None:
                    host.limiter.keep_below(host.robots.highest_rate)
            return host.robots


class Host:
    """What a run knows of one host: its pace, its rules, and how it fares."""

    def __init__(self, origin: str, limiter: Limiter) -> None:
        self.origin = origin
        self.limiter = limiter
        self.reading = threading.Lock()
        self.robots: Robots | None = None
        self._failures_in_a_row = 0
        self._lock = threading.Lock()

    def count(self, *, failed: bool) -> int:
        """Note how a request ended, and return how many in a row have failed."""
        with self._lock:
            self._failures_in_a_row = self._failures_in_a_row + 1 if failed else 0
            return self._failures_in_a_row


def back_off(attempt: int) -> float:
    """Return the seconds to wait after attempt `attempt` (from 1): chance spreads the retries."""
    return random.uniform(0, BACK_OFF * 2 ** (attempt - 1))  # noqa: S311 - no secret
