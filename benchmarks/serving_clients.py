"""Those who ask a server: at times of their own, or again as soon as they are answered.

Each is a thread with a connection of its own, and sleeps until it asks: a thread wakes within a
tenth of a millisecond, a timer of asyncio within one.
"""

import http.client
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np

THREADS = 64
TIMEOUT = 60.0  # seconds
IDLE = 2.0  # seconds after which a connection is made again; a server closes it after 5
ANSWERED, DEGRADED, REFUSED, LEFT = "answered", "degraded", "refused", "left"
LEAVE = 0.02, 0.1  # seconds after which those leave who do not wait for their answer
AWAY = 0.5  # seconds until they come again


class Answer(NamedTuple):
    """An answer as its client sees it.

    Attributes:
        text: What was asked.
        due: When it was to be asked, on the clock `perf_counter`, s.
        ended: When the last byte of the answer was there.
        status: Of the answer.
        own: What stands at its end: `latency_ms`, `timings`, `cached`, `degraded`.
    """

    text: str
    due: float
    ended: float
    status: int
    own: dict[str, Any]

    @property
    def is_answer(self) -> bool:
        """Whether the search was answered, and not refused."""
        return self.status == http.client.OK


class Client:
    """One who asks, over a connection that is kept."""

    def __init__(self, host: str) -> None:
        self._connection = http.client.HTTPConnection(host, timeout=TIMEOUT)
        self._used = time.monotonic()

    def ask(self, text: str, due: float | None = None) -> tuple[Answer, http.client.HTTPMessage]:
        """Search for `text`, which was to be asked at `due`; return also the answer's headers."""
        due = time.perf_counter() if due is None else due
        self._send(text)
        with self._connection.getresponse() as response:
            content = response.read()
        ended = time.perf_counter()
        start = content.rfind(b'"latency_ms"')
        own = json.loads(b"{" + content[start:]) if start > 0 else {}
        return Answer(text, due, ended, response.status, own), response.headers

    def leave(self, text: str, after: float) -> None:
        """Search for `text`, and be gone `after` seconds later."""
        self._send(text)
        time.sleep(after)
        self.close()

    def close(self) -> None:
        """End the connection; the next question opens another."""
        self._connection.close()

    def _send(self, text: str) -> None:
        if time.monotonic() > self._used + IDLE:
            self.close()
        self._used = time.monotonic()
        body = json.dumps({"query": text})
        self._connection.request("POST", "/search", body, {"Content-Type": "application/json"})


def at_rate(host: str, texts: Sequence[str], rate: float, seed: int = 0) -> list[Answer]:
    """Ask each of `texts` at its time, whether those before are answered or not.

    The times are those of a Poisson process of `rate` a second, as visitors come who know nothing
    of each other.
    """
    pauses = np.random.default_rng(seed).exponential(1 / rate, len(texts))
    times = time.perf_counter() + 0.1 + np.cumsum(pauses)
    local, clients = threading.local(), list[Client]()

    def connect() -> None:
        local.client = Client(host)
        clients.append(local.client)

    def ask(text: str, due: float) -> Answer:
        time.sleep(max(0.0, due - time.perf_counter()))
        return local.client.ask(text, due)[0]

    with ThreadPoolExecutor(THREADS, initializer=connect) as pool:
        answers = list(pool.map(ask, texts, times.tolist()))
    for client in clients:
        client.close()
    return answers


class Crowd:
    """Those who ask again and again for a while, and what came of it.

    Attributes:
        counted: How often a search was answered, refused, left, or something else came of it.
    """

    def __init__(self, host: str) -> None:
        self.counted: Counter[str] = Counter()
        self._host = host
        self._numbers: Iterator[int] = iter(range(1_000_000, 1 << 31))
        self._lock = threading.Lock()
        self._ends = 0.0

    def come(self, seconds: float, *, stay: int, leave: int) -> None:
        """Let `stay` ask who wait for their answers, and `leave` who do not, for `seconds`."""
        self._ends = time.perf_counter() + seconds
        whats = [self._stay] * stay + [self._leave] * leave
        with ThreadPoolExecutor(len(whats)) as pool:
            for done in [pool.submit(self._asking, what) for what in whats]:
                done.result()

    def _asking(self, what: Callable[[Client, str], str]) -> None:
        client = Client(self._host)
        while time.perf_counter() < self._ends:
            with self._lock:
                text = f"text {next(self._numbers)}"
            try:
                came = what(client, text)
            except (OSError, http.client.HTTPException) as error:
                came = type(error).__name__
                client.close()
            with self._lock:
                self.counted[came] += 1
        client.close()

    def _stay(self, client: Client, text: str) -> str:
        answer, headers = client.ask(text)
        if answer.status == http.client.SERVICE_UNAVAILABLE:
            left = self._ends - time.perf_counter()
            time.sleep(max(0.0, min(float(headers["Retry-After"]), left)))
            return REFUSED
        if not answer.is_answer:
            return f"status {answer.status}"
        return DEGRADED if answer.own["degraded"] else ANSWERED

    def _leave(self, client: Client, text: str) -> str:
        client.leave(text, float(np.random.default_rng().uniform(*LEAVE)))
        time.sleep(AWAY)
        return LEFT
