"""What a server logs of a request, and what it never does."""

import io
import json
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from retrievals_serving import SearchEngine, logs
from tests.serving.guarded import KEY, KEYS, SECRET, WORK, guarded, with_key

REQUESTS = logging.getLogger("retrievals_serving.api.request_log")


@contextmanager
def logged(*, is_terminal: bool = False) -> Iterator[io.StringIO]:
    """Yield what a server logs meanwhile."""
    text = io.StringIO()
    handler = logging.StreamHandler(text)
    handler.setFormatter(logs.formatter(is_terminal=is_terminal))
    root = logging.getLogger()
    level = REQUESTS.level
    root.addHandler(handler)
    REQUESTS.setLevel(logging.INFO)
    try:
        yield text
    finally:
        root.removeHandler(handler)
        REQUESTS.setLevel(level)


def lines(text: io.StringIO, event: str = "request") -> list[dict[str, Any]]:
    read = (json.loads(line) for line in text.getvalue().splitlines())
    return [line for line in read if line["event"] == event]


def test_each_request_is_a_line_that_says_who_asked_for_what(engine: SearchEngine) -> None:
    with logged() as text, guarded(engine, api_keys=KEYS) as client:
        client.get("/", headers={"X-Request-ID": "1"})
        client.get(f"{WORK}/similar", params={"top_k": 3}, headers={"X-Request-ID": "2"})
        client.cookies.clear()
        keyed = with_key(KEY) | {"X-Request-ID": "3"}
        client.post("/search", json={"query": "boat"}, headers=keyed)
        client.get("/facets?field=artist", headers={"X-Request-ID": "4"})
    read = {line["request_id"]: line for line in lines(text)}
    told = {
        request_id: (line["method"], line["path"], line["status"], line["caller"])
        for request_id, line in read.items()
    }
    assert told == {
        "1": ("GET", "/", 200, "address"),
        "2": ("GET", f"{WORK}/similar", 200, "visitor"),
        "3": ("POST", "/search", 200, "curator"),
        "4": ("GET", "/facets", 401, "address"),
    }
    for line in read.values():
        assert (line["level"], line["logger"]) == ("info", REQUESTS.name)
        assert line["ms"] > 0
        assert line["timestamp"].endswith("Z")


def test_what_visitors_ask_and_who_they_are_is_not_logged(engine: SearchEngine) -> None:
    with logged() as text, guarded(engine, api_keys=KEYS) as client:
        cookie = client.get("/").headers["set-cookie"].partition(";")[0].partition("=")[2]
        client.get("/facets", params={"field": "artist", "query": "private"})
        client.post("/search", json={"query": "private"}, headers=with_key("a secret guess"))
        client.post("/search", json={"query": "private"}, headers=with_key(KEY))
    assert len(lines(text)) == 4
    for secret in ("private", "guess", KEY, cookie.split(".")[0], SECRET, "127.0.0.1"):
        assert secret not in text.getvalue()


def test_a_path_cannot_write_lines_of_its_own(engine: SearchEngine) -> None:
    with logged(is_terminal=True) as text, guarded(engine) as client:
        client.get("/a%0A%1B%5B2Jforged")
    (line,) = (line for line in text.getvalue().splitlines() if "ready to answer" not in line)
    assert "/a%0A%1B%5B2Jforged" in line


def test_what_goes_wrong_meanwhile_has_the_id_of_the_request(
    engine: SearchEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: str) -> None:
        REQUESTS.warning("it is near its end")
        raise RuntimeError("inside")

    monkeypatch.setattr(engine, "artwork", fail)
    with logged() as text, guarded(engine) as client:
        client.get(WORK, headers={"X-Request-ID": "mine"})
    (warned,) = lines(text, "it is near its end")
    (failed,) = lines(text, "Exception in ASGI application\n")
    assert warned["request_id"] == failed["request_id"] == "mine"
    assert failed["exception"].endswith("RuntimeError: inside")
    assert lines(text)[0]["status"] == 500


def test_a_traceback_on_a_terminal_shows_no_variables() -> None:
    with logged(is_terminal=True) as text:
        key = "a key"
        try:
            _ = 1 / 0
        except ZeroDivisionError:
            REQUESTS.exception("failed")
        del key
    assert "ZeroDivisionError" in text.getvalue()
    assert "\x1b[" in text.getvalue()
    assert "a key" not in text.getvalue()


def test_a_server_logs_json_where_nobody_reads_along(tmp_path: Path) -> None:
    program = "from retrievals_serving.cli import serve; serve()"
    command = [sys.executable, "-c", program, "--port", "0"]
    environment = os.environ | {"RETRIEVALS_HOME": str(tmp_path), "RETRIEVALS_API_KEYS": KEYS}
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout
        url = server.stdout.readline().split()[2]
        assert httpx.get(f"{url}/stats", headers=with_key(KEY)).status_code == 503
        server.send_signal(signal.SIGINT)
        _, log = server.communicate(timeout=60)
    read = [json.loads(line) for line in log.splitlines()]
    (request,) = (line for line in read if line["event"] == "request")
    assert (request["path"], request["status"], request["caller"]) == ("/stats", 503, "curator")
    assert any("RETRIEVALS_SECRET is not set" in line["event"] for line in read)
