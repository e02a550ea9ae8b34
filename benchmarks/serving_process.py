"""The HTTP service in a process of its own, as `retrievals serve` runs it, and a Redis for it."""

import http.client
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from benchmarks.serving_models import register
from retrievals_serving.cli import serve_api
from retrievals_serving.release import Release
from retrievals_serving.settings import Settings

PAUSE = 0.005  # seconds between two looks at `/health`
PATIENCE = 60.0  # seconds
UNLIMITED = "1000000/second"
SECRET = "of a benchmark, and long enough for a server"


class Served(NamedTuple):
    """A server that is ready.

    Attributes:
        host: With the port, as `127.0.0.1:40123`.
        pid: Of its process.
        listening: Seconds from the start of the process until it said where it listens.
        ready: Seconds from the start of the process until `/health` was ok.
    """

    host: str
    pid: int
    listening: float
    ready: float


@dataclass(frozen=True)
class Bench:
    """What is served.

    Attributes:
        release: What is searched.
        model: Folder of the checkpoint, see `serving_models.write_model`.
    """

    release: Release
    model: Path

    @contextmanager
    def served(self, **others: str) -> Iterator[Served]:
        """Serve it while the block runs; `others` are further settings.

        Raises:
            RuntimeError: The server ended, or was not ready in time; says what it logged last.
        """
        settings = {
            "profile": "nga",
            "home": str(self.release.store.root),
            "embedder": str(self.model),
            "reranker": str(self.model),
            "dimension": str(self.release.manifest.embedder.dimension),
            "secret": SECRET,
            "rate_limit": UNLIMITED,
            **others,
        }
        variables = {Settings.variable(name): value for name, value in settings.items()}
        command = [sys.executable, "-m", "benchmarks.serving_process"]
        log = self.model / "log"
        with log.open("w") as file:
            started = time.perf_counter()
            process = subprocess.Popen(
                command, env=os.environ | variables, stdout=subprocess.PIPE, stderr=file, text=True
            )
        with process:
            try:
                said = process.stdout.readline() if process.stdout else ""
                listening = time.perf_counter() - started
                address = re.search(r"http://\S+", said)
                host = urlsplit(address[0]).netloc if address else None
                if host is None or not _is_ready(host, started + PATIENCE):
                    raise RuntimeError(f"no server: {log.read_text()[-2000:]}")
                yield Served(host, process.pid, listening, time.perf_counter() - started)
            finally:
                process.send_signal(signal.SIGINT)  # as Ctrl-C, at which it closes its files


def processor(pid: int) -> float:
    """Return the processor time that a process took, of all its threads, ms."""
    threads = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(each.read_text().split()[0]) for each in threads) / 1e6


def _is_ready(host: str, deadline: float) -> bool:
    """Wait until `/health` is ok; tell whether it was in time."""
    while time.perf_counter() < deadline:
        connection = http.client.HTTPConnection(host, timeout=PATIENCE)
        try:
            connection.request("GET", "/health")
            if connection.getresponse().status == http.client.OK:
                return True
        except (OSError, http.client.HTTPException):
            return False  # it has ended
        finally:
            connection.close()
        time.sleep(PAUSE)
    return False


@contextmanager
def redis() -> Iterator[str]:
    """Run a Redis that keeps nothing on disk while the block runs; yield its address.

    Raises:
        LookupError: There is no `redis-server` here.
    """
    if shutil.which("redis-server") is None:
        raise LookupError("redis-server is not installed")
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = str(listener.getsockname()[1])
    command = ["redis-server", "--bind", "127.0.0.1", "--port", port, "--save", ""]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            for line in process.stdout or ():
                if "Ready to accept connections" in line:
                    break
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            process.terminate()


if __name__ == "__main__":
    register()
    serve_api(Settings.load(), "127.0.0.1", 0)
