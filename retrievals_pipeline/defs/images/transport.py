"""One request over HTTP, with a bound on everything: bytes, seconds, and what can go wrong.

It never raises for what a server or network does: the outcome is a value, for the ledger.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit

import requests
import urllib3

from retrievals_pipeline.defs.images.connections import Connections, Session
from retrievals_pipeline.defs.images.run_clock import RunClock, RunEnded
from retrievals_serving.http_client import is_loopback

THREADS = 16  # enough to hide the latency of a server; its limiter may leave most of them idle
MAX_BYTES = 64 << 20
MAX_BYTES_OF_A_FAILURE = 1 << 18  # a longer page is not read to its end
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
    408: "timeout",
    410: "gone",
    **dict.fromkeys((425, 429), "throttled"),
}
ADDRESS = re.compile(r"^\w*Connection(Pool)?\([^)]*\): ")  # with which urllib3 begins
# As it is stored, so that the bytes that count are those that come.
HEADERS = {"Accept": "image/jpeg, image/*;q=0.5, */*;q=0.1", "Accept-Encoding": "identity"}


@dataclass(frozen=True, kw_only=True)
class Answer:
    """How a request ended.

    Attributes:
        status: `ok` with `content`, `unchanged`, `moved`, or the ledger's word for the failure.
        detail: The failure in words.
        http_status: The answer's, if there was one.
        headers: The answer's, lower case names.
        content: The body.
        attempts: Requests made for the same picture so far.
        is_final: To ask again in the same run is of no use.
    """

    status: str
    detail: str = ""
    http_status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    content: bytes = b""
    attempts: int = 1
    is_final: bool = False


class Transport:
    """Makes requests for the threads of a run, over connections that they share.

    When the run ends, those in flight are cut: the threads that wait on them are free at once, but
    for one that is just being connected (10 s) or whose server keeps no connection (30 s).
    """

    def __init__(self, clock: RunClock, user_agent: str) -> None:
        self._clock = clock
        self._headers = {**HEADERS, "User-Agent": user_agent}
        self._connections = Connections(THREADS)
        # No proxy of the environment can reach what is on this machine.
        self._here = Session(self._connections, by_environment=False)
        self._away = Session(self._connections, by_environment=True)
        clock.at_end(self._connections.cut)

    def get(self, url: str, headers: Mapping[str, str]) -> Answer:
        """Ask once for `url`; a redirection is an answer like others.

        Raises:
            RunEnded: The run ended before there was an answer.
        """
        answer = self._get(url, {**self._headers, **headers})
        if self._clock.ended is not None and answer.status in ("timeout", "unreachable"):
            raise RunEnded
        return answer

    def close(self) -> None:
        """Close the connections."""
        self._here.close()
        self._away.close()

    def _get(self, url: str, headers: Mapping[str, str]) -> Answer:
        ends_at = self._clock.now() + MAX_SECONDS
        session = self._here if is_loopback(url) else self._away
        try:
            with session.get(
                url, headers=headers, timeout=TIMEOUT, stream=True, allow_redirects=False
            ) as response:
                return self._read(response, ends_at)
        except (requests.Timeout, urllib3.exceptions.TimeoutError) as error:
            return Answer(status="timeout", detail=_cause(error))
        except (
            requests.exceptions.InvalidURL,
            requests.exceptions.InvalidSchema,
            requests.exceptions.MissingSchema,
            urllib3.exceptions.LocationValueError,
        ) as error:
            return Answer(status="refused", detail=str(error))
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            return Answer(status="unreachable", detail=_cause(error))

    def _read(self, response: requests.Response, ends_at: float) -> Answer:
        """Read the body, also of a failure: its connection can then be used again."""
        code = response.status_code
        is_ok = code == requests.codes.ok
        default = "server_error" if code >= requests.codes.server_error else "refused"
        failure = STATUSES.get(code, default), f"HTTP {code} {response.reason}"
        content = bytearray()
        while block := response.raw.read1(BLOCK_BYTES, decode_content=True):
            content += block
            if not is_ok and len(content) > MAX_BYTES_OF_A_FAILURE:
                return _answer(response, *failure)
            if len(content) > MAX_BYTES:
                return _answer(response, "too_large", f"over {MAX_BYTES} bytes")
            if self._clock.ended is not None or self._clock.now() > ends_at:
                return _answer(response, "timeout", f"not whole after {MAX_SECONDS:g} s")
        if is_ok:
            return _answer(response, "ok", content=bytes(content))
        return _answer(response, *failure)


def is_address(url: str) -> bool:
    """Tell whether `url` can be taken apart; one with brackets astray cannot."""
    try:
        urlsplit(url)
    except ValueError:
        return False
    return True


def moved_from(url: str, location: str) -> str | None:
    """Return the address that `url` is moved to by a header `Location`; None where it is none."""
    try:
        return urljoin(url, location) if location else None
    except ValueError:
        return None


def _answer(
    response: requests.Response, status: str, detail: str = "", content: bytes = b""
) -> Answer:
    return Answer(
        status=status,
        detail=detail,
        http_status=response.status_code,
        headers={name.lower(): value for name, value in response.headers.items()},
        content=content,
    )


def _cause(error: Exception) -> str:
    """Return what happened on the wire, without the address that the ledger names already."""
    wrapped = error.args[0] if error.args else error
    return ADDRESS.sub("", str(getattr(wrapped, "reason", wrapped)))
