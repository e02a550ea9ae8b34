"""Answers in events, as soon as each is there; and nothing is done for a client that has left."""

import json
import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from retrievals_serving import SearchEngine
from retrievals_serving.api import create_app
from retrievals_serving.errors import ModelError
from retrievals_serving.models import Input
from tests.serving.client import client_of
from tests.serving.fake_reranker import CANDIDATES, FakeReranker, opened
from tests.serving.small_release import WordEmbedder
from tests.serving.test_api import post, problem

EVENTS = {"Accept": "text/event-stream"}
PATIENCE = 60  # s, after which a test has failed


class HeldReranker(FakeReranker):
    """A reranker that waits, in front of its first picture, until it may go on or is cancelled."""

    def __init__(self) -> None:
        super().__init__()
        self.is_asked, self.may_go, self.was_cancelled = (threading.Event() for _ in range(3))

    def score(
        self,
        query: Any,
        images: Sequence[Any],
        *,
        cancelled: Callable[[], bool] | None = None,
        **options: Any,
    ) -> np.ndarray:
        assert cancelled is not None
        self.is_asked.set()
        while not self.may_go.wait(0.001):
            if cancelled():
                self.was_cancelled.set()
                break
        return super().score(query, images, cancelled=cancelled, **options)


class HeldEmbedder(WordEmbedder):
    """An embedder that waits in each call, once it is told to, until it may go on."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[list[str]] = []
        self.is_asked, self.may_go = threading.Event(), threading.Event()
        self.may_go.set()

    def embed_queries(self, queries: Sequence[Input]) -> np.ndarray:
        self.calls.append([query.text or "" for query in queries])
        self.is_asked.set()
        assert self.may_go.wait(PATIENCE)
        return super().embed_queries(queries)


@contextmanager
def serving(
    home: Path, reranker: FakeReranker | None, **changes: Any
) -> Iterator[tuple[httpx.Client, SearchEngine]]:
    with (
        opened(home, reranker, rerank_deadline=1e9, **changes) as engine,
        client_of(create_app(engine=engine)) as client,
    ):
        yield client, engine


def events_of(response: httpx.Response) -> Iterator[tuple[str, Any]]:
    name = ""
    for line in response.iter_lines():
        field, _, value = line.partition(": ")
        if field == "event":
            name = value
        elif field == "data":
            yield name, json.loads(value)


def streamed(client: httpx.Client, **body: Any) -> list[tuple[str, Any]]:
    with client.stream("POST", "/search", json=body, headers=EVENTS) as response:
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/event-stream")
        return list(events_of(response))


def told(answer: Any) -> Any:
    return {name: value for name, value in answer.items() if name not in ("latency_ms", "timings")}


def test_the_answer_comes_as_vectors_rank_it_and_then_reranked(home: Path) -> None:
    with serving(home, FakeReranker(), cache_ttl=0) as (client, _):
        (first, vector), (second, reranked), last = streamed(client, query="boat")
        assert (first, second, last) == ("vector", "reranked", ("done", {}))
        assert told(vector) == told(post(client, "/search", query="boat", rerank=False))
        assert told(reranked) == told(post(client, "/search", query="boat"))
        for answer in (vector, reranked):  # each goes on in its own order
            more = {"query_vector": answer["query_vector"], "cursor": answer["cursor"]}
            following = post(client, "/search-more", **more)
            assert following["rerank_coverage"] == answer["rerank_coverage"]


def test_the_first_event_does_not_wait_for_the_reranker(home: Path) -> None:
    reranker = HeldReranker()
    with (
        serving(home, reranker) as (client, _),
        client.stream("POST", "/search", json={"query": "boat"}, headers=EVENTS) as response,
    ):
        events = events_of(response)
        assert next(events)[0] == "vector"
        reranker.may_go.set()
        assert [name for name, _ in events] == ["reranked", "done"]


def test_without_reranking_there_is_one_answer(home: Path) -> None:
    with serving(home, FakeReranker()) as (client, _):
        assert [name for name, _ in streamed(client, query="boat", rerank=False)] == [
            *("vector", "done")
        ]


@pytest.mark.parametrize("headers", [EVENTS, {}], ids=["events", "json"])
def test_a_client_that_leaves_ends_its_reranking(home: Path, headers: dict[str, str]) -> None:
    reranker = HeldReranker()
    with serving(home, reranker) as (client, engine):
        with (
            pytest.raises(httpx.ReadTimeout),
            client.stream(
                "POST", "/search", json={"query": "boat"}, headers=headers, timeout=0.2
            ) as response,
        ):
            list(events_of(response))
        assert reranker.was_cancelled.wait(PATIENCE)
        while engine.spared.searches == 0:
            threading.Event().wait(0.001)
        assert (engine.spared.searches, engine.spared.pictures) == (1, CANDIDATES)
        reranker.may_go.set()
        assert post(client, "/search", query="boat")["rerank_coverage"] == 1.0


def test_an_answer_that_cannot_be_given_has_a_status_and_no_events(home: Path) -> None:
    with serving(home, FakeReranker()) as (client, _):
        body = {"query": "boat", "filters": {"colour": "red"}}
        response = client.post("/search", json=body, headers=EVENTS)
        assert response.status_code == 422
        assert "colour" in problem(response)["detail"]


def test_what_goes_wrong_on_the_way_is_an_event(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ModelError("the device is lost.")

    with serving(home, FakeReranker()) as (client, _):
        monkeypatch.setattr("retrievals_serving.ranking.rerank", fail)
        (first, _), (last, error) = streamed(client, query="boat")
    assert (first, last) == ("vector", "error")
    assert (error["status"], error["detail"]) == (503, "the device is lost.")


def test_what_nobody_foresaw_on_the_way_is_told_to_the_log_alone(
    home: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("CUDA error: device is lost")

    with serving(home, FakeReranker()) as (client, _), caplog.at_level(logging.ERROR):
        monkeypatch.setattr("retrievals_serving.ranking.rerank", fail)
        _, (_, error) = streamed(client, query="boat")
    assert (error["status"], error["detail"]) == (500, "The server failed; its log says why.")
    assert "device is lost" in caplog.text


def test_one_search_more_than_may_wait_is_told_when_to_come_again(home: Path) -> None:
    reranker = HeldReranker()
    with (
        opened(home, reranker, rerank_deadline=1e9, queue=2) as engine,
        client_of(app := create_app(engine=engine)) as client,
        ThreadPoolExecutor(2) as pool,
    ):
        page = post(client, "/search", query="boat", rerank=False)
        more = {"query_vector": page["query_vector"], "cursor": page["cursor"]}
        waiting = [pool.submit(post, client, "/search", query=text) for text in ("boat", "horse")]
        while app.state.service.workers.busy < 2:
            threading.Event().wait(0.001)
        for path, body in (("/search", {"query": "calm"}), ("/search-more", more)):
            response = client.post(path, json=body)
            assert response.status_code == 503
            assert int(response.headers["Retry-After"]) >= 1
            assert "RETRIEVALS_QUEUE" in problem(response)["detail"]
        reranker.may_go.set()
        assert [each.result()["rerank_coverage"] for each in waiting] == [1.0, 1.0]
        assert post(client, "/search", query="calm")["rerank_coverage"] == 1.0


def test_those_who_ask_the_same_at_once_are_answered_by_one_reranking(home: Path) -> None:
    reranker = HeldReranker()
    with serving(home, reranker, cache_ttl=0) as (client, engine), ThreadPoolExecutor(5) as pool:
        asked = [pool.submit(post, client, "/search", query="boat") for _ in range(5)]
        flights = engine._judge._in_flight._flights  # type: ignore[union-attr]
        while sum(len(flight.cancelled) for flight in list(flights.values())) < 5:
            threading.Event().wait(0.001)
        reranker.may_go.set()
        answers = [told(each.result()) for each in asked]
    assert answers == answers[:1] * 5
    assert len(reranker.asked) == 1


def test_texts_that_come_while_the_embedder_is_busy_make_one_batch(home: Path) -> None:
    embedder = HeldEmbedder()
    with (
        opened(home, None, embedder=embedder) as engine,
        client_of(create_app(engine=engine)) as client,
        ThreadPoolExecutor(9) as pool,
    ):
        embedder.calls.clear()
        embedder.is_asked.clear()
        embedder.may_go.clear()
        asked = [pool.submit(post, client, "/search", query="boat")]
        assert embedder.is_asked.wait(PATIENCE)
        texts = [f"boat {number}" for number in range(8)]
        asked += [pool.submit(post, client, "/search", query=text) for text in texts]
        while len(engine._queries._waiting) < len(texts):
            threading.Event().wait(0.001)
        embedder.may_go.set()
        answers = {each.result()["query"]: each.result()["results"] for each in asked}
        assert embedder.calls[0] == ["boat"]
        assert sorted(embedder.calls[1]) == texts
        assert len(embedder.calls) == 2
        for text, results in answers.items():
            assert post(client, "/search", query=text)["results"] == results


def test_facets_of_a_query_wait_in_the_queue_of_all_searches(home: Path) -> None:
    embedder = HeldEmbedder()
    with (
        opened(home, None, embedder=embedder, queue=1) as engine,
        client_of(create_app(engine=engine)) as client,
        ThreadPoolExecutor(1) as pool,
    ):
        embedder.is_asked.clear()
        embedder.may_go.clear()
        counted = pool.submit(client.get, "/facets", params={"field": "artist", "query": "boat"})
        assert embedder.is_asked.wait(PATIENCE)
        assert client.post("/search", json={"query": "calm"}).status_code == 503
        assert client.get("/health").status_code == 200
        embedder.may_go.set()
        assert counted.result().json()["values"]
