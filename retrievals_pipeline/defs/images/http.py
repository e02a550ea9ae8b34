"""One request over HTTP, with a bound on everything: bytes, seconds, and what can go wrong.

It never raises for what a server or network does: the outcome is a value, for the ledger.
"""

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import requests
import urllib3

from retrievals_pipeline.defs.images.clock import RunClock
from retrievals_pipeline.http import is_loopback

MAX_BYTES = 64 << 20
BLOCK_BYTES = 1 << 16
TIMEOUT = (10, 30)  # seconds to connect, and between two pieces of the answer
MAX_SECONDS = 120.0  # for the whole of an answer, however steadily its pieces come

NOT_MODIFIED = 304
UNCHANGED, MOVED = "unchanged", "moved"
STATUSES = {
    200: "ok",
    NOT_MODIFIED: UNCHANGED,
    **dict.fromkeys((301, 302, 303, 307, 308), MOVED),
    **dict.fromkeys((401, 403), "forbidden"),
    404: "not_found",
    410: "gone",
    429: "throttled",
}
ADDRESS = re.compile(r"^\w*Connection(Pool)?\([^)]*\): ")  # with which urllib3 begins
# As it is stored, so that the bytes that count are those that come.
HEADERS = {"Accept": "image/jpeg, image/*;q=0.5, */*;q=0.1", "Accept-Encoding": "identity"}


@dataclass(frozen=True, kw_only=True)
class Answer:
    """How a request ended.

    Attributes:
        status: `ok` with `content`, `unchanged`, `moved`, or the ledger's word for the failure.
        reason: The failure in words.
        http_status: The answer's, if there was one.
        headers: The answer's, lower case names.
        content: The body.
        attempts: Requests made for the same picture so far.
    """

    status: str
    reason: str = ""
    http_status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    content: bytes = b""
    attempts: int = 1


class Transport:
    """Makes requests for many threads, each with a session and its kept-alive connections."""

    def __init__(self, clock: RunClock, user_agent: str) -> None:
        self._clock = clock
        self._user_agent = user_agent
        self._local = threading.local()
        self._sessions: list[requests.Session] = []
        self._lock = threading.Lock()

    def get(self, url: str, headers: Mapping[str, str]) -> Answer:
        """Ask once for `url`; a redirection is an answer like others."""
        ends_at = self._clock.now() + MAX_SECONDS
        session = self._session()
        session.trust_env = not is_loopback(url)
        try:
            with session.get(
                url, headers=headers, timeout=TIMEOUT, stream=True, allow_redirects=False
            ) as response:
                return self._read(response, ends_at)
        except (requests.Timeout, urllib3.exceptions.TimeoutError) as error:
            return Answer(status="timeout", reason=_cause(error))
        except (
            requests.exceptions.InvalidURL,
            requests.exceptions.InvalidSchema,
            requests.exceptions.MissingSchema,
        ) as error:
            return Answer(status="refused", reason=str(error))
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            return Answer(status="unreachable", reason=_cause(error))

    def close(self) -> None:
        """Close the connections of all threads."""
        with self._lock:
            for session in self._sessions:
                session.close()
            self._sessions.clear()

    def _session(self) -> requests.Session:
        if not hasattr(self._local, "session"):
            session = requests.Session()
            session.headers.update({**HEADERS, "User-Agent": self._user_agent})
            with self._lock:
                self._sessions.append(session)
            self._local.session = session
        return self._local.session  # type: ignore[no-any-return]

    def _read(self, response: requests.Response, ends_at: float) -> Answer:
        """Read the body, also of a failure: its connection can then be used again."""
        content = bytearray()
        while block := response.raw.read1(BLOCK_BYTES, decode_content=True):
            content += block
            if len(content) > MAX_BYTES:
                return _answer(response, "too_large", f"over {MAX_BYTES} bytes")
            if self._clock.now() > ends_at:
                return _answer(response, "timeout", f"not whole after {MAX_SECONDS:g} s")
        code = response.status_code
        if code == requests.codes.ok:
            return _answer(response, "ok", content=bytes(content))
        default = "server_error" if code >= requests.codes.server_error else "refused"
        return _answer(response, STATUSES.get(code, default), f"HTTP {code} {response.reason}")


def retry_after(answer: Answer) -> float | None:
    """Return for how many seconds the host wishes to be left alone, if it says so."""
    wish = answer.headers.get("retry-after", "").strip()
    if wish.isascii() and wish.isdigit():
        return float(wish)
    moment = _date(wish)
    if moment is None:
        return None
    # By the host's own clock, where it tells the time.
    now = _date(answer.headers.get("date", "")) or datetime.now(UTC)
    return max(0.0, (moment - now).total_seconds())


def _date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)


def _answer(
    response: requests.Response, status: str, reason: str = "", content: bytes = b""
) -> Answer:
    return Answer(
        status=status,
        reason=reason,
        http_status=response.status_code,
        headers={name.lower(): value for name, value in response.headers.items()},
        content=content,
    )


def _cause(error: Exception) -> str:
    """Return what happened on the wire, without the address that the ledger names already."""
    wrapped = error.args[0] if error.args else error
    return ADDRESS.sub("", str(getattr(wrapped, "reason", wrapped)))
