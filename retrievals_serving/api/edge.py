"""What stands between the internet and the endpoints, from the outside in.

Headers, the log, other sites' pages, failures, who asks, how often. Nothing here reads a body or
waits for the end of an answer, so that answers stream and a client may leave.
"""

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.errors import ServerErrorMiddleware

from retrievals_serving.api import problems
from retrievals_serving.api.access import Access
from retrievals_serving.api.headers import SecurityHeaders
from retrievals_serving.api.rates import RateLimits
from retrievals_serving.api.request_log import HEADER, RequestLog
from retrievals_serving.settings import Settings

EXPOSED = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset", "Retry-After", HEADER)


def install(app: FastAPI, settings: Settings) -> None:
    """Put the edge around `app` and all that was added to it before."""
    app.add_middleware(RateLimits, settings=settings)
    app.add_middleware(Access, settings=settings)
    # An unforeseen failure is answered here, within what every answer gets.
    app.add_middleware(ServerErrorMiddleware, handler=problems.answer)
    if settings.origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.origins,
            allow_methods=["GET", "POST"],
            allow_headers=["Authorization", "Content-Type", "X-API-Key", HEADER],
            expose_headers=EXPOSED,
        )
    app.add_middleware(RequestLog)
    app.add_middleware(SecurityHeaders)
