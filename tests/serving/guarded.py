"""The HTTP service with keys and limits, as a test sets it, and time that a test lets pass."""

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from retrievals_serving import SearchEngine, Settings
from retrievals_serving.api import create_app
from tests.serving.client import client_of

KEY, OTHER = "key of the curator", "key of the archive"
KEYS = f"curator:{sha256(KEY.encode()).hexdigest()},archive:{sha256(OTHER.encode()).hexdigest()}"
SECRET = "a secret that is long enough for a server"
WORK = "/artworks/test:1001"  # an address that is counted


@contextmanager
def guarded(engine: SearchEngine, **changes: Any) -> Iterator[httpx.Client]:
    """Serve `engine` with settings of a test's own, and yield a client."""
    settings = Settings.load(home=engine.settings.home, **({"secret": SECRET} | changes))
    with client_of(create_app(settings, engine)) as client:
        yield client


def with_key(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def from_address(address: str) -> dict[str, str]:
    """The header of a proxy that was asked from `address`."""
    return {"X-Forwarded-For": address}


class Clock:
    """The time of cookies and limits, which passes when a test says so."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.now = 1_700_000_040.0  # at the beginning of a minute and an hour's second third
        for name in ("visitors", "rates"):
            patch.setattr(f"retrievals_serving.api.{name}.time", self.time)
        for name in ("strategies", "storage.memory"):
            patch.setattr(f"limits.{name}.time", SimpleNamespace(time=self.time))

    def time(self) -> float:
        return self.now
