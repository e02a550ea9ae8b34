"""Answers that are kept for those who ask the same: in the memory of each process, or in Redis.

    cache = open_cache(settings)                    # None where nothing is to be kept
    key = request_key(release_id, contracts, settings, request)
    if (answer := cache.get(key)) is None:
        answer = ...
        cache.put(key, answer)

A cache keeps bytes and knows nothing of what they say. So whoever puts an answer into it decides
what is kept: never one that is degraded or partial, as it would be given to all who ask the same
long after its cause is over.
"""

import hashlib
import json
from typing import Any, Protocol

from retrievals_serving.cache.memory import MemoryCache
from retrievals_serving.settings import Settings


class Cache(Protocol):
    """Keeps answers for a while. Safe to use from several threads; no operation of it raises.

    Attributes:
        name: Where the answers are: `memory` or `redis`.
    """

    name: str

    @property
    def is_available(self) -> bool:
        """Whether answers are kept now: not after a failure, until an operation succeeds again."""

    def get(self, key: str) -> bytes | None:
        """Return the answer that is kept under `key`; None where there is none, or on failure."""

    def put(self, key: str, value: bytes) -> None:
        """Keep the answer `value` under `key`, if that succeeds."""

    def close(self) -> None:
        """Let go of what the cache holds in this process."""


def open_cache(settings: Settings) -> Cache | None:
    """Return the cache that the settings ask for; None where they keep nothing. Connects nowhere.

    Raises:
        SettingsError: `redis_url` is no address of a Redis.
    """
    ttl = settings.cache_ttl
    if settings.redis_url is None:
        return MemoryCache(ttl) if ttl else None
    # An eighth of a second of import time, for those who have a Redis.
    from retrievals_serving.cache.connections import connection_pool
    from retrievals_serving.cache.redis import RedisCache

    pool = connection_pool(settings.redis_url)  # checked even where it only counts requests
    return RedisCache(pool, ttl) if ttl else None


def request_key(*parts: Any) -> str:
    """Return the key of an answer: the sha256 of all that it depends on, as 64 hex digits.

    Processes that share a Redis share its answers too, whatever their settings. So the parts are
    the release, the contracts of the models, the request, and besides them the settings that shape
    an answer, and who signs its cursor.

    Args:
        parts: What JSON can say; the order of the keys of an object does not matter.
    """
    canonical = json.dumps(parts, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()
