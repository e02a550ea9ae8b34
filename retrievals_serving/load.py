"""Load on a running API: how long its answers take, many asked for at once."""

import http.client
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from time import perf_counter
from typing import Any
from urllib.parse import quote, urlsplit

import numpy as np
from pydantic import SecretStr

from retrievals_serving.errors import RetrievalsError, SettingsError

TARGETS = {95: 50.0, 99: 100.0}  # ms, by percentile
TIMEOUT = 60.0  # s
Request = tuple[str, str, bytes | None]  # method, path, body


@dataclass(frozen=True)
class Load:
    """What came of some requests.

    Attributes:
        milliseconds: float64 (answered,), how long each answer took.
        seconds: From the first request to the last answer.
        failed: Why the others were not answered, and how often.
    """

    milliseconds: np.ndarray
    seconds: float
    failed: dict[str, int]

    def figures(self) -> dict[str, float]:
        """Return percentiles, extremes, mean and standard deviation, in ms, by name."""
        times = self.milliseconds
        percentiles = {f"p{each}": float(np.percentile(times, each)) for each in (50, 90, 95, 99)}
        named = {"min": times.min(), "max": times.max(), "mean": times.mean(), "std": times.std()}
        return percentiles | {name: float(value) for name, value in named.items()}

    def missed(self) -> list[str]:
        """Return which of the targets were missed, and by what."""
        found = {each: float(np.percentile(self.milliseconds, each)) for each in TARGETS}
        return [
            f"p{each} is {found[each]:.1f} ms, not under {target:g}"
            for each, target in TARGETS.items()
            if found[each] >= target
        ]


def searches(queries: Sequence[str], *, rerank: bool) -> Iterator[Request]:
    """Yield a search for each of `queries`."""
    for query in queries:
        yield "POST", "/search", json.dumps({"query": query, "rerank": rerank}).encode()


def likes(ids: Sequence[str]) -> Iterator[Request]:
    """Yield a request for what looks like each of the works `ids`, which needs no model."""
    for artwork_id in ids:
        yield "GET", f"/artworks/{quote(artwork_id, safe='')}/similar", None


def drive(
    url: str, requests: Sequence[Request], *, at_once: int, key: SecretStr | None = None
) -> Load:
    """Send `requests` to the API at `url`, `at_once` at a time, each over a kept connection.

    Args:
        url: Address of the API.
        requests: What is asked.
        at_once: How many connections there are.
        key: API key to ask with.

    Raises:
        SettingsError: `url` is no http address.
        RetrievalsError: Nothing answers there, or nothing was answered.
    """
    local, counting = threading.local(), threading.Lock()
    failed: dict[str, int] = {}
    connections: list[http.client.HTTPConnection] = []
    connect = _connecting(url)
    shown = {"Authorization": f"Bearer {key.get_secret_value()}"} if key else {}

    def ask(request: Request) -> float | None:
        method, path, body = request
        headers = shown | ({"Content-Type": "application/json"} if body else {})
        started = perf_counter()
        try:
            if not hasattr(local, "connection"):
                local.connection = connect()  # which opens itself again where it was broken
                connections.append(local.connection)
            local.connection.request(method, path, body, headers)
            with local.connection.getresponse() as response:
                content = response.read()
        except (OSError, http.client.HTTPException) as error:
            local.connection.close()
            why = f"{type(error).__name__}: {error}"
        else:
            if response.status == http.client.OK:
                return 1000 * (perf_counter() - started)
            why = _reason(response.status, content)
        with counting:
            failed[why] = failed.get(why, 0) + 1
        return None

    started = perf_counter()
    with ThreadPoolExecutor(at_once) as pool:
        answered = [each for each in pool.map(ask, requests) if each is not None]
    seconds = perf_counter() - started
    for connection in connections:
        connection.close()
    if not answered:
        raise RetrievalsError(f"{url} answered none of {len(requests)} requests: {failed}.")
    return Load(np.array(answered), seconds, failed)


def _connecting(url: str) -> Callable[[], http.client.HTTPConnection]:
    """Return what opens a connection to the host of `url`."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise SettingsError(f"{url!r} is no address of an API: give one as http://127.0.0.1:8000.")
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    host, port = parts.hostname, parts.port
    return lambda: kind(host, port, timeout=TIMEOUT)


def _reason(status: int, content: bytes) -> str:
    try:
        problem: Any = json.loads(content)
        return f"{status}: {problem['detail']}"
    except (ValueError, LookupError, TypeError):
        return str(status)
