"""The cache that replicas share. Without it all works as before, only slower."""

import logging
import zlib
from collections.abc import Callable

from redis import Redis
from redis.connection import ConnectionPool
from redis.exceptions import RedisError

from retrievals_serving.cache.breaker import Breaker
from retrievals_serving.cache.connections import address

logger = logging.getLogger(__name__)

PREFIX = "retrievals:answer:"
CHECKSUM = 4  # bytes


class RedisCache:
    """Keeps answers in Redis, each behind its CRC-32. See `Cache`.

    They are not compressed: zlib makes a third of an answer of 70 kB, and takes longer than Redis.
    """

    name = "redis"

    def __init__(self, pool: ConnectionPool, ttl: int, *, breaker: Breaker | None = None) -> None:
        """Keep each answer for `ttl` seconds, in the Redis of `pool`, which is closed with this.

        A Redis that fails is left alone as `breaker` says; default: one of its own.
        """
        self._pool = pool
        self._redis = Redis(connection_pool=pool)
        self._ttl = ttl
        self._breaker = breaker or Breaker()

    @property
    def is_available(self) -> bool:
        """Whether the last operation did not fail, so that the next one is tried."""
        return self._breaker.is_closed

    def get(self, key: str) -> bytes | None:
        """Return the answer that is kept under `key`; None where there is none that is whole."""
        kept = self._tried(lambda: self._redis.get(PREFIX + key))
        if not isinstance(kept, bytes):
            return None
        value = kept[CHECKSUM:]
        if kept[:CHECKSUM] != _checksum(value):
            logger.warning("Redis at %s: the answer %s is damaged", address(self._pool), key)
            return None
        return value

    def put(self, key: str, value: bytes) -> None:
        """Keep `value` under `key` if Redis takes it."""
        sealed = _checksum(value) + value
        self._tried(lambda: self._redis.set(PREFIX + key, sealed, ex=self._ttl))

    def close(self) -> None:
        """Close the connections but those that are in use."""
        self._pool.disconnect(inuse_connections=False)

    def _tried(self, operation: Callable[[], object]) -> object:
        """Return what Redis answers; None while it is left alone, and when it fails."""
        if not self._breaker.lets_through():
            return None
        try:
            answer = operation()
        except RedisError as error:
            if self._breaker.fail():
                logger.warning(
                    "Redis at %s: %s: %s; no answers are kept until it works again",
                    address(self._pool),
                    type(error).__name__,
                    error,
                )
            return None
        if self._breaker.succeed():
            logger.info("Redis at %s works again", address(self._pool))
        return answer


def _checksum(value: bytes) -> bytes:
    return zlib.crc32(value).to_bytes(CHECKSUM, "big")
