"""`/metrics` shows Prometheus what was asked, how long it took, and what is watched."""

import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

import anyio
import httpx
import pytest
from fastapi import FastAPI
from fastapi.responses import PlainTextResponse, StreamingResponse
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as parse_openmetrics,
)
from prometheus_client.parser import text_string_to_metric_families

from retrievals_serving import SearchEngine, Settings
from retrievals_serving.api import create_app
from retrievals_serving.api.measured import MeasuredRequests
from retrievals_serving.api.metrics import Metrics
from tests.serving.client import client_of
from tests.serving.fake_reranker import FakeReranker
from tests.serving.small_release import RELEASE, WORKS, WordEmbedder
from tests.serving.test_api import post

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


@pytest.fixture
def client(engine: SearchEngine) -> Iterator[httpx.Client]:
    """A client of a server that nobody else asks."""
    with client_of(create_app(engine=engine)) as opened:
        yield opened


def scraped(client: httpx.Client) -> Samples:
    response = client.get("/metrics")
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/plain; version=")
    return parsed(response.text)


def parsed(text: str) -> Samples:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def of(samples: Samples, name: str, **labels: str) -> float | None:
    return samples.get((name, frozenset(labels.items())))


def requests(samples: Samples) -> dict[tuple[str, str, str], float]:
    """How many requests were counted, by endpoint, method and status."""
    counts = {}
    for (name, labels), value in samples.items():
        if name == "retrievals_requests_total":
            each = dict(labels)
            counts[each["endpoint"], each["method"], each["status"]] = value
    return counts


def test_requests_are_counted_by_the_template_of_their_route(
    client: httpx.Client, engine: SearchEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: str) -> None:
        raise RuntimeError("nobody foresaw it")

    for artwork in ("test:1001", "test:1002"):
        assert client.get(f"/artworks/{artwork}/similar").status_code == 200
    client.get("/artworks/nga:1/similar")
    client.post("/search", json={"query": ""})
    client.put("/search")
    client.get("/static/no-such-file")
    client.get("/no/such/path?query=secret")
    client.request("PROPFIND", "/another")  # of WebDAV
    monkeypatch.setattr(engine, "artwork", fail)
    client.get("/artworks/test:1001", headers={"Connection": "close"})  # as the server does
    assert requests(scraped(client)) == {
        ("/artworks/{artwork_id}/similar", "GET", "200"): 2,
        ("/artworks/{artwork_id}/similar", "GET", "404"): 1,
        ("/search", "POST", "422"): 1,
        ("/search", "PUT", "405"): 1,
        ("/static", "GET", "404"): 1,
        ("other", "GET", "404"): 1,
        ("other", "other", "404"): 1,
        ("/artworks/{artwork_id}", "GET", "500"): 1,
    }


def test_requests_and_stages_are_measured(settings: Settings) -> None:
    models: dict[str, Any] = {"embedder": WordEmbedder(), "reranker": FakeReranker()}
    with (
        SearchEngine.open(settings=settings, **models) as engine,
        client_of(create_app(engine=engine)) as client,
    ):
        timings = post(client, "/search", query="boat")["timings"]
        post(client, "/search", query="boat", rerank=False)
        samples = scraped(client)
    counts = {
        stage: of(samples, "retrievals_stage_seconds_count", stage=stage) for stage in timings
    }
    assert counts == {"embed": 2, "search": 2, "rerank": 1, "metadata": 2}
    rerank = of(samples, "retrievals_stage_seconds_sum", stage="rerank")
    assert rerank == pytest.approx(timings["rerank"] / 1000)
    assert of(samples, "retrievals_request_seconds_count", endpoint="/search") == 2
    seconds = of(samples, "retrievals_request_seconds_sum", endpoint="/search")
    assert seconds is not None
    assert seconds > sum(timings.values()) / 1000
    assert of(samples, "retrievals_answers_total", cached="false") == 2
    assert of(samples, "retrievals_answers_total", cached="true") == 0


def test_kept_and_degraded_answers_are_shown(engine: SearchEngine) -> None:
    app = create_app(engine=engine)
    metrics: Metrics = app.state.metrics
    timings = {"rerank": 6.0}
    metrics.answered(latency_ms=9.0, timings=timings, degraded=("deadline",))
    metrics.answered(latency_ms=0.5, timings=timings, cached=True, degraded=("cache",))
    with client_of(app) as client:
        samples = scraped(client)
    assert of(samples, "retrievals_answers_total", cached="true") == 1
    assert of(samples, "retrievals_degraded_total", reason="deadline") == 1
    assert of(samples, "retrievals_degraded_total", reason="cache") == 1
    assert of(samples, "retrievals_stage_seconds_count", stage="rerank") == 1


def test_the_release_and_the_process_are_shown(client: httpx.Client) -> None:
    samples = scraped(client)
    assert of(samples, "retrievals_release_info", release=RELEASE) == 1
    assert of(samples, "retrievals_works") == WORKS
    memory = of(samples, "process_resident_memory_bytes")
    assert memory is not None
    assert memory > 0


def test_a_server_without_a_release_shows_the_rest(tmp_path: Any) -> None:
    with client_of(create_app(Settings.load(home=tmp_path, reranker="none"))) as client:
        assert client.get("/stats").status_code == 503
        samples = scraped(client)
    assert "retrievals_release_info" not in {name for name, _ in samples}
    assert of(samples, "retrievals_works") == 0
    assert requests(samples)["/stats", "GET", "503"] == 1


