"""What stands before the endpoints: proxies, other sites, headers, ids, and failures."""

import asyncio
import threading
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse

from retrievals_serving import SearchEngine
from retrievals_serving.api import edge
from retrievals_serving.settings import Settings
from tests.serving.client import client_of
from tests.serving.guarded import KEY, KEYS, WORK, from_address, guarded, with_key
from tests.serving.test_api import problem

SITE = "https://museum.example"
FORGED = ["192.0.2.1", "192.0.2.2"]


def test_a_forged_address_of_who_asks_is_not_believed(
    engine: SearchEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "*")  # of uvicorn, which would believe it
    with guarded(engine, rate_limit="1/day") as client:
        asked = [client.get(WORK, headers=from_address(each)).status_code for each in FORGED]
        https = client.get("/", headers={"X-Forwarded-Proto": "https"})
    assert asked == [200, 429]
    assert "strict-transport-security" not in https.headers


def test_a_trusted_proxy_is_believed_and_no_one_beyond_it(engine: SearchEngine) -> None:
    with guarded(engine, rate_limit="1/day", trusted_proxies="127.0.0.0/8") as client:
        asked = [client.get(WORK, headers=from_address(each)).status_code for each in FORGED]
        assert asked == [200, 200]
        # What a client itself sent comes first, what the proxy saw last.
        beyond = from_address(f"192.0.2.99, {FORGED[0]}")
        assert client.get(WORK, headers=beyond).status_code == 429


def test_a_proxy_that_is_another_machine_is_not_this_one(engine: SearchEngine) -> None:
    with guarded(engine, rate_limit="1/day", trusted_proxies="10.0.0.0/8") as client:
        asked = [client.get(WORK, headers=from_address(each)).status_code for each in FORGED]
    assert asked == [200, 429]


def test_a_page_of_another_site_may_ask_where_it_is_named(engine: SearchEngine) -> None:
    origins = f"{SITE}, http://localhost:3000"
    preflight = {
        "Origin": SITE,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    with guarded(engine, api_keys=KEYS, rate_limit="1/day", cors_origins=origins) as client:
        allowed = client.options("/search", headers=preflight)
        assert allowed.status_code == 200
        assert allowed.headers["access-control-allow-origin"] == SITE
        assert "access-control-allow-credentials" not in allowed.headers
        other = client.options("/search", headers=preflight | {"Origin": "https://evil.example"})
        assert "access-control-allow-origin" not in other.headers

        for headers, status in ((with_key(KEY), 200), ({}, 401), (with_key(KEY), 429)):
            answer = client.get(WORK, headers=headers | {"Origin": SITE})
            assert answer.status_code == status
            assert answer.headers["access-control-allow-origin"] == SITE
            exposed = answer.headers["access-control-expose-headers"].split(", ")
            assert {"RateLimit-Remaining", "Retry-After", "X-Request-ID"} <= set(exposed)


def test_no_other_site_may_ask_where_none_is_named(client: httpx.Client) -> None:
    headers = client.get(WORK, headers={"Origin": SITE}).headers
    assert not [name for name in headers if name.startswith("access-control")]


def test_every_answer_tells_a_browser_what_it_may_not_do(client: httpx.Client) -> None:
    for path in ("/", "/static/app.js", WORK, "/nothing", "/images/" + "0" * 64):
        headers = client.get(path).headers
        policy = headers["content-security-policy"].split("; ")
        assert {"default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"} <= set(policy)
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        for name in ("referrer-policy", "permissions-policy", "cross-origin-opener-policy"):
            assert headers[name]
        assert "strict-transport-security" not in headers
        assert "server" not in headers


def test_a_browser_that_came_by_https_stays_there(engine: SearchEngine) -> None:
    with guarded(engine, trusted_proxies="127.0.0.1") as client:
        headers = client.get("/", headers={"X-Forwarded-Proto": "https"}).headers
    assert headers["strict-transport-security"] == "max-age=31536000"


@pytest.mark.parametrize("sent", ["a", "0af7651916cd43dd.8448-eb_2", "x" * 64])
def test_a_request_keeps_the_id_that_it_came_with(client: httpx.Client, sent: str) -> None:
    assert client.get("/health", headers={"X-Request-ID": sent}).headers["x-request-id"] == sent


@pytest.mark.parametrize("sent", ["", "a b", "x" * 65, "<b>", "é"])
def test_an_id_that_no_log_should_hold_is_replaced(client: httpx.Client, sent: str) -> None:
    ids = {
        client.get(WORK, headers={"X-Request-ID": sent.encode()}).headers["x-request-id"]
        for _ in range(2)
    }
    assert len(ids) == 2
    assert sent not in ids
    assert {len(each) for each in ids} == {32}


def test_a_problem_has_the_id_and_the_headers_too(
    engine: SearchEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: str) -> None:
        raise RuntimeError("a secret path")

    monkeypatch.setattr(engine, "artwork", fail)
    sent = {"X-Request-ID": "mine"}
    with guarded(engine, api_keys=KEYS, cors_origins=SITE) as client:
        answers = [
            client.get(WORK, headers=sent),
            client.get("/images/0", headers=sent),
            client.post("/search", content=b" " * ((1 << 20) + 1), headers=sent | with_key(KEY)),
            client.get(WORK, headers=sent | with_key(KEY) | {"Origin": SITE}),
        ]
    assert [answer.status_code for answer in answers] == [401, 422, 413, 500]
    for answer in answers:
        problem(answer)
        assert answer.headers["x-request-id"] == "mine"
        assert "content-security-policy" in answer.headers
    assert answers[3].headers["access-control-allow-origin"] == SITE


def test_a_failure_after_the_beginning_of_an_answer_adds_nothing_to_it() -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"first"
        raise RuntimeError("inside")

    received = []
    with (
        client_of(streaming_app(broken)) as client,
        client.stream("GET", "/stream") as response,
        pytest.raises(httpx.RemoteProtocolError),
    ):
        received.extend(response.iter_raw())
    assert (response.status_code, received) == (200, [b"first"])


def test_an_answer_streams_while_it_is_made_and_ends_when_its_client_leaves() -> None:
    may_go_on, ended = threading.Event(), threading.Event()

    async def endless() -> AsyncIterator[bytes]:
        try:
            yield b"first"
            await asyncio.to_thread(may_go_on.wait, 60)
            yield b"second"
            while True:
                await asyncio.sleep(0)
                yield b"."
        finally:
            ended.set()

    with client_of(streaming_app(endless)) as client:
        with client.stream("GET", "/stream") as response:
            pieces = response.iter_raw()
            assert next(pieces) == b"first"
            may_go_on.set()
            assert next(pieces).startswith(b"second")
        assert ended.wait(60)


def streaming_app(pieces: Any) -> FastAPI:
    """An application within the edge that answers with what `pieces` yields."""
    app = FastAPI()
    edge.install(app, Settings.load())

    @app.get("/stream")
    async def stream(_: Request) -> StreamingResponse:
        return StreamingResponse(pieces())

    return app
