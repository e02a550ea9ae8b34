"""One line of log for each request, and an id that it shares with all that is logged meanwhile.

No query string, no header and no address is logged: what visitors look for, and who they are, is
theirs.
"""

import logging
import re
import secrets
from time import perf_counter
from urllib.parse import quote

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bind_contextvars, clear_contextvars

from retrievals_serving.api.access import Caller
from retrievals_serving.api.leaving import CLIENT_LEFT
from retrievals_serving.logs import RequestLine

logger = logging.getLogger(__name__)

HEADER = "X-Request-ID"
ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class RequestLog:
    """ASGI middleware that gives each request its id and logs what came of it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request and log it when all of the answer is sent."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        sent = Headers(scope=scope).get(HEADER, "")
        request_id = sent if ID.fullmatch(sent) else secrets.token_hex(16)
        # Left bound: the server logs a traceback after this, in the request's own context.
        clear_contextvars()
        bind_contextvars(request_id=request_id)
        status, started = CLIENT_LEFT, perf_counter()

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[HEADER] = request_id
            await send(message)

        try:
            await self.app(scope, receive, sending)
        finally:
            logger.info(
                "request",
                extra=RequestLine(
                    method=scope["method"],
                    path=quote(scope["path"], safe="/:"),
                    status=status,
                    ms=round(1000 * (perf_counter() - started), 1),
                    caller=_told(scope.get("state", {}).get("caller")),
                )._asdict(),
            )


def _told(caller: Caller | None) -> str:
    """Return what a log may say of who asks."""
    if caller is None:
        return "address"
    return caller.name if caller.kind == "key" else caller.kind
