"""How large a request may be: more is refused before it is read."""

from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from retrievals_serving.decoding import MAX_BYTES

MAX_BODY = 1 << 20  # bytes; a query vector of 4,096 numbers as text takes 90 kB
FORM = 64 << 10  # bytes of a form around its picture
LARGER = {"/search/image": MAX_BYTES + FORM}


class LimitedBodies:
    """ASGI middleware that answers 413 to a body over the limit of its path, however it is sent."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, counting what it sends."""
        received = 0
        limit = LARGER.get(scope.get("path", ""), MAX_BODY)

        async def limited() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > limit:
                raise HTTPException(
                    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                    f"the body has more than {limit} bytes; ask for less at once.",
                )
            return message

        await self.app(scope, limited, send)
