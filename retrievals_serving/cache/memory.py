"""The cache of one process."""

import threading
from collections.abc import Callable
from time import monotonic

from cachetools import TTLCache

MAX_BYTES = 64 << 20  # about a thousand answers of 64 works


class MemoryCache:
    """Keeps answers in memory; those that were used longest ago make room. See `Cache`."""

    name = "memory"
    is_available = True

    def __init__(self, ttl: float, *, timer: Callable[[], float] = monotonic) -> None:
        """Keep each answer for `ttl` seconds of `timer`."""
        self._answers: TTLCache[str, bytes] = TTLCache(MAX_BYTES, ttl, timer, getsizeof=len)
        self._lock = threading.Lock()

    def get(self, key: str) -> bytes | None:
        """Return the answer that is kept under `key`, if any."""
        with self._lock:
            return self._answers.get(key)

    def put(self, key: str, value: bytes) -> None:
        """Keep `value` under `key`, unless it is larger than all that may be kept."""
        if len(value) > MAX_BYTES:
            return
        with self._lock:
            self._answers[key] = value

    def close(self) -> None:
        """Forget all answers."""
        with self._lock:
            self._answers.clear()
