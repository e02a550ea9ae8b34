"""What could not be loaded is loaded later, whoever asks for it, and nothing is done twice."""

import logging
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from retrievals_serving import Settings
from retrievals_serving.api import create_app
from retrievals_serving.engine import read_through
from retrievals_serving.errors import ModelError
from tests.serving.client import client_of
from tests.serving.fake_reranker import FakeReranker
from tests.serving.small_release import WordEmbedder
from tests.serving.test_api import post
from tests.serving.test_health import wait_for

PATIENCE = 60  # s, after which a test has failed


class Model:
    """A checkpoint that cannot be loaded until it is mended."""

    def __init__(self, model: WordEmbedder | FakeReranker, error: Exception) -> None:
        self.model = model
        self.error = error
        self.tries = 0
        self.was_tried_again = threading.Event()
        self.is_whole = threading.Event()
        self.is_loaded = threading.Event()

    def load(self, *_: object, **__: object) -> WordEmbedder | FakeReranker:
        self.tries += 1
        if self.tries > 3:
            self.was_tried_again.set()
        if not self.is_whole.is_set():
            raise self.error
        self.is_loaded.set()
        return self.model


@pytest.fixture
def embedder(monkeypatch: pytest.MonkeyPatch) -> Model:
    model = Model(WordEmbedder(), RuntimeError("CUDA error: device is lost"))
    monkeypatch.setattr("retrievals_serving.queries.load_embedder", model.load)
    return model


@pytest.fixture
def reranker(monkeypatch: pytest.MonkeyPatch) -> Model:
    model = Model(FakeReranker(), ModelError("checkpoint words lacks its weights."))
    monkeypatch.setattr("retrievals_serving.queries.load_embedder", lambda *_, **__: WordEmbedder())
    monkeypatch.setattr("retrievals_serving.reranking.load_reranker", model.load)
    return model


@pytest.fixture
def reranking(settings: Settings) -> Settings:
    return settings.model_copy(update={"reranker": "words", "rerank_deadline": 1e9})


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try again at once what failed."""
    for pause in ("POLL", "RETRY"):
        monkeypatch.setattr(f"retrievals_serving.api.readiness.{pause}", 0.01)


@pytest.mark.usefixtures("at_once")
def test_a_model_that_failed_is_loaded_again_though_nobody_asks(
    settings: Settings, embedder: Model
) -> None:
    with client_of(create_app(settings)) as client:
        assert embedder.was_tried_again.wait(PATIENCE)
        embedder.is_whole.set()
        assert embedder.is_loaded.wait(PATIENCE)
        wait_for(client, "ok")


def test_who_asks_for_the_health_loads_nothing(settings: Settings, embedder: Model) -> None:
    with client_of(create_app(settings)) as client:
        wait_for(client, "unavailable")
        assert {client.get("/health").status_code for _ in range(20)} == {503}
    assert embedder.tries == 1


def test_what_a_machine_says_of_its_failures_is_for_the_log(
    settings: Settings, embedder: Model, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR), client_of(create_app(settings)) as client:
        health = wait_for(client, "unavailable")
    assert str(embedder.error) in caplog.text
    assert health["detail"] == "not ready to answer: the server's log says why"


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The files of releases that were read ahead."""
    names: list[str] = []

    def reading(path: Path) -> None:
        names.append(path.name)
        read_through(path)

    monkeypatch.setattr("retrievals_serving.engine.read_through", reading)
    return names


@pytest.mark.usefixtures("at_once")
def test_of_a_server_without_its_reranker_only_that_is_loaded_again(
    reranking: Settings, reranker: Model, read: list[str], tmp_path: Path
) -> None:
    known = tmp_path / "known.txt"
    known.write_text("boat\nhorse\n", encoding="utf-8")
    asked = reranking.model_copy(update={"warm_queries": known})
    ready: list[int] = []
    is_ready_again = threading.Event()

    def on_ready() -> None:
        ready.append(reranker.tries)
        if len(ready) == 2:
            is_ready_again.set()

    with client_of(create_app(asked, on_ready=on_ready)) as client:
        assert reranker.was_tried_again.wait(PATIENCE)
        assert (ready, len(read)) == ([1], len(set(read)))
        reranker.is_whole.set()
        assert is_ready_again.wait(PATIENCE)
        while len(reranker.model.asked) < 2:
            threading.Event().wait(0.001)
        while not post(client, "/search", query="horse")["cached"]:
            threading.Event().wait(0.001)
    assert [query for query, _ in reranker.model.asked] == ["boat", "horse"]
    assert (len(ready), len(read)) == (2, len(set(read)))


def test_a_reranker_that_a_search_has_loaded_is_not_said_to_be_missing(
    reranking: Settings, reranker: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("retrievals_serving.loading.PAUSE", 0.0)
    with client_of(create_app(reranking)) as client:
        assert "lacks its weights" in wait_for(client, "ok")["detail"]
        reranker.is_whole.set()
        assert post(client, "/search", query="boat")["rerank_coverage"] == 1.0
        health: httpx.Response = client.get("/health")
    assert health.json()["detail"] is None
    assert health.json()["components"]["reranker"] == "ok"
