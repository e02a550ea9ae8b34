"""Kept-alive connections that many threads share, and that can be cut while these wait on them."""

import socket
import threading
from contextlib import suppress
from functools import partial
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from weakref import WeakSet

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection


class Connections(HTTPAdapter):
    """At most `size` connections kept for each host."""

    def __init__(self, size: int) -> None:
        self._open: WeakSet[HTTPConnection] = WeakSet()
        self._lock = threading.Lock()
        super().__init__(pool_maxsize=size)

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        """Return the pool of a host, as requests asks for it: its connections are known here."""
        pool: Any = super().get_connection_with_tls_context(*args, **kwargs)
        vars(pool).setdefault("ConnectionCls", partial(self._connection, pool.ConnectionCls))
        return pool

    def cut(self) -> None:
        """Break every connection: who waits for an answer on one gets an error at once."""
        with self._lock:
            connections = list(self._open)
        for connection in connections:
            if connection.sock is not None:
                with suppress(OSError):  # the other side was faster
                    # Not the method of a TLS socket, under whose reader it takes the keys away.
                    socket.socket.shutdown(connection.sock, socket.SHUT_RDWR)

    def _connection(self, kind: type[HTTPConnection], **options: Any) -> HTTPConnection:
        connection = kind(**options)
        with self._lock:
            self._open.add(connection)
        return connection


class Session(requests.Session):
    """A session that threads can share: it keeps connections, and nothing else, of an answer.

    Args:
        connections: Where it makes them.
        by_environment: Whether the environment's proxies, certificates and passwords count.
    """

    def __init__(self, connections: Connections, *, by_environment: bool) -> None:
        super().__init__()
        self.trust_env = by_environment
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        for scheme in ("http://", "https://"):
            self.mount(scheme, connections)

    def get_redirect_target(self, resp: requests.Response) -> None:
        """See none: requests would read the whole body of a redirection, however large."""
