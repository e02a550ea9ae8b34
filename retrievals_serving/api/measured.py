"""Every request is counted and measured, whatever answers it; its span says no more than it may."""

from http import HTTPMethod, HTTPStatus
from time import perf_counter

from fastapi.routing import iter_route_contexts
from opentelemetry import trace
from opentelemetry.trace import Span
from starlette.datastructures import Headers
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from retrievals_serving.api.leaving import CLIENT_LEFT
from retrievals_serving.api.metrics import Metrics
from retrievals_serving.api.request_log import HEADER

OTHER = "other"  # endpoint of a path that nothing answers, method that HTTP does not know
METHODS = frozenset(HTTPMethod)


class MeasuredRequests:
    """ASGI middleware that tells `metrics` of each request, once the last of its answer is sent.

    It belongs around all others, so that it also sees what they refuse, and the id they give.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app = app
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; what is sent is looked at, and passed on as it comes."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        span = trace.get_current_span()  # FastAPI's, which tells the URL
        if scope["query_string"]:
            span.set_attribute("url.query", "REDACTED")  # it says what was searched for
        started, root = perf_counter(), scope.get("root_path", "")
        status, is_counted = CLIENT_LEFT, False

        def count() -> None:
            nonlocal is_counted
            if not is_counted:
                is_counted = True
                self.metrics.requested(
                    endpoint=endpoint_of(scope, root),
                    method=scope["method"] if scope["method"] in METHODS else OTHER,
                    status=status,
                    seconds=perf_counter() - started,
                )

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                note_id(span, message)
            await send(message)
            if message["type"] == "http.response.body" and not message.get("more_body"):
                count()

        try:
            await self.app(scope, receive, watched)
        except Exception:
            if status == CLIENT_LEFT:  # the server, outside of this, answers
                status = HTTPStatus.INTERNAL_SERVER_ERROR.value
            raise
        finally:
            count()


def endpoint_of(scope: Scope, root: str) -> str:
    """Return the template of the route that a request is for, or `OTHER`.

    Args:
        scope: Of the request, after it was answered.
        root: Its `root_path` from before.
    """
    if "route" in scope:
        template: str = scope["route"].path
        return template
    # It was refused before it came to its route, or is for a file, of which FastAPI notes no route.
    asked = {**scope, "root_path": root}
    matching = (
        route.path
        for route in iter_route_contexts(scope["app"].routes)
        if route.matches(asked)[0] is not Match.NONE
    )
    return next(matching, None) or OTHER


def note_id(span: Span, start: Message) -> None:
    """Put the id that the answer's first message gives a request, if it does, on its span."""
    if not span.is_recording():
        return
    if request_id := Headers(raw=start.get("headers", [])).get(HEADER):
        # https://opentelemetry.io/docs/specs/semconv/registry/attributes/http/
        span.set_attribute(f"http.response.header.{HEADER.lower()}", [request_id])
