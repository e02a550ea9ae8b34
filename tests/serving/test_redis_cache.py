"""A Redis that is gone, hangs, is slow or refuses costs an answer nothing but its being kept."""

import itertools
import logging
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from pydantic import SecretStr

from retrievals_serving.cache.breaker import PAUSE, Breaker
from retrievals_serving.cache.connections import _Socket, connection_pool
from retrievals_serving.cache.redis import PREFIX, RedisCache
from tests.serving.redis_server import PATIENCE, SHORT, RedisServer, accepted, listening
from tests.serving.timer import Timer

ANSWER = b"an answer " * 6_000

Opener = Callable[..., RedisCache]


@pytest.fixture
def timer() -> Timer:
    """The clock of the breakers."""
    return Timer()


@pytest.fixture
def open_at(timer: Timer) -> Iterator[Opener]:
    """Opens the cache at an address."""
    opened: list[RedisCache] = []

    def open_at(url: str, deadline: float = PATIENCE) -> RedisCache:
        pool = connection_pool(SecretStr(url), deadline=deadline)
        opened.append(RedisCache(pool, 60, breaker=Breaker(timer=timer)))
        return opened[-1]

    yield open_at
    for cache in opened:
        cache.close()


@pytest.mark.parametrize(
    "damaged",
    [
        b"",
        b"abc",
        ANSWER,
        pytest.param(lambda kept: kept[:-1], id="truncated"),
        pytest.param(lambda kept: kept[:9] + b"?" + kept[10:], id="changed"),
    ],
    ids=lambda value: None if callable(value) else f"{len(value)} bytes",
)
def test_an_answer_that_is_damaged_is_absent_and_told(
    redis_server: RedisServer,
    open_at: Opener,
    damaged: bytes | Callable[[bytes], bytes],
    caplog: pytest.LogCaptureFixture,
) -> None:
    cache = open_at(redis_server.url)
    cache.put("boat", ANSWER)
    with redis_server.client() as client:
        kept = client.get(f"{PREFIX}boat")
        client.set(f"{PREFIX}boat", damaged(kept) if callable(damaged) else damaged)
    assert cache.get("boat") is None
    assert "the answer boat is damaged" in caplog.text
    assert cache.is_available
    cache.put("boat", ANSWER)
    assert cache.get("boat") == ANSWER


def test_a_redis_that_is_full_is_told_and_left_alone(
    redis_server: RedisServer, open_at: Opener, timer: Timer, caplog: pytest.LogCaptureFixture
) -> None:
    cache = open_at(redis_server.url)
    with redis_server.client() as client:
        client.config_set("maxmemory", "1")
        cache.put("boat", ANSWER)
        assert not cache.is_available
        assert "OutOfMemoryError" in caplog.text
        client.config_set("maxmemory", "0")
    cache.put("boat", ANSWER)
    timer.now += PAUSE
    assert cache.get("boat") is None  # it was not tried before the pause was over
    cache.put("boat", ANSWER)
    assert cache.get("boat") == ANSWER


