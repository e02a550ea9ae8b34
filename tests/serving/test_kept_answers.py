"""Answers are kept for who asks the same, as long as they are whole; a cache fails no request."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from retrievals_serving import SearchEngine
from retrievals_serving.api import create_app
from retrievals_serving.api.answers import LOOKUPS
from retrievals_serving.cache.connections import connection_pool
from retrievals_serving.cache.memory import MemoryCache
from tests.serving.client import client_of
from tests.serving.fake_reranker import FakeReranker, opened
from tests.serving.redis_server import PATIENCE, RedisServer
from tests.serving.test_api import post
from tests.serving.test_streaming import streamed, told


@contextmanager
def serving(
    home: Path, reranker: FakeReranker, **changes: Any
) -> Iterator[tuple[httpx.Client, SearchEngine]]:
    with (
        opened(home, reranker, rerank_deadline=1e9, **changes) as engine,
        client_of(create_app(engine=engine)) as client,
    ):
        yield client, engine


@pytest.fixture(params=["memory", "redis"])
def cache(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The settings of each kind of cache."""
    if request.param == "memory":
        return {}
    patience(monkeypatch)
    redis: RedisServer = request.getfixturevalue("redis_server")
    return {"redis_url": redis.url}


def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for Redis as long as it takes a busy machine."""
    patient = partial(connection_pool, deadline=PATIENCE)
    monkeypatch.setattr("retrievals_serving.cache.connections.connection_pool", patient)


def test_who_asks_the_same_is_given_the_same_without_a_model(
    home: Path, cache: dict[str, Any]
) -> None:
    reranker = FakeReranker()
    with serving(home, reranker, **cache) as (client, _):
        first = post(client, "/search", query="boat", filters={"classification": "Print"})
        again = post(client, "/search", query=" boat ", filters={"classification": "Print"})
        assert (first["cached"], again["cached"]) == (False, True)
        assert told(again) == told(first) | {"cached": True}
        assert again["timings"] == {}
        assert len(reranker.asked) == 1
        more = {"query_vector": again["query_vector"], "cursor": again["cursor"]}
        assert post(client, "/search-more", **more)["results"][0]["rank"] == first["total"] + 1
        assert streamed(client, query="boat", filters={"classification": "Print"})[:-1] == [
            ("reranked", again | {"latency_ms": pytest.approx(again["latency_ms"], abs=1e4)})
        ]


@pytest.mark.parametrize(
    "change",
    [
        *({"query": "boats"}, {"top_k": 3}, {"rerank": False}, {"alpha": 0.1}, {"negative": "sky"}),
        *({"filters": {"classification": "Print"}}, {"score_threshold": 0.1}),
        {"explain": "conditions"},
    ],
    ids=str,
)
def test_another_question_is_another_answer(home: Path, change: dict[str, Any]) -> None:
    with serving(home, FakeReranker()) as (client, _):
        post(client, "/search", query="boat")
        assert not post(client, "/search", **{"query": "boat"} | change)["cached"]


def test_what_is_not_whole_is_not_kept(home: Path, reranker: FakeReranker) -> None:
    reranker.seconds = 1
    with (
        opened(home, reranker, rerank_deadline=0.5) as engine,
        client_of(create_app(engine=engine)) as client,
    ):
        for _ in range(2):
            page = post(client, "/search", query="boat")
            assert (page["degraded"], page["cached"]) == (["deadline"], False)


def test_nothing_is_kept_where_the_settings_say_so(home: Path) -> None:
    with serving(home, FakeReranker(), cache_ttl=0) as (client, _):
        for _ in range(2):
            assert not post(client, "/search", query="boat")["cached"]


def test_known_queries_are_answered_before_they_are_asked(home: Path, tmp_path: Path) -> None:
    known = tmp_path / "known.txt"
    known.write_text("boat\nhorse\n", encoding="utf-8")
    reranker = FakeReranker()
    with serving(home, reranker, warm_queries=known) as (client, _):
        while len(reranker.asked) < 2:
            threading.Event().wait(0.001)
        while not post(client, "/search", query="horse")["cached"]:
            threading.Event().wait(0.001)
        assert post(client, "/search", query="boat")["cached"]
        assert not post(client, "/search", query="calm")["cached"]


def test_a_cache_that_is_waited_for_holds_nobody_else_up(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    all_are_there = threading.Barrier(LOOKUPS)

    def wait(*_: object) -> None:
        all_are_there.wait(PATIENCE)

    monkeypatch.setattr(MemoryCache, "get", wait)
    with (
        serving(home, FakeReranker()) as (client, _),
        ThreadPoolExecutor(LOOKUPS) as pool,
    ):
        pages = pool.map(lambda _: post(client, "/search", query="boat"), range(LOOKUPS))
        assert {page["total"] for page in pages} == {8}


def test_a_redis_that_is_killed_under_load_fails_no_request(
    home: Path, redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    patience(monkeypatch)
    with (
        serving(home, FakeReranker(), redis_url=redis_server.url) as (client, _),
        ThreadPoolExecutor(4) as pool,
    ):
        assert not post(client, "/search", query="boat 0")["cached"]
        assert post(client, "/search", query="boat 0")["cached"]

        def ask(number: int) -> dict[str, Any]:
            if number == 40:
                redis_server.kill()
            page: dict[str, Any] = post(client, "/search", query=f"boat {number % 7}")
            return page

        pages = list(pool.map(ask, range(120)))
        expected = {page["query"]: page["results"] for page in pages[:20]}
        assert all(page["results"] == expected[page["query"]] for page in pages)
        last = post(client, "/search", query="boat 0")
        assert (last["degraded"], last["cached"]) == (["cache"], False)
