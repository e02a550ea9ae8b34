"""The service with a look at what it is asked: which paths, and which requests were given up."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from retrievals_serving.http_server import serving


class Watched:
    """ASGI application that notes what it passes on, and keeps some searches waiting.

    Attributes:
        address: Where it is served.
        asked: Method and path of each request, in their order.
        held: A search whose body holds this text is not answered while the client waits.
        aborted: Set when the client of a held search has gone.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.address = ""
        self.asked: list[str] = []
        self.held: bytes | None = None
        self.waiting = threading.Event()
        self.aborted = threading.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            self.asked.append(f"{scope['method']} {scope['path']}")
            if self.held is not None and scope["path"] == "/search":
                receive = await self._hold(receive)
        await self.app(scope, receive, send)

    async def _hold(self, receive: Receive) -> Receive:
        messages = [await receive()]
        while messages[-1].get("more_body"):
            messages.append(await receive())
        assert self.held is not None
        if self.held in b"".join(message.get("body", b"") for message in messages):
            self.waiting.set()
            assert (await receive())["type"] == "http.disconnect"
            self.aborted.set()

        async def again() -> Message:
            return messages.pop(0) if messages else await receive()

        return again


@contextmanager
def watched(app: ASGIApp) -> Iterator[Watched]:
    """Serve `app` on loopback, watched."""
    each = Watched(app)
    with serving(each) as address:
        each.address = address
        yield each
