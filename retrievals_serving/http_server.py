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

    Port 0 is any that is free.

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


def _server(app: "ASGIApp") -> "uvicorn.Server":
    import uvicorn

    config = uvicorn.Config(
        app,
        log_config=None,  # logging is the process's own
        access_log=False,
        ws="none",
        timeout_graceful_shutdown=SHUTDOWN,
    )
    return uvicorn.Server(config)
