"""A Redis of a test's own, to be killed, stopped and started again."""

import itertools
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from redis import Redis

from tests.processes import bound, free_port

PATIENCE = 60.0  # seconds that a client waits where a slow machine must not fail a test
SHORT = 0.05  # seconds; a deadline for what never answers


class RedisServer:
    """A `redis-server` on a port of loopback, which keeps nothing on disk.

    Attributes:
        url: Its address, whether it runs or not.
    """

    def __init__(self) -> None:
        self._port = str(free_port())
        self._process: subprocess.Popen[str] | None = None
        self.url = f"redis://127.0.0.1:{self._port}/0"

    def start(self) -> None:
        """Run it, empty, until it accepts connections."""
        address = ["--bind", "127.0.0.1", "--port", self._port]
        command = ["redis-server", *address, "--save", "", "--appendonly", "no"]
        self._process = subprocess.Popen(bound(command), stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        told = []
        for line in self._process.stdout:
            told.append(line)
            if "Ready to accept connections" in line:
                return
        raise AssertionError("".join(told))

    def kill(self) -> None:
        """End it as a crash does, if it runs."""
        if self._process is not None:
            with self._process:  # waits, and closes its output
                self._process.kill()
            self._process = None

    def freeze(self) -> None:
        """Let it answer nothing, while the kernel still accepts connections for it."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    @contextmanager
    def client(self) -> Iterator[Redis]:
        """Yield a client that looks at what it holds."""
        with Redis.from_url(self.url) as client:
            yield client


@contextmanager
def running_redis() -> Iterator[RedisServer]:
    """Run a Redis while the block runs; skip the test where there is none, and fail in CI."""
    if shutil.which("redis-server") is None:
        reason = "redis-server is not installed"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    server = RedisServer()
    server.start()
    try:
        yield server
    finally:
        server.kill()


@contextmanager
def listening() -> Iterator[tuple[socket.socket, str]]:
    """Yield what accepts connections and answers nothing, and its address as that of a Redis."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        yield listener, f"redis://127.0.0.1:{listener.getsockname()[1]}"


def accepted(listener: socket.socket) -> int:
    """Count the connections that were made since this was last asked."""
    listener.setblocking(False)
    for count in itertools.count():
        try:
            connection, _ = listener.accept()
        except BlockingIOError:
            return count
        connection.close()
    raise AssertionError
