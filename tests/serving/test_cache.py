"""A cache gives back what was put into it, wherever it is; open_cache makes the one that is set."""

import hashlib
import random
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from pydantic import SecretStr

from retrievals_serving.cache import Cache, open_cache, request_key
from retrievals_serving.cache.connections import connection_pool
from retrievals_serving.cache.memory import MAX_BYTES, MemoryCache
from retrievals_serving.cache.redis import PREFIX, RedisCache
from retrievals_serving.errors import SettingsError
from retrievals_serving.settings import Settings
from tests.serving.redis_server import PATIENCE, RedisServer
from tests.serving.timer import Timer

TTL = 60
ANSWER = random.Random(0).randbytes(70_000)


@pytest.fixture(params=["memory", "redis"])
def cache(request: pytest.FixtureRequest) -> Iterator[Cache]:
    if request.param == "memory":
        opened: Cache = MemoryCache(TTL)
    else:
        server: RedisServer = request.getfixturevalue("redis_server")
        opened = RedisCache(connection_pool(SecretStr(server.url), deadline=PATIENCE), TTL)
    assert opened.name == request.param
    yield opened
    opened.close()


@pytest.mark.parametrize("answer", [ANSWER, b"", b"\r\n$-1\r\n"], ids=["large", "empty", "reply"])
def test_what_is_put_is_given_back(cache: Cache, answer: bytes) -> None:
    cache.put("boat", answer)
    assert cache.get("boat") == answer
    assert cache.get("boat") == answer
    assert cache.is_available


def test_nothing_is_given_for_a_key_that_is_not_there(cache: Cache) -> None:
    cache.put("boat", ANSWER)
    assert cache.get("boats") is None
    assert cache.is_available


def test_the_answer_that_was_put_last_is_given(cache: Cache) -> None:
    cache.put("boat", b"before")
    cache.put("boat", ANSWER)
    assert cache.get("boat") == ANSWER


def test_threads_are_given_the_answers_of_their_own_keys(cache: Cache) -> None:
    def ask(number: int) -> bool:
        key = str(number % 20)
        answer = key.encode() * 10_000
        cache.put(key, answer)
        return cache.get(key) == answer

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(ask, range(400)))


def test_an_answer_in_memory_is_gone_when_its_time_is_over() -> None:
    timer = Timer()
    cache = MemoryCache(TTL, timer=timer)
    cache.put("boat", ANSWER)
    timer.now += TTL - 1
    assert cache.get("boat") == ANSWER
    timer.now += 1
    assert cache.get("boat") is None


def test_an_answer_in_redis_is_gone_when_its_time_is_over(redis_server: RedisServer) -> None:
    cache = RedisCache(connection_pool(SecretStr(redis_server.url), deadline=PATIENCE), TTL)
    cache.put("boat", ANSWER)
    with redis_server.client() as client:
        assert client.keys() == [f"{PREFIX}boat".encode()]
        assert 0 < client.pttl(f"{PREFIX}boat") <= 1000 * TTL
        client.pexpire(f"{PREFIX}boat", 0)
    assert cache.get("boat") is None
    cache.close()


def test_answers_in_memory_make_room_for_others_by_their_bytes() -> None:
    cache = MemoryCache(TTL)
    half = bytes(MAX_BYTES // 2)
    cache.put("first", half)
    cache.put("second", half)
    assert cache.get("first") == half
    cache.put("third", b"small")
    assert [cache.get(key) for key in ("first", "second", "third")] == [half, None, b"small"]


def test_an_answer_larger_than_the_memory_is_not_kept() -> None:
    cache = MemoryCache(TTL)
    cache.put("boat", b"small")
    cache.put("sea", bytes(MAX_BYTES + 1))
    assert cache.get("sea") is None
    assert cache.get("boat") == b"small"


def test_nothing_is_kept_for_no_seconds() -> None:
    assert open_cache(Settings.load(cache_ttl=0, redis_url="redis://127.0.0.1:6379")) is None


def test_answers_are_kept_in_memory_where_no_redis_is_set() -> None:
    cache = open_cache(Settings.load())
    assert cache is not None
    assert cache.name == "memory"


def test_answers_are_kept_in_the_redis_that_is_set_for_the_time_that_is_set(
    redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def patient(url: SecretStr) -> object:
        return connection_pool(url, deadline=PATIENCE)

    monkeypatch.setattr("retrievals_serving.cache.connections.connection_pool", patient)
    cache = open_cache(Settings.load(redis_url=redis_server.url, cache_ttl=1000))
    assert cache is not None
    assert cache.name == "redis"
    cache.put("boat", ANSWER)
    with redis_server.client() as client:
        assert 900_000 < client.pttl(f"{PREFIX}boat") <= 1_000_000
    cache.close()


@pytest.mark.parametrize("url", ["rediss://museum.example", "unix:///run/redis.sock?db=1"])
def test_redis_may_be_asked_in_secret_or_on_this_machine(url: str) -> None:
    cache = open_cache(Settings.load(redis_url=url))
    assert cache is not None
    assert cache.name == "redis"


@pytest.mark.parametrize(
    "url",
    [
        "http://:s3cret@127.0.0.1:6379",
        "127.0.0.1:6379",
        "redis://:s3cret/@127.0.0.1:6379",
        "redis://:x@127.0.0.1:s3cret",
        "redis://127.0.0.1?max_connections=s3cret",
        "redis://127.0.0.1?passwort=s3cret",
        "redis://s3cret..example",
        "rediss://127.0.0.1?ssl_cert_reqs=s3cret",
    ],
)
def test_an_address_that_is_none_is_refused_and_not_shown(url: str) -> None:
    with pytest.raises(SettingsError, match="RETRIEVALS_REDIS_URL: it is no address") as refused:
        open_cache(Settings.load(redis_url=url))
    assert "s3cret" not in "".join(traceback.format_exception(refused.value))


PARTS = ("release-1", "embedder", None, {"query": "boat", "top_k": 8, "filters": {"a": 1, "b": 2}})


def test_the_same_request_has_the_same_key_in_every_process() -> None:
    reordered = {"filters": {"b": 2, "a": 1}, "top_k": 8, "query": "boat"}
    canonical = b'["release-1","embedder",null,{"filters":{"a":1,"b":2},"query":"boat","top_k":8}]'
    assert request_key(*PARTS) == hashlib.sha256(canonical).hexdigest()
    assert request_key(*PARTS[:3], reordered) == request_key(*PARTS)


@pytest.mark.parametrize(
    "other",
    [
        ("release-2", *PARTS[1:]),
        ("release-1", "embedder", "reranker", PARTS[3]),
        ("release-1", "embedder", "None", PARTS[3]),
        (*PARTS[:3], {**PARTS[3], "query": "boats"}),  # type: ignore[dict-item]
        (*PARTS[:3], {**PARTS[3], "top_k": "8"}),  # type: ignore[dict-item]
        ("release-1embedder", "", None, PARTS[3]),
        PARTS[:3],
    ],
)
def test_another_release_model_or_request_has_another_key(other: tuple[object, ...]) -> None:
    assert request_key(*other) != request_key(*PARTS)


def test_what_json_cannot_say_has_no_key() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        request_key(float("nan"))
