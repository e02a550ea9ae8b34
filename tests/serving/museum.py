"""A museum's server of a test's own, whose answers the test sets."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from PIL import Image
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from retrievals_serving.http_server import serving
from tests.serving.small_release import encoded

Answer = Callable[[], Response]
JPEG = encoded(Image.new("RGB", (40, 30), "navy"), "JPEG")
ENDLESS = 60.0  # seconds, for a round that is not to be ended by its deadline


@dataclass
class Museum:
    """A real HTTP server on loopback whose answers a test sets by path."""

    address: str = ""
    answers: dict[str, Answer] = field(default_factory=dict)
    requests: Counter[str] = field(default_factory=Counter)
    agents: set[str] = field(default_factory=set)
    goes_on: threading.Event = field(default_factory=threading.Event)
    at_work: int = 0
    most_at_work: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def has(self, name: str, content: bytes = JPEG, status: int = 200) -> str:
        """Answer for a picture; return its address."""
        self.answers[f"/{name}"] = lambda: Response(content, status, media_type="image/jpeg")
        return f"{self.address}/{name}"

    def holds_back(self, name: str) -> str:
        """Answer for a picture when the test says so; return its address."""

        def answer() -> Response:
            self.goes_on.wait(ENDLESS)
            return Response(JPEG)

        self.answers[f"/{name}"] = answer
        return f"{self.address}/{name}"

    def answer(self, request: Request) -> Response:
        path = request.url.path
        with self.lock:
            self.requests[path] += 1
            self.agents.add(request.headers["user-agent"])
            self.at_work += 1
            self.most_at_work = max(self.most_at_work, self.at_work)
        try:
            return self.answers.get(path, lambda: Response(status_code=404))()
        finally:
            with self.lock:
                self.at_work -= 1


@contextmanager
def serve() -> Iterator[Museum]:
    museum = Museum()
    # A function that is not `async` has a thread of its own, and may wait.
    app = Starlette(routes=[Route("/{path:path}", museum.answer)])
    with serving(app) as museum.address:
        try:
            yield museum
        finally:
            museum.goes_on.set()