def test_a_password_is_sent_and_never_logged(
    redis_server: RedisServer, open_at: Opener, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with redis_server.client() as client:
        client.config_set("requirepass", "s3cret")
    knows = open_at(redis_server.url.replace("//", "//:s3cret@"))
    knows.put("boat", ANSWER)
    assert knows.get("boat") == ANSWER
    guesses = open_at(redis_server.url.replace("//", "//:s3cret-no@"))
    assert guesses.get("boat") is None
    assert not guesses.is_available
    host = redis_server.url.removeprefix("redis://").removesuffix("/0")
    assert f"Redis at {host}: AuthenticationError" in caplog.text
    assert "s3cret" not in caplog.text


def test_a_redis_that_is_killed_in_mid_load_fails_no_one_and_serves_again_when_it_is_back(
    redis_server: RedisServer, open_at: Opener, timer: Timer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    cache = open_at(redis_server.url)
    under_load, killed = threading.Barrier(9, timeout=PATIENCE), threading.Event()

    def ask(thread: int) -> list[bytes | None]:
        """Ask in one go before, during and after the kill; return what was given at last."""
        key = f"boat {thread}"
        answer = key.encode() * 5_000
        for number in itertools.count():
            is_last = killed.is_set()
            cache.put(key, answer)
            given = cache.get(key)
            assert given in (answer, None)
            if number == 3:
                under_load.wait()
            if number > 3 and is_last:
                return [given, cache.get(key)]
        raise AssertionError

    with ThreadPoolExecutor(8) as pool:
        asking = [pool.submit(ask, thread) for thread in range(8)]
        under_load.wait()
        redis_server.kill()
        killed.set()
        assert [asked.result() for asked in asking] == [[None, None]] * 8
    assert not cache.is_available
    assert caplog.text.count("no answers are kept until it works again") == 1
    redis_server.start()
    assert cache.get("boat") is None
    assert not cache.is_available
    timer.now += PAUSE
    cache.put("boat", ANSWER)
    assert cache.is_available
    assert cache.get("boat") == ANSWER
    assert caplog.text.count("works again\n") == 2


def test_a_redis_that_is_started_anew_between_two_answers_is_not_missed(
    redis_server: RedisServer, open_at: Opener
) -> None:
    cache = open_at(redis_server.url)
    cache.put("boat", ANSWER)
    redis_server.kill()
    redis_server.start()
    assert cache.get("boat") is None
    assert cache.is_available
    cache.put("boat", ANSWER)
    assert cache.get("boat") == ANSWER


def test_a_redis_that_does_not_run_is_left_alone(
    redis_server: RedisServer, open_at: Opener
) -> None:
    redis_server.kill()
    cache = open_at(redis_server.url)
    assert cache.is_available
    assert cache.get("boat") is None
    assert not cache.is_available
    redis_server.start()
    cache.put("boat", ANSWER)
    with redis_server.client() as client:
        assert client.keys() == []


def test_a_redis_that_hangs_is_left_alone_until_the_pause_is_over(
    redis_server: RedisServer, open_at: Opener, timer: Timer
) -> None:
    open_at(redis_server.url).put("boat", ANSWER)
    cache = open_at(redis_server.url, SHORT)
    redis_server.freeze()
    assert cache.get("boat") is None
    assert not cache.is_available
    redis_server.thaw()
    assert cache.get("boat") is None
    for _ in range(1000):  # on a slow machine the deadline is short for a Redis that is well
        timer.now += PAUSE
        if cache.get("boat") == ANSWER:
            return
    raise AssertionError("it did not come back")


def test_one_caller_waits_for_what_never_answers_and_the_next_do_not_ask(
    open_at: Opener, timer: Timer
) -> None:
    with listening() as (listener, url), ThreadPoolExecutor(8) as pool:
        cache = open_at(url, SHORT)
        assert cache.get("boat") is None
        assert accepted(listener) == 1
        cache.put("boat", ANSWER)
        assert set(pool.map(cache.get, map(str, range(50)))) == {None}
        assert accepted(listener) == 0
        timer.now += PAUSE
        assert set(pool.map(cache.get, map(str, range(50)))) == {None}
        assert accepted(listener) == 1
        assert not cache.is_available


def test_an_answer_that_trickles_is_not_waited_for(open_at: Opener) -> None:
    """Each byte comes in time, and all of them never."""
    size = 20_000
    is_over = threading.Event()

    def trickle(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(1 << 16)
            connection.sendall(b"$%d\r\n" % size)
            for _ in range(size):
                if is_over.wait(SHORT / 10):
                    return
                connection.sendall(b"x")
            connection.sendall(b"\r\n")
            is_over.wait()

    with listening() as (listener, url), ThreadPoolExecutor(1) as pool:
        pool.submit(trickle, listener)
        cache = open_at(url, SHORT)
        assert cache.get("boat") is None
        assert not cache.is_available
        is_over.set()


def test_what_is_read_into_a_buffer_as_hiredis_does_is_bounded_too() -> None:
    there, here = socket.socketpair()
    left = iter([PATIENCE, 0.0, PATIENCE])
    with there, here:
        here.settimeout(SHORT)
        bounded = _Socket(here, left.__next__)
        buffer = bytearray(8)
        there.sendall(b"+OK")
        assert bounded.recv_into(buffer) == 3
        assert buffer[:3] == b"+OK"
        with pytest.raises(BlockingIOError):  # the deadline is over, and nothing has arrived
            bounded.recv_into(buffer)
        bounded.settimeout(0)
        with pytest.raises(BlockingIOError):
            bounded.recv_into(buffer)
        bounded.settimeout(None)
        there.close()
        assert bounded.recv_into(buffer) == 0


def test_a_name_without_an_address_is_not_waited_for_and_serves_once_it_has_one(
    redis_server: RedisServer, open_at: Opener, timer: Timer, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_found = threading.Event()
    asked = []
    find = socket.getaddrinfo

    def hang(host: str, *rest: int) -> object:
        asked.append(host)
        assert is_found.wait(PATIENCE)
        return find("127.0.0.1", *rest)

    monkeypatch.setattr("redis.connection.socket.getaddrinfo", hang)
    cache = open_at(redis_server.url.replace("127.0.0.1", "redis.museum.example"))
    with monkeypatch.context() as patch:  # each look at the clock finds the deadline over
        late = itertools.count(step=2 * int(PATIENCE))
        patch.setattr("retrievals_serving.cache.connections.monotonic", late.__next__)
        cache.put("boat", ANSWER)
        assert not cache.is_available
        timer.now += PAUSE
        cache.put("boat", ANSWER)
        assert not cache.is_available
    is_found.set()
    timer.now += PAUSE
    cache.put("boat", ANSWER)
    assert cache.get("boat") == ANSWER
    assert asked == ["redis.museum.example"]
