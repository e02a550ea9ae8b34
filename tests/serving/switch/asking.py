"""Releases to switch between, and a client that asks a server which one it serves."""

import time
from collections.abc import Callable
from typing import Any

import httpx

RELEASES = FIRST, SECOND, THIRD, FOURTH = [
    f"2026010{day}T000000Z-00000000000{day}" for day in range(1, 5)
]


def until(client: httpx.Client, is_reached: Callable[[Any], bool]) -> Any:
    """Ask for the health, which must be good all the time, until it is as wished."""
    for _ in range(3000):
        health = client.get("/health")
        assert health.status_code == 200
        if is_reached(health.json()):
            return health.json()
        time.sleep(0.01)
    raise AssertionError(health.text)


def until_served(client: httpx.Client, release_id: str) -> Any:
    return until(client, lambda health: health["release"] == release_id)


def search(client: httpx.Client, query: str) -> Any:
    response = client.post("/search", json={"query": query})
    assert response.status_code == 200, response.text
    return response.json()
