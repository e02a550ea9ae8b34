"""How often each may ask: 429 to whoever asks more.

Requests are counted in a sliding window, the count of the window before weighted by how much of it
is still within reach (https://limits.readthedocs.io/en/stable/strategies.html). Replicas count
together in Redis where one is set; while it fails, each counts alone, and no request fails with it.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from math import floor
from time import monotonic, time

from limits import RateLimitItem, parse
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from redis.asyncio import ConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from retrievals_serving.api import problems
from retrievals_serving.api.access import Caller, is_counted
from retrievals_serving.settings import Settings

logger = logging.getLogger(__name__)

TIMEOUT = 0.25  # seconds that a request waits for Redis
RETRY = 5.0  # seconds after which a Redis that failed is asked again


@dataclass(frozen=True)
class Quota:
    """What is left of a limit after a request.

    Attributes:
        is_kept: Whether the request was within the limit.
        limit: How many requests it allows in a window.
        remaining: How many it still allows.
        reset: Seconds after which it allows one more.
    """

    is_kept: bool
    limit: int
    remaining: int
    reset: int

    @property
    def headers(self) -> dict[str, str]:
        """The headers that tell it.

        https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-ratelimit-headers-06
        """
        return {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(self.remaining),
            "RateLimit-Reset": str(self.reset),
        }


class Rates:
    """Counts the requests of each caller."""

    def __init__(self, settings: Settings) -> None:
        self._rate = parse(settings.rate_limit)
        self._visitor_rate = parse(settings.visitor_limit)
        self._own = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._shared: SlidingWindowCounterRateLimiter | None = None
        self._pool: ConnectionPool | None = None
        self._again = 0.0  # when Redis may be asked, on the clock of `monotonic`
        if settings.redis_url:
            self._pool = ConnectionPool.from_url(
                settings.redis_url.get_secret_value(),
                socket_timeout=TIMEOUT,
                socket_connect_timeout=TIMEOUT,
                retry=Retry(NoBackoff(), 0),
            )
            storage = RedisStorage(
                "redis://",  # with connections of its own, which have the address
                implementation="redispy",
                key_prefix="retrievals",
                connection_pool=self._pool,  # type: ignore[arg-type] # documented, and not typed
            )
            self._shared = SlidingWindowCounterRateLimiter(storage)

    async def count(self, caller: Caller) -> Quota:
        """Count one request of `caller`; return what is left of the limit that is nearest."""
        if self._shared is not None and monotonic() >= self._again:
            try:
                return await self._count(self._shared, caller)
            except (RedisError, OSError) as error:
                self._again = monotonic() + RETRY
                logger.warning(
                    "Redis counts no requests, and this process its own for %g s: %s", RETRY, error
                )
        return await self._count(self._own, caller)

    async def close(self) -> None:
        """Let go of the connections."""
        if self._pool is not None:
            await self._pool.aclose()

    async def _count(self, limiter: SlidingWindowCounterRateLimiter, caller: Caller) -> Quota:
        quotas = []
        for rate, kind, name in self._limits(caller):
            is_kept = await limiter.hit(rate, kind, name)
            left = await limiter.get_window_stats(rate, kind, name)
            # The next whole second after the moment itself, when it is surely over.
            reset = floor(left.reset_time - time()) + 1
            quotas.append(Quota(is_kept, rate.amount, left.remaining, max(1, reset)))
            if not is_kept:
                break
        return min(quotas, key=lambda quota: (quota.is_kept, quota.remaining))

    def _limits(self, caller: Caller) -> Iterator[tuple[RateLimitItem, str, str]]:
        """Yield what holds for `caller`: the rate, and by what it is counted.

        A visitor's address is counted too: whoever fetches more cookies may ask no more.
        """
        rate = self._visitor_rate if caller.kind == "visitor" else self._rate
        yield rate, caller.kind, caller.name
        if caller.kind == "visitor":
            yield rate, "address", caller.address


class RateLimits:
    """ASGI middleware that counts requests; within `Access`, which says whose they are."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self._rates = Rates(settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count one request and pass it on, or refuse it."""
        if scope["type"] == "lifespan":
            try:
                await self.app(scope, receive, send)
            finally:
                await self._rates.close()
            return
        if scope["type"] != "http" or not is_counted(scope["path"]):
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        quota = await self._rates.count(request.state.caller)
        if quota.is_kept:
            await self.app(scope, receive, _telling(quota, send))
            return
        refusal = HTTPException(
            HTTPStatus.TOO_MANY_REQUESTS,
            f"the limit of {quota.limit} requests is reached; ask again in {quota.reset} s.",
            quota.headers | {"Retry-After": str(quota.reset)},
        )
        answer = await problems.answer(request, refusal)
        await answer(scope, receive, send)


def _telling(quota: Quota, send: Send) -> Send:
    """Return what sends an answer with what is left of the limit."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).update(quota.headers)
        await send(message)

    return sending