def test_what_is_watched_is_read_whenever_it_is_asked_for(engine: SearchEngine) -> None:
    app = create_app(engine=engine)
    metrics: Metrics = app.state.metrics
    waiting, forwards = 3.0, {"embed": 5.0}
    metrics.watch("museum_queue_depth", "Searches that wait.", lambda: waiting)
    metrics.watch("museum_forwards_total", "Forwards.", lambda: forwards, label="kind")
    with client_of(app) as client:
        samples = scraped(client)
        assert of(samples, "museum_queue_depth") == 3
        assert of(samples, "museum_forwards_total", kind="embed") == 5
        waiting, forwards["rerank"] = 0.0, 2.0
        text = client.get("/metrics").text
    assert of(parsed(text), "museum_queue_depth") == 0
    assert of(parsed(text), "museum_forwards_total", kind="rerank") == 2
    assert "# TYPE museum_queue_depth gauge" in text
    assert "# TYPE museum_forwards_total counter" in text


def test_two_cannot_be_watched_under_one_name() -> None:
    metrics = Metrics()
    metrics.watch("retrievals_queue_depth", "Searches that wait.", lambda: 0.0)
    with pytest.raises(ValueError, match="retrievals_queue_depth"):
        metrics.watch("retrievals_queue_depth", "Others.", lambda: 1.0)
    with pytest.raises(ValueError, match="retrievals_requests"):
        metrics.watch("retrievals_requests_total", "Others.", lambda: 1.0)


def test_prometheus_is_given_the_format_it_asks_for(client: httpx.Client) -> None:
    post(client, "/search", query="boat")
    response = client.get("/metrics", headers={"Accept": "application/openmetrics-text"})
    assert response.headers["content-type"].startswith("application/openmetrics-text; version=1")
    names = {family.name for family in parse_openmetrics(response.text)}
    assert names >= {"retrievals_requests", "retrievals_request_seconds", "retrievals_works"}


def test_no_text_that_was_sent_becomes_a_label(client: httpx.Client) -> None:
    post(client, "/search", query="secret boat")
    client.get("/facets", params={"field": "artist", "query": "secret"})
    client.get("/secret")
    assert "secret" not in client.get("/metrics").text.lower()


def test_what_is_refused_before_its_route_is_counted_as_of_it() -> None:
    metrics, app = Metrics(), FastAPI()
    app.get("/artworks/{artwork_id}")(lambda artwork_id: artwork_id)

    async def refuse(scope: Any, receive: Any, send: Any) -> None:
        await PlainTextResponse("slower", 429)(scope, receive, send)

    app.add_middleware(lambda _: refuse)
    app.add_middleware(MeasuredRequests, metrics=metrics)
    with client_of(app) as client:
        for path in ("/artworks/test:1001", "/openapi.json", "/nothing"):
            assert client.get(path).status_code == 429
    for endpoint in ("/artworks/{artwork_id}", "/openapi.json", "other"):
        labels = {"endpoint": endpoint, "method": "GET", "status": "429"}
        assert metrics.registry.get_sample_value("retrievals_requests_total", labels) == 1


class Stream:
    """A server whose one endpoint sends a piece, waits, and sends another."""

    def __init__(self) -> None:
        self.metrics = Metrics()
        self.may_end, self.was_left = threading.Event(), threading.Event()
        self.app = FastAPI()
        self.app.get("/stream")(self.stream)
        self.app.add_middleware(MeasuredRequests, metrics=self.metrics)

    async def stream(self) -> StreamingResponse:
        return StreamingResponse(self.pieces())

    async def pieces(self) -> AsyncIterator[bytes]:
        yield b"first\n"
        try:
            while not self.may_end.is_set():
                await anyio.sleep(0.001)
        except anyio.get_cancelled_exc_class():
            self.was_left.set()
            raise
        yield b"second\n"


def test_a_stream_is_passed_on_as_it_comes_and_counted_at_its_end() -> None:
    server = Stream()
    with client_of(server.app) as client, client.stream("GET", "/stream") as response:
        lines = response.iter_lines()
        assert next(lines) == "first"  # while the second waits to be let go
        assert server.metrics.statuses() == {}
        server.may_end.set()
        assert list(lines) == ["second"]
        assert server.metrics.statuses() == {"2xx": 1}


def test_a_stream_that_is_left_ends_and_is_counted() -> None:
    server = Stream()
    with client_of(server.app) as client:
        with client.stream("GET", "/stream") as response:
            next(response.iter_lines())
        assert server.was_left.wait(60)
    assert server.metrics.statuses() == {"2xx": 1}


def test_a_request_that_is_left_before_its_answer_has_a_status_of_its_own() -> None:
    metrics, is_asked = Metrics(), threading.Event()

    async def app(_: Any, receive: Any, __: Any) -> None:
        is_asked.set()
        while (await receive())["type"] != "http.disconnect":
            pass

    scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "app": FastAPI()}

    async def leave() -> dict[str, str]:
        return {"type": "http.disconnect"}

    async def send(_: Any) -> None:
        raise AssertionError

    anyio.run(MeasuredRequests(app, metrics), scope, leave, send)
    labels = {"endpoint": "other", "method": "GET", "status": "499"}
    assert metrics.registry.get_sample_value("retrievals_requests_total", labels) == 1
