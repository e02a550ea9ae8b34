"""The HTTP service on a free port of loopback, for as long as a test needs it."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx
from fastapi import FastAPI

from retrievals_serving import http_server


@contextmanager
def serving(app: FastAPI) -> Iterator[httpx.Client]:
    """Serve `app` and yield a client of it."""
    with (
        http_server.serving(app) as address,
        httpx.Client(base_url=address, timeout=30) as client,
    ):
        yield client
