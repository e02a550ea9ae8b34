"""Work for a client that may leave before it is done."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable
from contextlib import aclosing
from typing import TypeVar

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

Value = TypeVar("Value")
Event = tuple[str, bytes]  # its name and its data, one line of JSON

EVENTS = "text/event-stream"
CLIENT_LEFT = 499  # in the log, as nginx has it; nobody receives it


class ClientLeft(Exception):
    """The client closed its connection before it was answered."""


async def unless_left(receive: Receive, work: Awaitable[Value]) -> Value:
    """Return what `work` does, which is cancelled when the client leaves.

    Args:
        receive: Of a request whose body was read.
        work: What is done for it.

    Raises:
        ClientLeft: The client closed its connection first.
    """
    working = asyncio.ensure_future(work)
    watching = asyncio.create_task(_left(receive))
    try:
        await asyncio.wait({working, watching}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return working.result()
        raise ClientLeft
    finally:
        watching.cancel()
        working.cancel()


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


class EventStream(Response):
    """Server-sent events, each sent as soon as it is there, until the client leaves."""

    media_type = EVENTS

    def __init__(self, events: AsyncGenerator[Event]) -> None:
        # A proxy that gathered events would undo them.
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._events = events

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        """Send the events."""
        await send(
            {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
        )
        try:
            await unless_left(receive, self._send(send))
        except ClientLeft:
            return

    async def _send(self, send: Send) -> None:
        async with aclosing(self._events) as events:
            async for name, data in events:
                body = b"event: %s\ndata: %s\n\n" % (name.encode(), data)
                await send({"type": "http.response.body", "body": body, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})
