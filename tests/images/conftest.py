import io
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from PIL import Image

Respond = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class Museum:
    """A real HTTP server on loopback whose answers a test sets by path."""

    address: str = ""
    answers: dict[str, Respond] = field(default_factory=dict)
    requests: Counter[str] = field(default_factory=Counter)
    agents: set[str] = field(default_factory=set)
    at_work: int = 0
    most_at_work: int = 0


@pytest.fixture
def museum() -> Iterator[Museum]:
    state = Museum()
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            with lock:
                state.requests[self.path] += 1
                state.agents.add(self.headers["User-Agent"])
                state.at_work += 1
                state.most_at_work = max(state.most_at_work, state.at_work)
            try:
                state.answers.get(self.path, status(404))(self)
            finally:
                with lock:
                    state.at_work -= 1

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        state.address = f"http://127.0.0.1:{server.server_port}"
        yield state
        server.shutdown()
        thread.join()


def body(content: bytes, content_type: str = "image/jpeg", declared: int | None = None) -> Respond:
    """Answer 200 with `content`; `declared` is the length that the header claims."""

    def respond(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", content_type)
        handler.send_header("Content-Length", str(declared or len(content)))
        handler.send_header("ETag", '"e1"')
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
