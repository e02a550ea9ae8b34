"""Who asks, and whether they may: holders of an API key, visitors of the page, or everyone.

A key is 256 random bits and is kept as its plain sha256. A slow, salted hash protects passwords,
which people choose and which can be guessed from their hash; of 2^256 keys none can be, so that a
fast one serves, and every request can be checked.

Where no keys are set, everyone may ask. Where they are, the page, its pictures and `/health` stay
open, and everything else needs a key or the cookie of a visitor; `/metrics` a key.
"""

import hmac
import re
import secrets
from dataclasses import dataclass
from hashlib import sha256
from http import HTTPStatus
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Literal

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from retrievals_serving.api import problems
from retrievals_serving.api.visitors import Visitor, Visitors
from retrievals_serving.cursors import secret_of
from retrievals_serving.settings import Settings

PAGE = re.compile(r"/|/map|/about|/works/.+")  # the page answers at all of these
OPEN = re.compile(rf"{PAGE.pattern}|/health|/openapi\.json|/(static|thumbnails|images)/.+")
METRICS = "/metrics"


@dataclass(frozen=True)
class Caller:
    """Who asks.

    Attributes:
        kind: By what they are known.
        name: Of the key, or the visitor's id, or the address.
        address: From where they ask, see `network_of`.
    """

    kind: Literal["key", "visitor", "address"]
    name: str
    address: str


def is_counted(path: str) -> bool:
    """Tell whether a request for `path` counts against the limit of who asks."""
    return not OPEN.fullmatch(path) and path != METRICS


class Access:
    """ASGI middleware that finds out who asks, and answers 401 to those who may not."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self._keys = settings.key_digests
        admits = bool(self._keys) and settings.visitors
        self._visitors = Visitors(secret_of(settings)) if admits else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request through or refuse it; `caller` in the state is who asks, if known."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request, path = Request(scope), scope["path"]
        visitor = self._visitors.of(request) if self._visitors else None
        caller = self._caller(request, visitor)
        request.state.caller = caller
        needs_key = bool(self._keys) and path == METRICS
        may_ask = caller is not None and (caller.kind == "key" or not needs_key)
        if not may_ask and not OPEN.fullmatch(path):
            refusal = await problems.answer(request, _refusal(request))
            await refusal(scope, receive, send)
            return
        loads_page = scope["method"] == "GET" and PAGE.fullmatch(path)
        if self._visitors and (loads_page or (caller and caller.kind == "visitor")):
            is_https = scope["scheme"] == "https"
            if cookie := self._visitors.cookie_due(visitor, is_https=is_https):
                send = _giving(cookie, send)
        await self.app(scope, receive, send)

    def _caller(self, request: Request, visitor: Visitor | None) -> Caller | None:
        address = network_of(request.client.host if request.client else "")
        if not self._keys:
            return Caller("address", address, address)
        if key := shown_key(request.headers):
            name = self._holder(key)
            return Caller("key", name, address) if name else None
        return Caller("visitor", visitor.id, address) if visitor else None

    def _holder(self, key: str) -> str | None:
        """Return the name of `key`; how long that takes tells nothing of the keys there are."""
        shown, holder = digest_of(key), None
        for name, digest in self._keys:
            if hmac.compare_digest(shown, digest):
                holder = name
        return holder


def make_key() -> str:
    """Return another API key."""
    return secrets.token_urlsafe(32)


def digest_of(key: str) -> str:
    """Return what is kept of an API key: its sha256, as 64 hex digits."""
    return sha256(key.encode()).hexdigest()


def shown_key(headers: Headers) -> str | None:
    """Return the API key that a request shows, if any."""
    scheme, _, credentials = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return credentials.strip()
    return headers.get("x-api-key")


def network_of(host: str) -> str:
    """Return by what address the one who asks from `host` is counted.

    Whoever has one address of IPv6 has all 2^64 of its network.
    """
    try:
        address = ip_address(host)
    except ValueError:  # of a Unix socket, or what a proxy passed on
        return "unknown"
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is None:
            return str(ip_network((int(address), 64), strict=False))
        address = address.ipv4_mapped
    return str(address)


def _refusal(request: Request) -> HTTPException:
    if shown_key(request.headers):
        detail = "the API key is not known here; ask whoever runs this server for another."
    else:
        detail = (
            f"{request.url.path} needs an API key, as Authorization: Bearer <key> or "
            "X-API-Key: <key>. On the page of this server, load it again, with cookies."
        )
    return HTTPException(HTTPStatus.UNAUTHORIZED, detail, {"WWW-Authenticate": "Bearer"})


def _giving(cookie: str, send: Send) -> Send:
    """Return what sends an answer with `cookie`."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers.append("Set-Cookie", cookie)
            # A cache between would give one visitor's cookie to all.
            headers["Cache-Control"] = "private, no-cache"
        await send(message)

    return sending
