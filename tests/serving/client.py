"""A client of the HTTP service, which runs on loopback meanwhile."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx
from fastapi import FastAPI

from retrievals_serving.http_server import serving


@contextmanager
def client_of(app: FastAPI) -> Iterator[httpx.Client]:
    """Serve `app` on loopback and yield a client of it."""
    with serving(app) as address, httpx.Client(base_url=address, timeout=30) as client:
        yield client
