"""Connections to Redis that never make a caller wait long, whatever Redis or the network does.

redis-py bounds each wait on a socket but not their sum, and not at all the search for the address
of a name. Here one deadline is over all that an operation waits for: the address, the connection
with its handshakes, and the answer. What has arrived is read even after it, so that a thread which
the processor was late for takes no fault of its own for one of Redis.
"""

import socket
import threading
from collections.abc import Callable
from concurrent.futures import Future
from time import monotonic
from typing import Any

from pydantic import SecretStr
from redis.backoff import NoBackoff
from redis.connection import AbstractConnection, Connection, ConnectionPool, parse_url
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.retry import Retry

from retrievals_serving.errors import SettingsError

DEADLINE = 0.035  # seconds; with what the scheduling of threads adds, a caller loses under 50 ms
READ_SIZE = 1 << 16  # bytes; an answer of 64 works comes with two reads


def connection_pool(url: SecretStr, *, deadline: float = DEADLINE) -> ConnectionPool:
    """Return a pool of connections to the Redis at `url`, of which none is made yet.

    Args:
        url: `redis://`, `rediss://` (TLS) or `unix://`, as redis-py takes it. Its options cannot
            lengthen the deadline.
        deadline: Seconds that each operation waits at most, connecting included.

    Raises:
        SettingsError: It is none, or has an option that no connection has.
    """
    try:
        options = parse_url(url.get_secret_value())  # type: ignore[no-untyped-call]
        options.get("host", "").encode("idna")
        options |= {
            "deadline": deadline,
            "socket_connect_timeout": deadline,
            "socket_timeout": deadline,
            "socket_read_size": READ_SIZE,
            "retry": Retry(NoBackoff(), 0),
            # Each of these would be one more round trip of a connection.
            "protocol": 2,
            "driver_info": None,
            "health_check_interval": 0,
        }
        kind = options.pop("connection_class", Connection)
        bounded = type(f"Bounded{kind.__name__}", (_Bounded, kind), {})
        bounded(**options)  # which refuses what it does not know, and connects nowhere
    except (RedisError, TypeError, ValueError):
        raise SettingsError(
            "RETRIEVALS_REDIS_URL: it is no address of a Redis, or has an option that is not "
            "known (it may hold a password, and is not shown); set it as "
            "redis://127.0.0.1:6379/0, or leave it out."
        ) from None  # their messages may quote the password
    return ConnectionPool(connection_class=bounded, **options)


def address(pool: ConnectionPool) -> str:
    """Return where the Redis of `pool` is, without what is secret of its URL."""
    options = pool.connection_kwargs
    return options.get("path") or f"{options.get('host', 'localhost')}:{options.get('port', 6379)}"


class _Bounded(AbstractConnection):
    """What makes a connection of redis-py keep a deadline; comes before its class."""

    def __init__(self, *, deadline: float, **options: Any) -> None:
        self._deadline = deadline  # seconds
        self._ends = monotonic() + deadline
        self._connecting: Future[socket.socket] | None = None
        super().__init__(**options)

    def connect(self) -> None:
        """Begin an operation, as the pool does with every one of them; connect if need be."""
        self._ends = monotonic() + self._deadline
        super().connect()  # type: ignore[no-untyped-call]

    def _connect(self) -> "_Socket":
        """Return a socket that is connected before the deadline.

        It is made in a thread of its own, as nothing ends the search for an address. What comes
        too late serves the next operation.
        """
        made = self._connecting
        if made is None or (made.done() and made.exception() is not None):
            # Abstract in the base class; the class after this one has it.
            made = self._connecting = _begin(super()._connect)  # type: ignore[safe-super]
        try:
            connected = made.result(self._left())
        except TimeoutError:
            raise RedisTimeoutError(f"no connection within {self._deadline:g} s") from None
        self._connecting = None
        return _Socket(connected, self._left)

    def _left(self) -> float:
        """Return the seconds until the deadline, at least 0."""
        return max(self._ends - monotonic(), 0.0)


class _Socket:
    """A socket whose waits together end with the deadline, however many there are."""

    def __init__(self, connected: socket.socket, left: Callable[[], float]) -> None:
        self._socket = connected
        self._left = left
        self._is_patient = True

    def settimeout(self, timeout: float | None) -> None:
        """Wait for nothing if `timeout` is 0, else until the deadline."""
        self._is_patient = timeout != 0

    def recv(self, size: int) -> bytes:
        """Return what arrives next, `size` bytes at most."""
        self._socket.settimeout(self._left() if self._is_patient else 0)
        return self._socket.recv(size)

    def recv_into(self, buffer: bytearray) -> int:
        """Read what arrives next into `buffer`, as hiredis does; return how many bytes."""
        self._socket.settimeout(self._left() if self._is_patient else 0)
        return self._socket.recv_into(buffer)

    def sendall(self, content: bytes) -> None:
        """Send all of `content`."""
        self._socket.settimeout(self._left())
        self._socket.sendall(content)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._socket, name)


def _begin(connect: Callable[[], socket.socket]) -> Future[socket.socket]:
    """Run `connect` in a thread that nobody has to wait for."""
    made: Future[socket.socket] = Future()

    def run() -> None:
        try:
            made.set_result(connect())
        except Exception as error:  # noqa: BLE001 - it is raised again where the result is taken
            made.set_exception(error)

    threading.Thread(target=run, name="connect to redis", daemon=True).start()
    return made
