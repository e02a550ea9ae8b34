import io
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from retrievals_pipeline.defs.images.fetcher import Fetcher
from retrievals_pipeline.defs.images.ledger import Ledger
from retrievals_pipeline.defs.images.run_clock import RunClock
from retrievals_pipeline.defs.images.shard import ShardSummary, download_shard
from retrievals_pipeline.defs.images.works import Work
from retrievals_serving.store import Store

Respond = Callable[[BaseHTTPRequestHandler], None]
SHARD = "0-of-1"
ROBOTS = "/robots.txt"


class FakeClock(RunClock):
    """A run's clock on which waiting takes no time: it jumps to the moment waited for."""

    def __init__(self, seconds: float | None = None) -> None:
        self.time = 0.0
        self._jumping = threading.Lock()
        super().__init__(seconds)

    def now(self) -> float:
        return self.time

    def _sleep_until(self, moment: float) -> None:
        with self._jumping:
            self.time = max(self.time, moment)


@dataclass(frozen=True)
class Asked:
    """A request as the server saw it, at the time of the run's clock."""

    path: str
    at: float
    headers: dict[str, str]


@dataclass
class Museum:
    """A real HTTP server on loopback whose answers a test sets by path."""

    address: str = ""
    answers: dict[str, Respond] = field(default_factory=dict)
    clock: FakeClock = field(default_factory=FakeClock)
    log: list[Asked] = field(default_factory=list)
    requests: Counter[str] = field(default_factory=Counter)
    agents: set[str] = field(default_factory=set)
    ports: set[int] = field(default_factory=set)
    at_work: int = 0
    most_at_work: int = 0

    @property
    def asked_at(self) -> list[float]:
        """When pictures were asked for."""
        return [asked.at for asked in self.log if asked.path != ROBOTS]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder of pictures."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    return folder


@pytest.fixture
def museum() -> Iterator[Museum]:
    with serving() as museum:
        yield museum


@pytest.fixture
def elsewhere(museum: Museum) -> Iterator[Museum]:
    """A second server, by the same clock."""
    with serving() as other:
        other.clock = museum.clock
        yield other


@contextmanager
def serving() -> Iterator[Museum]:
    state = Museum()
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            with lock:
                headers = {name.lower(): value for name, value in self.headers.items()}
                state.log.append(Asked(self.path, state.clock.now(), headers))
                state.requests[self.path] += 1
                state.agents.add(self.headers["User-Agent"])
                state.ports.add(self.client_address[1])
                state.at_work += 1
                state.most_at_work = max(state.most_at_work, state.at_work)
            try:
                state.answers.get(self.path, status(404))(self)
            finally:
                with lock:
                    state.at_work -= 1

        def do_HEAD(self) -> None:
            with lock:
                state.agents.add(self.headers["User-Agent"])
            status(200)(self)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        state.address = f"http://127.0.0.1:{server.server_port}"
        try:
            yield state
        finally:
            server.shutdown()
            thread.join()


def work(museum: Museum, name: str, answer: Respond | None = None) -> Work:
    """A work whose picture the museum answers with `answer`."""
    if answer is not None:
        museum.answers[f"/{name}/full/!1024,1024/0/default.jpg"] = answer
    return Work(f"nga:{name}", f"{museum.address}/{name}/full/!1024,1024/0/default.jpg", "2024")


def download(
    store: Store,
    works: list[Work],
    *,
    fetcher: Fetcher | None = None,
    mirror: str | None = None,
    shard: str = SHARD,
    revalidate: bool = False,
    **options: Any,
) -> ShardSummary:
    """Download one shard; with no fetcher given, as from a host of one's own."""
    if revalidate:
        options["revalidate_before"] = datetime.now(UTC) + timedelta(seconds=1)
    with fetcher or Fetcher(clock=FakeClock()) as fetcher:
        return download_shard(
            store, shard, works, fetcher=fetcher, mirror=mirror, advance=lambda _: None, **options
        )


def as_if_asked(store: Store, moment: datetime) -> None:
    """Make the ledger say that all it knows was asked for at `moment`."""
    ledger = Ledger(store, SHARD)
    ledger.rows = {id_: replace(row, fetched_at=moment) for id_, row in ledger.rows.items()}
    ledger.close()


def stranger(museum: Museum) -> Fetcher:
    """A fetcher for which the museum is somebody else's, by the clock of the museum's log."""
    return Fetcher(clock=museum.clock, is_own=lambda _: False)


def body(
    content: bytes,
    content_type: str = "image/jpeg",
    declared: int | None = None,
    code: int = 200,
    **headers: str,
) -> Respond:
    """Answer with `content`; `declared` is the length that the header claims."""

    def respond(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(code)
        handler.send_header("Content-Type", content_type)
        handler.send_header("Content-Length", str(declared or len(content)))
        for name, value in {"ETag": '"e1"', **headers}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(content)
        if declared:
            handler.close_connection = True

    return respond


def status(code: int, **headers: str) -> Respond:
    def respond(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(code)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return respond


def unless_held(content: bytes, etag: str) -> Respond:
    """Answer with `content` a client that does not name its `etag`, and 304 one that does."""
    whole, unchanged = body(content, ETag=etag), status(304, ETag=etag)

    def respond(handler: BaseHTTPRequestHandler) -> None:
        (unchanged if handler.headers["If-None-Match"] == etag else whole)(handler)

    return respond


def in_turn(*answers: Respond) -> Respond:
    """Give each request the next of `answers`, and the last one from then on."""
    left = list(answers)
    return lambda handler: (left.pop(0) if len(left) > 1 else left[0])(handler)


def slowly(seconds: float, answer: Respond) -> Respond:
    def respond(handler: BaseHTTPRequestHandler) -> None:
        time.sleep(seconds)
        answer(handler)

    return respond


def hang_up(handler: BaseHTTPRequestHandler) -> None:
    """Close the connection without an answer."""
    handler.close_connection = True


def claiming(side: int) -> bytes:
    """A JPEG of a few hundred bytes whose header claims `side` pixels each way."""
    content = bytearray(jpeg())
    frame = content.index(b"\xff\xc0")  # start of frame: marker, length, precision, height, width
    content[frame + 5 : frame + 9] = side.to_bytes(2, "big") * 2
    return bytes(content)


def jpeg(seed: int = 0, size: tuple[int, int] = (96, 64), mode: str = "RGB") -> bytes:
    """A real JPEG of noise over a colour that `seed` chooses."""
    generator = np.random.default_rng(seed)
    base = generator.integers(40, 200, 3)
    pixels = np.clip(base + generator.integers(-30, 30, (*size[::-1], 3)), 0, 255).astype(np.uint8)
    content = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(content, "JPEG", quality=90)
    return content.getvalue()
