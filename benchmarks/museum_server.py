"""A museum over HTTP from memory, in a process of its own: its tables, and pictures over IIIF.

It paints, decodes and reads nothing while it answers, so that it is not what is measured.
"""

import asyncio
import http.client
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

STATUSES = {200: "OK", 304: "Not Modified", 404: "Not Found"}
IMAGE = "/iiif/{}/full/max/0/default.jpg"


class Answering(asyncio.Protocol):
    """One connection, kept until the client closes it or says that it will."""

    def __init__(self, files: dict[str, tuple[bytes, str]], log: IO[str]) -> None:
        self._files = files
        self._log = log
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the connection."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer each request that is whole."""
        self._received += data
        while b"\r\n\r\n" in self._received:
            head, _, self._received = self._received.partition(b"\r\n\r\n")
            self._answer(head.decode("latin-1"))

    def _answer(self, head: str) -> None:
        first, *lines = head.split("\r\n")
        path = first.split(" ")[1]
        headers = {name.lower(): value.strip() for name, _, value in map(_parts, lines)}
        content, etag = self._files.get(name_of(path), (None, ""))
        status = 404 if content is None else 304 if headers.get("if-none-match") == etag else 200
        body = content if content is not None and status == 200 else b""
        self._log.write(f"{status} {path}\n")
        kind = "image/jpeg" if path.endswith(".jpg") else "text/csv"
        answer = (
            f"HTTP/1.1 {status} {STATUSES[status]}\r\nETag: {etag}\r\nContent-Type: {kind}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        self._transport.write(answer.encode() + body)
        if headers.get("connection", "").lower() == "close":
            self._transport.close()


def _parts(line: str) -> tuple[str, str, str]:
    return line.partition(":")


def name_of(path: str) -> str:
    """Return the name of the file that is served at `path`."""
    parts = path.split("/")
    return f"{parts[2]}.jpg" if parts[1] == "iiif" else parts[-1]


class Server:
    """The server as its clients see it.

    Args:
        address: As `http://127.0.0.1:40123`.
        log: The file in which it notes a line for each request: status and path.
    """

    def __init__(self, address: str, log: Path) -> None:
        self.address = address
        self._log = log
        self._seen = 0

    def url(self, identifier: str) -> str:
        """Return the address of a picture."""
        return self.address + IMAGE.format(identifier)

    def requests(self) -> Counter[tuple[int, str]]:
        """Return how often each status and path was answered since the last call."""
        lines = self._log.read_text(encoding="utf-8").splitlines()
        seen, self._seen = self._seen, len(lines)
        return Counter((int(line[:3]), line[4:]) for line in lines[seen:])

    def pace(self, identifiers: Sequence[str]) -> float:
        """Return how many pictures it gives in a second over one connection."""
        connection = http.client.HTTPConnection(urlsplit(self.address).netloc)
        started = time.perf_counter()
        for identifier in identifiers:
            connection.request("GET", IMAGE.format(identifier))
            connection.getresponse().read()
        seconds = time.perf_counter() - started
        connection.close()
        self.requests()
        return len(identifiers) / seconds


@contextmanager
def serving(log: Path, *folders: Path) -> Iterator[Server]:
    """Serve the files of `folders` while the block runs; of equal names, the last folder's."""
    log.touch()
    command = [sys.executable, "-m", "benchmarks.museum_server", log, *folders]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield Server(process.stdout.readline().strip(), log)
        finally:
            process.kill()  # it keeps nothing


async def serve(log: Path, folders: Sequence[Path]) -> None:
    """Read all files, tell the address on the standard output, and answer until terminated."""
    files = {}
    for path in (path for folder in folders for path in folder.iterdir() if path.is_file()):
        content = path.read_bytes()
        files[path.name] = content, f'"{sha256(content).hexdigest()[:32]}"'
    with log.open("a", encoding="utf-8", buffering=1) as lines:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(
            lambda: Answering(files, lines), "127.0.0.1", 0, backlog=1024
        )
        print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]]))
