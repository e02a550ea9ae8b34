"""Each caller may ask so often: counted by key, by visitor and address, or by address."""

import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import httpx
import pytest

from retrievals_serving import SearchEngine, Settings
from retrievals_serving.api.access import network_of
from retrievals_serving.cache.breaker import PAUSE, Breaker
from retrievals_serving.cache.connections import connection_pool
from retrievals_serving.errors import SettingsError
from tests.serving.guarded import (
    KEY,
    KEYS,
    OTHER,
    WORK,
    Clock,
    from_address,
    guarded,
    with_key,
)
from tests.serving.redis_server import PATIENCE, SHORT, RedisServer, accepted, listening
from tests.serving.test_api import problem
from tests.serving.timer import Timer

PROXY = "127.0.0.1"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def statuses(client: httpx.Client, times: int, **headers: str) -> list[int]:
    return [client.get(WORK, headers=headers).status_code for _ in range(times)]


@pytest.mark.usefixtures("clock")
def test_each_key_has_a_limit_of_its_own(engine: SearchEngine) -> None:
    with guarded(engine, api_keys=KEYS, rate_limit="2/minute", trusted_proxies=PROXY) as client:
        assert statuses(client, 3, **with_key(KEY)) == [200, 200, 429]
        assert statuses(client, 1, **with_key(KEY), **from_address("192.0.2.7")) == [429]
        assert statuses(client, 3, **with_key(OTHER)) == [200, 200, 429]


def test_answers_tell_what_is_left_and_a_refusal_when_to_come_again(
    engine: SearchEngine, clock: Clock
) -> None:
    with guarded(engine, rate_limit="3/minute") as client:
        clock.now += 20.5
        left = []
        for _ in range(3):
            headers = client.get(WORK).headers
            assert headers["ratelimit-limit"] == "3"
            left.append(headers["ratelimit-remaining"])
        assert left == ["2", "1", "0"]
        refused = client.post("/search", json={"query": "boat"})
        assert refused.status_code == 429
        assert "limit of 3 requests" in problem(refused)["detail"]
        assert refused.headers["ratelimit-remaining"] == "0"
        assert refused.headers["ratelimit-reset"] == refused.headers["retry-after"] == "40"
        clock.now += 39
        assert statuses(client, 1) == [429]
        clock.now += 1
        assert statuses(client, 2) == [200, 429]


def test_a_window_slides(engine: SearchEngine, clock: Clock) -> None:
    with guarded(engine, rate_limit="4/minute") as client:
        clock.now += 59
        assert statuses(client, 4) == [200] * 4
        clock.now += 2  # in another minute, and most of the window is the one before
        assert statuses(client, 2) == [200, 429]
        clock.now += 58
        assert statuses(client, 4) == [200, 200, 200, 429]


@pytest.mark.usefixtures("clock")
def test_without_keys_an_address_is_counted(engine: SearchEngine) -> None:
    with guarded(engine, rate_limit="1/minute", trusted_proxies=PROXY) as client:
        for address in ("192.0.2.1", "192.0.2.2", "2001:db8::1"):
            assert statuses(client, 2, **from_address(address)) == [200, 429]
        assert statuses(client, 1, **from_address("2001:db8::ffff")) == [429]
        assert statuses(client, 1, **with_key("whatever"), **from_address("192.0.2.1")) == [429]


@pytest.mark.parametrize(
    ("host", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3::5", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", "unknown"),
        ("/tmp/socket", "unknown"),
    ],
)
def test_an_address_of_ipv6_is_counted_with_its_network(host: str, network: str) -> None:
    assert network_of(host) == network


@pytest.mark.usefixtures("clock")
def test_only_what_searches_is_counted(engine: SearchEngine) -> None:
    with guarded(engine, rate_limit="2/minute") as client:
        for path in ("/", "/health", "/static/app.js", "/images/" + "0" * 64, "/openapi.json"):
            headers = client.get(path).headers
            assert "ratelimit-limit" not in headers
        assert client.get("/metrics").status_code != 429
        assert client.post("/search", json={}).headers["ratelimit-remaining"] == "1"
        assert client.get("/facets?field=artist").headers["ratelimit-remaining"] == "0"
        assert client.get("/health").status_code == 200


@pytest.mark.usefixtures("clock")
def test_visitors_of_one_address_have_more_than_one_visitor_has(engine: SearchEngine) -> None:
    limits = {"visitor_limit": "1/minute", "rate_limit": "2/minute"}
    with guarded(engine, api_keys=KEYS, trusted_proxies=PROXY, **limits) as client:
        client.get("/")
        assert statuses(client, 2, **from_address("192.0.2.1")) == [200, 429]
        for expected in (200, 429):  # and more cookies buy nobody more than that
            client.cookies.clear()
            client.get("/", headers=from_address("192.0.2.1"))
            assert statuses(client, 1, **from_address("192.0.2.1")) == [expected]
        assert statuses(client, 1, **with_key(KEY), **from_address("192.0.2.1")) == [200]


