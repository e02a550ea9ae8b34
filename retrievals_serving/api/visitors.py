"""Visitors of the page: a signed cookie lets them search without an API key.

The cookie is `<id>.<issued at>.<HMAC-SHA256>`, the id random and of no person. It keeps programs
out that never load the page, and gives each visitor a limit of requests; it is no proof of anything
else. Replicas that share the secret know each other's visitors.
"""

import base64
import hmac
import secrets
from dataclasses import dataclass
from time import time

from starlette.requests import HTTPConnection

COOKIE = "retrievals_visitor"
LIFE = 3600  # seconds
LAYOUT = b"retrievals visitor 1\n"  # part of what is signed: nothing else that is signed is one

# What a browser says of a request of the page itself, and of an address that was typed.
# https://www.w3.org/TR/fetch-metadata/#sec-fetch-site-header
OWN_SITE = frozenset({"same-origin", "none"})


@dataclass(frozen=True)
class Visitor:
    """A visitor, and when the cookie was issued, in seconds of the Unix epoch."""

    id: str
    issued: int


class Visitors:
    """Issues cookies and knows them again."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def of(self, request: HTTPConnection) -> Visitor | None:
        """Return the visitor whose page sent `request`, if one did."""
        if request.headers.get("sec-fetch-site", "none") not in OWN_SITE:
            return None
        content, _, signature = request.cookies.get(COOKIE, "").rpartition(".")
        if not hmac.compare_digest(signature.encode(), self._signature(content).encode()):
            return None
        visitor_id, _, issued = content.partition(".")
        visitor = Visitor(visitor_id, int(issued))
        return visitor if time() < visitor.issued + LIFE else None

    def cookie_due(self, visitor: Visitor | None, *, is_https: bool) -> str | None:
        """Return the `Set-Cookie` of the answer to `visitor`.

        That is a first one, or another for the same visitor in the second half of its life.
        """
        issued = int(time())
        if visitor is not None and issued < visitor.issued + LIFE // 2:
            return None
        content = f"{visitor.id if visitor else secrets.token_urlsafe(12)}.{issued}"
        secure = "; Secure" if is_https else ""
        return (
            f"{COOKIE}={content}.{self._signature(content)}; Max-Age={LIFE}; Path=/; HttpOnly; "
            f"SameSite=Strict{secure}"
        )

    def _signature(self, content: str) -> str:
        digest = hmac.digest(self._secret, LAYOUT + content.encode(), "sha256")
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
