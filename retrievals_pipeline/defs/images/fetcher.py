"""Fetching pictures as a good guest: paced, patient, and gone when the host is in trouble."""

import random
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Self
from urllib.parse import urlsplit

from retrievals_pipeline.defs.images.host import FORBIDDEN, WORTH_A_RETRY, Host
from retrievals_pipeline.defs.images.limiter import Limiter
from retrievals_pipeline.defs.images.robots import READABLE, Robots
from retrievals_pipeline.defs.images.run_clock import KEPT, RunClock, RunEnded
from retrievals_pipeline.defs.images.transport import (
    MOVED,
    Answer,
    Transport,
    is_address,
    moved_from,
)
from retrievals_serving.errors import SourceError, SourceUnavailable
from retrievals_serving.http_client import is_loopback, user_agent
from retrievals_serving.retry_after import MAX_PAUSE, retry_after

MAX_ATTEMPTS = 5
MAX_REDIRECTS = 5
BACK_OFF = 1.0  # seconds, at most, before the second attempt; twice as many before each next

STRAIN = frozenset({429, 502, 503, 504})


class Fetcher:
    """Fetches pictures for the threads of one run, which ends when their host asks or seems to.

    A host that only redirections lead to is left alone in such a case, and the run goes on.

    A context manager: leaving it closes the connections.

    Args:
        clock: The run's.
        is_own: Tells of an address whether its host is one's own: it is not paced, not asked for
            its robots.txt, and not followed to from another's.
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

    def fetch(
        self, url: str, held: Mapping[str, str] | None = None, *, failed_before: bool = False
    ) -> Answer:
        """Fetch `url`, trying again when a retry can help.

        Args:
            url: Address of a work's picture.
            held: The headers of a conditional request, which may be answered `unchanged`.
            failed_before: It is no news if it fails: that says nothing of its host.

        Raises:
            RunEnded: The run ended before there was an outcome.
        """
        if not is_address(url):
            return Answer(status="refused", detail=f"{url!r} is no address")
        self._host(url).serves_works = True
        work = None if failed_before else url
        return self._retrying(lambda: self._follow(url, held or {}, work))

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
        """Return the last of as many answers as it takes; the one there is when the run ends."""
        answer = ask()
        for attempt in range(1, MAX_ATTEMPTS):
            if answer.status not in WORTH_A_RETRY or answer.is_final:
                break
            try:
                # Where the host wishes for a longer pause, its limiter sees to that.
                self._clock.wait_until(self._clock.now() + back_off(attempt))
                answer = replace(ask(), attempts=attempt + 1)
            except RunEnded:
                break
        return answer

    def _follow(
        self, url: str, headers: Mapping[str, str], work: str | None, *, obey: bool = True
    ) -> Answer:
        """Ask for `url` and for where it is moved to, each under the rules of its host."""
        for _ in range(MAX_REDIRECTS + 1):
            host = self._host(url)
            if obey and not self._is_own(url):
                robots = self._robots(host)
                if robots is not None and not robots.allows(url):
                    return Answer(status="restricted", detail=f"robots.txt of {host.origin}")
            answer = self._ask(host, url, headers, work)
            if answer.status != MOVED:
                return answer
            moved_to = moved_from(url, answer.headers.get("location", ""))
            if moved_to is None:
                return replace(answer, status="refused")
            if self._is_own(moved_to) and not self._is_own(url):
                # A stranger must not reach through us what only we can.
                return replace(answer, status="refused", detail="moved to a host of one's own")
            url = moved_to
        return replace(answer, status="refused", detail=f"more than {MAX_REDIRECTS} redirects")

    def _ask(self, host: Host, url: str, headers: Mapping[str, str], work: str | None) -> Answer:
        with host.limiter.turn() as turn:
            if host.closed is not None:
                return Answer(status="unreachable", detail=host.closed, is_final=True)
            answer = self._transport.get(url, headers)
            turn.strained = answer.http_status in STRAIN or (
                answer.status in ("timeout", "unreachable")
            )
            turn.welcome = answer.status not in {FORBIDDEN, *WORTH_A_RETRY}
            wish = retry_after(answer.headers)
            trouble = host.note(answer, work)
            if wish is not None and wish > MAX_PAUSE:
                # No reason to try again soon: the wish stands.
                trouble = SourceError(
                    f"{host.origin} wishes to be left alone for {wish:,.0f} s. {KEPT}"
                )
            elif wish is not None:
                host.limiter.pause(wish)
            if trouble is not None:
                self._leave_alone(host, trouble)
        return answer

    def _leave_alone(self, host: Host, trouble: SourceError) -> None:
        if host.serves_works:
            self._clock.end(trouble)
        else:
            host.closed = str(trouble)

    def _host(self, url: str) -> Host:
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc}"
        with self._lock:
            if origin not in self._hosts:
                limiter = Limiter(self._clock, is_own=self._is_own(url))
                self._hosts[origin] = Host(origin, limiter, self._clock)
            return self._hosts[origin]

    def _robots(self, host: Host) -> Robots | None:
        """Return the host's rules, reading them when they are asked for first.

        None when they cannot be read and the host is left alone for it.
        """
        with host.reading:
            if host.robots is None and host.closed is None:
                address = f"{host.origin}/robots.txt"
                answer = self._retrying(lambda: self._follow(address, {}, None, obey=False))
                if answer.status not in READABLE:
                    reason = f"{address} could not be read ({answer.detail}). {KEPT}"
                    self._leave_alone(host, SourceUnavailable(reason))
                else:
                    host.robots = Robots(answer.content)
                    if host.robots.highest_rate is not None:
                        host.limiter.keep_below(host.robots.highest_rate)
            return host.robots


def back_off(attempt: int) -> float:
    """Return the seconds to wait after attempt `attempt` (from 1): chance spreads the retries."""
    return random.uniform(0, BACK_OFF * 2 ** (attempt - 1))  # noqa: S311 - no secret
