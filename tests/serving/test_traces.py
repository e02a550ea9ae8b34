"""Spans of requests and of stages reach a collector, and say nothing of what was searched for.

The provider of spans is one for a whole process. So the server that is traced is one of its own.
"""

import os
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from opentelemetry import trace
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from retrievals_serving import SearchEngine
from retrievals_serving.api import create_app
from retrievals_serving.errors import SettingsError
from tests.processes import bound

SERVER = """
import sys
from retrievals_serving import SearchEngine, Settings
from retrievals_serving.api import create_app
from retrievals_serving.errors import ReleaseError
from retrievals_serving.http_server import run
from tests.serving.fake_reranker import FakeReranker
from tests.serving.small_release import WordEmbedder

class Failing(WordEmbedder):
    def embed_texts(self, texts, **options):
        if "unutterable" in texts[0]:
            raise ReleaseError(f"cannot embed {texts[0]}")
        return super().embed_texts(texts, **options)

settings = Settings.load(home=sys.argv[1], reranker="none", secret="s" * 32)
models = {"embedder": Failing(), "reranker": FakeReranker()}
with SearchEngine.open(settings=settings, **models) as engine:
    app = create_app(engine=engine)
    run(app, "127.0.0.1", 0, tell=lambda url: print(url, flush=True))
"""
CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"  # the example of W3C's text
REQUEST_ID = "the-id-of-a-request"
TOLD = {"traceparent": CALLER, "X-Request-ID": REQUEST_ID}
QUERIES = ("stormy boat", "lonely horse", "unutterable portrait")


@dataclass
class Traced:
    """What a collector was sent."""

    bodies: list[bytes] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    resources: list[dict[str, Any]] = field(default_factory=list)

    def take(self, body: bytes) -> None:
        self.bodies.append(body)
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            self.resources.append(attributes(resource.resource.attributes))
            for scope in resource.scope_spans:
                self.spans += scope.spans

    def request(self, name: str, status: int = 200) -> Span:
        """The one span of a request of that name that was answered so."""
        (span,) = (
            span
            for span in self.spans
            if span.name == name
            and attributes(span.attributes)["http.response.status_code"] == status
        )
        return span

    def under(self, parent: Span) -> dict[str, Span]:
        return {span.name: span for span in self.spans if span.parent_span_id == parent.span_id}


def attributes(pairs: Iterable[KeyValue]) -> dict[str, Any]:
    """The attributes of a span or a resource."""
    return {pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in pairs}


@contextmanager
def collector(traced: Traced) -> Iterator[str]:
    """Take what is sent to a collector on loopback; yield its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.path == "/v1/traces"
            traced.take(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Type", "application/x-protobuf")
            self.end_headers()
            self.wfile.write(ExportTraceServiceResponse().SerializeToString())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def traced(home: Path) -> Traced:
    """What a server sent of some requests, and when it stopped, to a collector on loopback."""
    traced = Traced()
    with (
        collector(traced) as url,
        subprocess.Popen(
            bound([sys.executable, "-c", SERVER, home]),
            env=os.environ | {"OTEL_EXPORTER_OTLP_ENDPOINT": url},
            stdout=subprocess.PIPE,
            text=True,
        ) as process,
    ):
        assert process.stdout is not None
        with httpx.Client(base_url=process.stdout.readline().strip(), timeout=30) as client:
            ask(client)
        process.terminate()
        process.wait(60)
    return traced


def ask(client: httpx.Client) -> None:
    """Send what is traced."""
    body = {"query": QUERIES[0]}
    assert client.post("/search", json=body, headers=TOLD).status_code == 200
    assert client.get("/artworks/test:1003/similar").status_code == 200
    facets = {"field": "artist", "query": QUERIES[1]}
    assert client.get("/facets", params=facets).status_code == 200
    assert client.get("/artworks/nga:1").status_code == 404
    body = {"query": QUERIES[2]}
    assert client.post("/search", json=body, headers={"Connection": "close"}).status_code == 503
    failed = client.get("/facets", params=facets | {"query": QUERIES[2]})
    assert failed.status_code == 503


def test_a_request_is_a_span_under_that_of_its_caller(traced: Traced) -> None:
    span = traced.request("POST /search")
    assert span.kind == Span.SPAN_KIND_SERVER
    assert f"00-{span.trace_id.hex()}-{span.parent_span_id.hex()}-01" == CALLER
    said = attributes(span.attributes)
    assert (said["http.request.method"], said["http.route"]) == ("POST", "/search")
    assert not traced.request("GET /artworks/{artwork_id}/similar").parent_span_id


def test_the_id_of_a_request_is_on_its_span(traced: Traced) -> None:
    said = attributes(traced.request("POST /search").attributes)
    (value,) = said["http.response.header.x-request-id"].values
    assert value.string_value == REQUEST_ID


def test_a_stage_is_a_span_under_that_of_its_request(traced: Traced) -> None:
    request = traced.request("POST /search")
    stages = traced.under(request)
    assert set(stages) == {"embed", "search", "rerank", "metadata"}
    for span in stages.values():
        assert span.trace_id == request.trace_id
        assert request.start_time_unix_nano <= span.start_time_unix_nano
        assert span.end_time_unix_nano <= request.end_time_unix_nano
    similar = traced.under(traced.request("GET /artworks/{artwork_id}/similar"))
    assert set(similar) == {"search", "metadata"}


def test_an_error_is_named_without_its_message(traced: Traced) -> None:
    request = traced.request("POST /search", 503)
    embed = traced.under(request)["embed"]
    for span in (request, embed):
        assert (span.status.code, span.status.message) == (Status.STATUS_CODE_ERROR, "")
        assert not span.events
    assert attributes(embed.attributes)["error.type"] == "ReleaseError"
    unknown = traced.request("GET /artworks/{artwork_id}", 404)
    assert unknown.status.code == Status.STATUS_CODE_UNSET


def test_no_span_says_what_was_searched_for(traced: Traced) -> None:
    for status in (200, 503):
        facets = traced.request("GET /facets", status)
        assert attributes(facets.attributes)["url.query"] == "REDACTED"
    sent = b"".join(traced.bodies)
    for word in " ".join(QUERIES).split():
        assert word.encode() not in sent


def test_spans_carry_the_name_of_the_service(traced: Traced) -> None:
    assert {resource["service.name"] for resource in traced.resources} == {"retrievals"}


def test_a_collector_without_the_extra_says_what_to_install(
    engine: SearchEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318")
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    with pytest.raises(SettingsError, match=r"pip install 'retrievals\[telemetry\]'"):
        create_app(engine=engine)


def test_without_a_collector_nothing_is_set_up(engine: SearchEngine) -> None:
    create_app(engine=engine)
    assert isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)
