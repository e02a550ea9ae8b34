"""Running an ASGI app: in the foreground until Ctrl-C, or in a thread while a block runs."""

import errno
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from threading import Thread
from typing import TYPE_CHECKING

from retrievals_serving.errors import SettingsError

if TYPE_CHECKING:
    import uvicorn
    from starlette.types import ASGIApp

SHUTDOWN = 10  # seconds that requests in flight are given to end


def run(
    app: "ASGIApp",
    host: str,
    port: int,
    *,
    tell: Callable[[str], None],
    trusted_proxies: Sequence[str] = (),
) -> None:
    """Serve `app` until Ctrl-C; `tell` is called with its `http://host:port` once it listens.

    Args:
        app: What answers.
        host: On what it listens.
        port: Likewise; 0 is any that is free.
        tell: Is called with the address.
        trusted_proxies: Addresses and networks whose `X-Forwarded-For` and `X-Forwarded-Proto` are
            believed.

    Raises:
        SettingsError: The address cannot be listened on, as when the port is taken.
    """
    with _listen(host, port) as listener:
        tell(_address(listener))
        with suppress(KeyboardInterrupt):  # uvicorn raises it again once it has closed
            _server(app, trusted_proxies).run([listener])


@contextmanager
def serving(
    app: "ASGIApp",
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    trusted_proxies: Sequence[str] = (),
) -> Iterator[str]:
    """Serve `app` from a thread of its own while the block runs; yield its `http://host:port`.

    The arguments are those of `run`.

    Raises:
        SettingsError: As for `run`.
    """
    with _listen(host, port) as listener:
        server = _server(app, trusted_proxies)
        thread = Thread(target=server.run, args=([listener],), name="http", daemon=True)
        thread.start()
        try:
            yield _address(listener)  # which listens: a client may connect already
        finally:
            server.should_exit = True
            thread.join()


def _listen(host: str, port: int) -> socket.socket:
    """Take the port before the server starts, so that a port in use is said plainly."""
    try:
        return socket.create_server((host, port), backlog=2048)
    except OSError as error:
        reason = "it is in use" if error.errno == errno.EADDRINUSE else error.strerror
        raise SettingsError(
            f"cannot listen on port {port} of {host}: {reason}; "
            "stop what does, or choose another with --port."
        ) from error


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://{host}:{port}"


def _server(app: "ASGIApp", trusted_proxies: Sequence[str]) -> "uvicorn.Server":
    import uvicorn

    config = uvicorn.Config(
        app,
        log_config=None,  # logging is the process's own
        access_log=False,
        ws="none",
        server_header=False,
        proxy_headers=bool(trusted_proxies),
        forwarded_allow_ips=list(trusted_proxies),  # which is why FORWARDED_ALLOW_IPS is not read
        timeout_graceful_shutdown=SHUTDOWN,
    )
    return uvicorn.Server(config)
