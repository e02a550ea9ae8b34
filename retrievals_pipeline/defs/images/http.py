"""Fetching one picture over HTTP: a session a thread, bounded retries, bounded size.

It never raises for what a server or network does: the outcome is a value, for the ledger.
"""

import re
import threading
from dataclasses import dataclass, field
from time import sleep
from typing import Self

import requests

from retrievals_pipeline.http import USER_AGENT, is_loopback

MAX_BYTES = 64 << 20
MAX_ATTEMPTS = 3
MAX_RETRY_AFTER = 60.0  # seconds
TIMEOUT = (10, 30)  # seconds to connect, and between two pieces of the answer

STATUSES = {401: "forbidden", 403: "forbidden", 404: "not_found", 410: "not_found"}
WORTH_A_RETRY = frozenset({"timeout", "unreachable", "server_error"})


@dataclass(frozen=True, kw_only=True)
class Answer:
    """How the fetching of one address ended.

    Attributes:
        status: `ok` with `content`, else the ledger's word for the failure.
        reason: The failure in words.
        http_status: The last answer's, if there was one.
        headers: The last answer's, lower case names.
        content: The body.
        attempts: Requests made.
    """

    status: str
    reason: str = ""
    http_status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    content: bytes = b""
    attempts: int = 1


class Fetcher:
    """Fetches pictures for many threads, each with a session and its kept-alive connections.

    A context manager: leaving it closes the connections.

    Attributes:
        failures_in_a_row: Addresses that failed, after every retry, as if the server were down.
    """

    def __init__(self) -> None:
        self._local = threading.local()
        self._sessions: list[requests.Session] = []
        self._lock = threading.Lock()
        self.failures_in_a_row = 0

    def fetch(self, url: str) -> Answer:
        """Fetch `url`, trying again when a retry can help."""
        attempts = 0
        while True:
            attempts += 1
            answer = self._attempt(url, attempts)
            failed = answer.status in WORTH_A_RETRY
            if not failed or attempts == MAX_ATTEMPTS:
                with self._lock:
                    self.failures_in_a_row = self.failures_in_a_row + 1 if failed else 0
                return answer
            sleep(retry_delay(attempts, answer.headers.get("retry-after")))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            for session in self._sessions:
                session.close()
            self._sessions.clear()

    def _session(self, url: str) -> requests.Session:
        if not hasattr(self._local, "session"):
            session = requests.Session()
            session.headers["User-Agent"] = USER_AGENT
            session.trust_env = not is_loopback(url)
            with self._lock:
                self._sessions.append(session)
            self._local.session = session
        return self._local.session  # type: ignore[no-any-return]

    def _attempt(self, url: str, attempt: int) -> Answer:
        try:
            with self._session(url).get(url, timeout=TIMEOUT, stream=True) as response:
                return _read(response, attempt)
        except requests.Timeout as error:
            return Answer(status="timeout", reason=str(error), attempts=attempt)
        except (
            requests.TooManyRedirects,
            requests.exceptions.InvalidURL,
            requests.exceptions.InvalidSchema,
        ) as error:
            return Answer(status="refused", reason=str(error), attempts=attempt)
        except requests.RequestException as error:
            return Answer(status="unreachable", reason=_cause(error), attempts=attempt)


def _read(response: requests.Response, attempt: int) -> Answer:
    code = response.status_code
    headers = {name.lower(): value for name, value in response.headers.items()}

    def answer(status: str, reason: str = "", content: bytes = b"") -> Answer:
        return Answer(
            status=status,
            reason=reason,
            http_status=code,
            headers=headers,
            content=content,
            attempts=attempt,
        )

    if code == requests.codes.too_many_requests or code >= requests.codes.server_error:
        return answer("server_error", f"HTTP {code} {response.reason}")
    if code != requests.codes.ok:
        return answer(STATUSES.get(code, "refused"), f"HTTP {code} {response.reason}")
    content_type = headers.get("content-type", "")
    if not content_type.startswith("image/"):
        return answer("not_an_image", f"content type {content_type!r}")
    content = bytearray()
    for block in response.iter_content(1 << 16):
        content += block
        if len(content) > MAX_BYTES:
            return answer("too_large", f"over {MAX_BYTES} bytes")
    return answer("ok", content=bytes(content))


def _cause(error: requests.RequestException) -> str:
    """Return what happened on the wire, without the address that the ledger names already."""
    wrapped = error.args[0] if error.args else error
    return str(getattr(wrapped, "reason", wrapped))


def retry_delay(attempt: int, retry_after: str | None) -> float:
    """Return the seconds to wait after the n-th attempt: the server's wish, else 1, 2, 4."""
    if retry_after is not None and re.fullmatch("[0-9]+", retry_after):
        return min(float(retry_after), MAX_RETRY_AFTER)
    return float(2 ** (attempt - 1))
