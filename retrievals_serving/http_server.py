"""Running an ASGI app: in the foreground until Ctrl-C, or in a thread while a block runs."""

import errno
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Thread
from typing import TYPE_CHECKING

from retrievals_serving.errors import SettingsError

if TYPE_CHECKING:
    import uvicorn
    from starlette.types import ASGIApp

SHUTDOWN = 10  # seconds that requests in flight are given to end


def run(app: "ASGIApp", host: str, port: int, *, tell: Callable[[str], None]) -> None:
    """Serve `app` until Ctrl-C; `tell` is called with its `http://host:port` once it listens.

    Args:
        app: What answers.
        host: On what it listens; `::` is every address of this machine, of IPv4 too.
        port: Likewise; 0 is any that is free.
        tell: Is called with the address.

    Raises:
        SettingsError: The address cannot be listened on, as when the port is taken.
    """
    with _listen(host, port) as listener:
        tell(_address(listener))
        with suppress(KeyboardInterrupt):  # uvicorn raises it again once it has closed
            _server(app).run([listener])


@contextmanager
def serving(app: "ASGIApp", *, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
    """Serve `app` from a thread of its own while the block runs; yield its `http://host:port`.

    The arguments are those of `run`.

    Raises:
        SettingsError: As for `run`.
    """
    with _listen(host, port) as listener:
        server = _server(app)
        thread = Thread(target=server.run, args=([listener],), name="http", daemon=True)
        thread.start()
        try:
            yield _address(listener)  # which listens: a client may connect already
        finally:
            server.should_exit = True
            thread.join()


def _listen(host: str, port: int) -> socket.socket:
    """Take the port before the server starts, so that a refusal is said plainly."""
    try:
        return socket.create_server(
            (host, port),
            family=socket.AF_INET6 if ":" in host else socket.AF_INET,
            dualstack_ipv6=host == "::" and socket.has_dualstack_ipv6(),
            backlog=2048,
        )
    except OSError as error:
        raise SettingsError(f"cannot listen on port {port} of {host}: {_remedy(error)}") from error


def _remedy(error: OSError) -> str:
    """Return why a port cannot be listened on, and what helps."""
    if error.errno == errno.EADDRINUSE:
        return "it is in use; stop what does, or choose another with --port."
    if error.errno == errno.EACCES:
        return "it is kept for the administrator; choose one over 1023 with --port."
    return f"{error.strerror}; choose an address of this machine with --host."


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _server(app: "ASGIApp") -> "uvicorn.Server":
    import uvicorn

    config = uvicorn.Config(
        app,
        log_config=None,  # logging is the process's own
        access_log=False,
        ws="none",
        server_header=False,
        proxy_headers=False,  # which proxies are believed, the app knows
        timeout_graceful_shutdown=SHUTDOWN,
    )
    return uvicorn.Server(config)
