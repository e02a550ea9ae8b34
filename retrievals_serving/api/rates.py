"""How often each may ask: 429 to whoever asks more.

Requests are counted in a sliding window, the count of the window before weighted by how much of it
is still within reach (https://limits.readthedocs.io/en/stable/strategies.html). Replicas count
together in Redis where one is set; while it fails, each counts alone, and no request fails with it.
"""

import asyncio
import logging
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http import HTTPStatus
from math import floor
from time import time

from limits import RateLimitItem, parse
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import SlidingWindowCounterRateLimiter
from pydantic import SecretStr
from redis.exceptions import RedisError
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from retrievals_serving.api import problems
from retrievals_serving.api.access import Caller, is_counted
from retrievals_serving.cache.breaker import Breaker
from retrievals_serving.cache.connections import address, connection_pool
from retrievals_serving.settings import Settings

logger = logging.getLogger(__name__)

THREADS = 32  # in which Redis is waited for; a slow one takes 0.1 s for the count of a visitor

Limit = tuple[RateLimitItem, str, str]  # and by what it is counted: a kind and a name of it


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
        self._shared = SharedCounts(settings.redis_url) if settings.redis_url else None

    async def count(self, caller: Caller) -> Quota:
        """Count one request of `caller`; return what is left of the limit that is nearest."""
        limits = list(self._limits(caller))
        quota = await self._shared.count(limits) if self._shared else None
        return quota or _count(self._own, limits)

    def close(self) -> None:
        """Let go of the connections."""
        if self._shared:
            self._shared.close()

    def _limits(self, caller: Caller) -> Iterator[Limit]:
        """Yield what holds for `caller`: the rate, and by what it is counted.

        A visitor's address is counted too: whoever fetches more cookies may ask no more than an
        address may, which a class or a gallery shares.
        """
        if caller.kind == "visitor":
            yield self._visitor_rate, caller.kind, caller.name
            yield self._rate, "address", caller.address
        else:
            yield self._rate, caller.kind, caller.name


class SharedCounts:
    """Counts in the Redis at `url`, as long as it answers in time, in threads of its own.

    The event loop waits for no Redis, and a look-up in the cache for no count.
    """

    def __init__(self, url: SecretStr) -> None:
        self._pool = connection_pool(url)
        storage = RedisStorage("redis://", connection_pool=self._pool, key_prefix="retrievals")
        self._limiter = SlidingWindowCounterRateLimiter(storage)
        self._breaker = Breaker()
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="rates")

    async def count(self, limits: Sequence[Limit]) -> Quota | None:
        """Count one request; None where Redis fails or is left alone."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._count, limits)

    def close(self) -> None:
        """End the threads, then the connections."""
        self._threads.shutdown()
        self._pool.disconnect()

    def _count(self, limits: Sequence[Limit]) -> Quota | None:
        # Here, and not on the loop: who waits for a thread meanwhile learns that Redis failed.
        if not self._breaker.lets_through():
            return None
        try:
            quota = _count(self._limiter, limits)
        except RedisError as error:
            if self._breaker.fail():
                logger.warning(
                    "Redis at %s: %s: %s; this process counts its own requests until it works "
                    "again",
                    address(self._pool),
                    type(error).__name__,
                    error,
                )
            return None
        if self._breaker.succeed():
            logger.info("Redis at %s counts requests again", address(self._pool))
        return quota


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
                self._rates.close()
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


def _count(limiter: SlidingWindowCounterRateLimiter, limits: Sequence[Limit]) -> Quota:
    """Count one request against `limits` in turn, up to the first that is reached.

    Raises:
        RedisError: `limiter` counts in a Redis, which failed.
    """
    quotas = []
    for rate, kind, name in limits:
        is_kept = limiter.hit(rate, kind, name)
        left = limiter.get_window_stats(rate, kind, name)
        # The next whole second after the moment itself, when it is surely over.
        reset = floor(left.reset_time - time()) + 1
        quotas.append(Quota(is_kept, rate.amount, left.remaining, max(1, reset)))
        if not is_kept:
            break
    return min(quotas, key=lambda quota: (quota.is_kept, quota.remaining))


def _telling(quota: Quota, send: Send) -> Send:
    """Return what sends an answer with what is left of the limit."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).update(quota.headers)
        await send(message)

    return sending
