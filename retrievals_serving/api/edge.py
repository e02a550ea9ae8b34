"""What stands between the internet and the endpoints, from the outside in.

Proxies, headers, the log, other sites' pages, failures, who asks, how often. Nothing here reads a
body or waits for the end of an answer, so that answers stream and a client may leave.
"""

from collections.abc import Iterator, Sequence
from ipaddress import ip_network

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.errors import ServerErrorMiddleware
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

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
    if settings.proxies:
        app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=list(_as_seen(settings.proxies)))


def _as_seen(networks: Sequence[str]) -> Iterator[str]:
    """Yield `networks`, those of IPv4 also as a socket sees them that takes IPv6 besides."""
    for network in map(ip_network, networks):
        yield str(network)
        if network.version == 4:
            yield f"::ffff:{network.network_address}/{network.prefixlen + 96}"