@pytest.mark.usefixtures("clock")
def test_more_addresses_buy_a_visitor_nothing(engine: SearchEngine) -> None:
    with guarded(engine, api_keys=KEYS, visitor_limit="2/minute", trusted_proxies=PROXY) as client:
        client.get("/")
        asked = [statuses(client, 1, **from_address(f"192.0.2.{last}"))[0] for last in range(1, 4)]
        assert asked == [200, 200, 429]


@pytest.mark.parametrize("setting", ["rate_limit", "visitor_limit"])
@pytest.mark.parametrize("value", ["many", "10", "0/minute", "1/fortnight", "1/second;9/minute"])
def test_a_limit_that_is_no_rate_is_refused_by_name(setting: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"RETRIEVALS_{setting.upper()}: .*{value}"):
        Settings.load(**{setting: value})


@pytest.fixture
def redis(redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> RedisServer:
    """A Redis that is waited for however slow this machine is."""
    patient = partial(connection_pool, deadline=PATIENCE)
    monkeypatch.setattr("retrievals_serving.api.rates.connection_pool", patient)
    return redis_server


def test_replicas_count_together_in_redis(engine: SearchEngine, redis: RedisServer) -> None:
    limits = {"rate_limit": "3/day", "redis_url": redis.url}
    with guarded(engine, **limits) as one, guarded(engine, **limits) as other:
        assert statuses(one, 2) + statuses(other, 2) == [200, 200, 200, 429]
        refused = one.get(WORK)
        assert refused.status_code == 429
        assert 0 < int(refused.headers["retry-after"]) <= 86401


def test_while_redis_fails_a_process_counts_by_itself(
    engine: SearchEngine,
    redis: RedisServer,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    timer = Timer()
    monkeypatch.setattr("retrievals_serving.api.rates.Breaker", partial(Breaker, timer=timer))
    with guarded(engine, rate_limit="2/day", redis_url=redis.url) as client:
        assert statuses(client, 2) == [200, 200]
        redis.kill()
        assert statuses(client, 3) == [200, 200, 429]
        warnings = [record for record in caplog.records if "Redis" in record.message]
        assert len(warnings) == 1  # it is not asked for each request
        redis.start()
        assert statuses(client, 1) == [429]
        timer.now += PAUSE
        assert statuses(client, 3) == [200, 200, 429]


def test_a_redis_that_does_not_answer_is_tried_by_one_and_holds_nobody_up(
    engine: SearchEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    timer = Timer()
    monkeypatch.setattr("retrievals_serving.api.rates.Breaker", partial(Breaker, timer=timer))
    hasty = partial(connection_pool, deadline=SHORT)
    monkeypatch.setattr("retrievals_serving.api.rates.connection_pool", hasty)
    with (
        listening() as (listener, url),
        guarded(engine, rate_limit="60/day", redis_url=f"{url}?socket_timeout=60") as client,
        ThreadPoolExecutor(8) as pool,
    ):
        assert statuses(client, 1) == [200]
        assert accepted(listener) == 1
        for _ in range(2):  # what hangs is left alone, and then tried by one of all who come
            asked = pool.map(lambda _: client.get(WORK).status_code, range(20))
            assert set(asked) == {200}
            timer.now += PAUSE
        assert accepted(listener) == 1
        assert statuses(client, 20)[-1] == 429  # it counted all by itself


def test_a_name_is_looked_for_in_no_thread_that_answers(
    engine: SearchEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_over, find = threading.Event(), socket.getaddrinfo
    looked = []

    def hang(host: str, *rest: int) -> object:
        if host != "redis.museum.example":
            return find(host, *rest)
        looked.append(threading.current_thread().name)
        assert is_over.wait(PATIENCE)
        raise socket.gaierror

    monkeypatch.setattr("socket.getaddrinfo", hang)
    hasty = partial(connection_pool, deadline=SHORT)
    monkeypatch.setattr("retrievals_serving.api.rates.connection_pool", hasty)
    url = "redis://redis.museum.example"
    try:
        with guarded(engine, rate_limit="1/day", redis_url=url, cache_ttl=0) as client:
            assert statuses(client, 2) == [200, 429]
    finally:
        is_over.set()
    assert looked == ["connect to redis"]
