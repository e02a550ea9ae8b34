"""Connections are kept and shared, every answer is bounded, and the end of a run ends it all."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from retrievals_pipeline.defs.images import fetcher as fetching
from retrievals_pipeline.defs.images import transport
from retrievals_pipeline.defs.images.fetcher import Fetcher
from retrievals_pipeline.defs.images.run_clock import RunClock, RunEnded
from retrievals_pipeline.defs.images.shard import download_shard
from retrievals_pipeline.defs.images.transport import THREADS
from retrievals_serving.errors import SourceError
from retrievals_serving.http_client import is_own
from retrievals_serving.settings import Settings
from retrievals_serving.store import Store
from tests.images.conftest import (
    FakeClock,
    Museum,
    body,
    in_turn,
    jpeg,
    slowly,
    status,
    work,
)


def test_connections_are_shared_by_all_shards_of_a_run(museum: Museum, store: Store) -> None:
    with Fetcher(clock=FakeClock()) as fetcher:
        for shard in range(3):
            names = [f"{shard}-{n}" for n in range(2 * THREADS)]
            download_shard(
                store,
                f"{shard}-of-3",
                [work(museum, name, slowly(0.02, body(jpeg()))) for name in names],
                fetcher=fetcher,
                mirror=None,
                advance=lambda _: None,
            )
    assert len(museum.ports) <= THREADS


def test_an_answer_that_never_ends_is_given_up(
    museum: Museum, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "MAX_ATTEMPTS", 1)
    blocks = 0

    def trickle(handler: object) -> None:
        nonlocal blocks
        body(b"", declared=10**6)(handler)  # type: ignore[arg-type]
        with suppress(OSError):
            for _ in range(100):
                museum.clock.time += transport.MAX_SECONDS / 5
                handler.wfile.write(b"x")  # type: ignore[attr-defined]
                blocks += 1
                time.sleep(0.01)  # so that it is read before the next one is written

    museum.answers["/x"] = trickle
    with Fetcher(clock=museum.clock) as fetcher:
        answer = fetcher.fetch(f"{museum.address}/x")
    assert (answer.status, answer.detail) == ("timeout", "not whole after 120 s")
    assert blocks < 20


@pytest.mark.parametrize("when", ["before", "within"])
def test_the_end_of_a_run_frees_who_waits_for_an_answer(museum: Museum, when: str) -> None:
    asked, over = threading.Event(), threading.Event()

    def never(handler: object) -> None:
        if when == "within":
            body(b"", declared=10**6)(handler)  # type: ignore[arg-type]
        asked.set()
        over.wait(20)

    museum.answers["/x"] = never
    clock = RunClock()
    with Fetcher(clock=clock) as fetcher, ThreadPoolExecutor(1) as pool:
        answer = pool.submit(fetcher.fetch, f"{museum.address}/x")
        asked.wait(20)
        time.sleep(0.05)
        clock.end(SourceError("over"))
        with pytest.raises(RunEnded):
            answer.result(timeout=5)
        over.set()


@pytest.mark.parametrize("code", [301, 403, 500])
def test_what_comes_with_a_failure_or_a_redirection_is_not_read_without_bound(
    museum: Museum, code: int
) -> None:
    sent = 0

    def endless(handler: object) -> None:
        nonlocal sent
        body(b"", code=code, declared=10**12, Location="/new")(handler)  # type: ignore[arg-type]
        with suppress(OSError):
            for _ in range(64):
                sent += handler.wfile.write(bytes(1 << 20))  # type: ignore[attr-defined]

    museum.answers |= {"/x": in_turn(endless, body(jpeg())), "/new": body(jpeg())}
    with Fetcher(clock=museum.clock) as fetcher:
        answer = fetcher.fetch(f"{museum.address}/x")
    assert (answer.status, sent < 32 << 20) == ("forbidden" if code == 403 else "ok", True)


def test_a_fault_of_the_setup_is_no_fault_of_the_works(
    museum: Museum, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(transport.HEADERS, "Accept", "картины")
    with Fetcher(clock=museum.clock) as fetcher, pytest.raises(UnicodeEncodeError):
        fetcher.fetch(f"{museum.address}/x")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://127.0.0.1:8182/x", True),
        ("http://localhost/x", True),
        ("https://IIIF.example.org:8443/x", True),
        ("http://10.0.0.7/x", True),
        ("https://api.nga.gov/iiif/x", False),
        ("https://iiif.example.org.museum.example/x", False),
        ("nonsense", False),
    ],
)
@pytest.mark.parametrize("own_hosts", ["iiif.example.org, 10.0.0.7,", "IIIF.Example.org,10.0.0.7"])
def test_hosts_of_ones_own_are_those_that_are_named_and_this_machine(
    url: str, expected: bool, own_hosts: str
) -> None:
    assert is_own(url, Settings.load(own_hosts=own_hosts).own_host_names) == expected


def test_connections_are_kept_also_after_failures(museum: Museum) -> None:
    no = body(b"<html>no</html>", "text/html", code=403)
    for n, answer in enumerate([body(jpeg()), no, status(404), body(jpeg())]):
        museum.answers[f"/{n}"] = answer
    with Fetcher(clock=museum.clock) as fetcher:
        for n in range(4):
            fetcher.fetch(f"{museum.address}/{n}")
    assert len(museum.ports) == 1


def test_the_museum_is_told_who_asks_and_whom_to_write_to(museum: Museum) -> None:
    with Fetcher(clock=museum.clock, contact="me@example.org") as fetcher:
        fetcher.fetch(f"{museum.address}/1")
    (agent,) = museum.agents
    assert agent.startswith("retrievals/0.")
    assert agent.endswith("; +me@example.org)")


def test_strangers_are_asked_through_the_proxy_of_the_environment(
    museum: Museum, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", museum.address)
    museum.answers["http://museum.example/x"] = body(jpeg())
    with Fetcher(clock=museum.clock, is_own=lambda _: True) as fetcher:
        assert fetcher.fetch("http://museum.example/x").status == "ok"
