"""Two hundred clients that leave after 20 ms cost next to nothing, with the models that ship."""

import json
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import httpx
from PIL import Image

from retrievals_serving import SearchEngine, Settings
from retrievals_serving.api import create_app
from retrievals_serving.http_server import serving
from retrievals_serving.models.devices import Turns, turns_of
from tests.serving.small_release import encoded

CLIENTS = 200
ALONE = 3  # searches that tell how many forwards one takes
PATIENCE = 0.02  # s
UPLOADS = 8


def question(number: int) -> dict[str, str]:
    """A question that nobody else asks."""
    return {"query": f"a lonely boat number {number}"}


def leave(address: str, number: int) -> None:
    """Ask, and close the connection before there is an answer."""
    host, port = urlsplit(address).hostname, urlsplit(address).port
    body = json.dumps(question(number)).encode()
    with socket.create_connection((host, port)) as connection:
        connection.sendall(
            b"POST /search HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
        )
        time.sleep(PATIENCE)  # which is what they do


def forwards(turns: Turns) -> int:
    return sum(turns.forwards.values())


def test_forwards_are_not_run_for_clients_that_have_left(built: Settings) -> None:
    changes = {"reranker": "miniature", "rerank_deadline": 60.0, "queue": CLIENTS, "cache_ttl": 0}
    settings = built.model_copy(update=changes)
    turns = turns_of("cpu")
    with SearchEngine.open(settings=settings) as engine:
        engine.warm()
        service = (app := create_app(engine=engine)).state.service
        with serving(app) as address:
            before = forwards(turns)
            for number in range(ALONE):
                response = httpx.post(f"{address}/search", json=question(number), timeout=60)
                assert response.json()["rerank_coverage"] == 1.0
            undisturbed = (forwards(turns) - before) * CLIENTS / ALONE

            before = forwards(turns)
            with ThreadPoolExecutor(CLIENTS) as pool:
                for number in range(CLIENTS):
                    pool.submit(leave, address, ALONE + number)
            while service.workers.busy or turns.waiting:
                threading.Event().wait(0.001)
            assert forwards(turns) - before < undisturbed / 10
            assert engine.spared.searches > 0
            assert engine.search("a boat").rerank_coverage == 1.0


def upload(address: str, side: int) -> socket.socket:
    """Ask for what looks like a picture, and return the connection on which nobody reads yet."""
    picture = encoded(Image.new("RGB", (side, side)), "PNG")
    request = httpx.Request("POST", f"{address}/search/image", files={"file": picture})
    connection = socket.create_connection((request.url.host, request.url.port or 80))
    head = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
    connection.sendall(f"POST /search/image HTTP/1.1\r\n{head}\r\n".encode() + request.read())
    return connection


def test_pictures_are_not_embedded_for_clients_that_left_the_queue(built: Settings) -> None:
    changes = {"reranker": None, "queue": UPLOADS, "cache_ttl": 0}
    turns = turns_of("cpu")
    with SearchEngine.open(settings=built.model_copy(update=changes)) as engine:
        engine.warm()
        service = (app := create_app(engine=engine)).state.service
        with serving(app) as address:
            before = forwards(turns)
            with turns.take("rerank"):  # of a search that has the device for long
                connections = [upload(address, 32 + number) for number in range(UPLOADS)]
                while turns.waiting < UPLOADS:
                    threading.Event().wait(0.001)
                for connection in connections:
                    connection.close()
                while requests_left(address) < UPLOADS:
                    threading.Event().wait(0.001)
            while service.workers.busy:
                threading.Event().wait(0.001)
            assert forwards(turns) - before == 1  # the test's own
            assert engine.spared.searches == UPLOADS


def requests_left(address: str) -> float:
    """How many requests ended since their clients had left."""
    lines = httpx.get(f"{address}/metrics").text.splitlines()
    ended = [line for line in lines if line.startswith("retrievals_requests_total")]
    return sum(float(line.split()[-1]) for line in ended if 'status="499"' in line)
