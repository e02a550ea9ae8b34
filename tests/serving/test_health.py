"""`/health` says ok when queries are answered, and why they are not when they are not."""

import threading
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from retrievals_serving import SearchEngine
from retrievals_serving.api import create_app
from retrievals_serving.certificate import Certificate
from retrievals_serving.errors import ModelError
from retrievals_serving.promotion import promote
from retrievals_serving.settings import Settings
from retrievals_serving.store import Store
from tests.serving.client import client_of
from tests.serving.fake_reranker import FakeReranker
from tests.serving.small_release import (
    DIMENSION,
    RELEASE,
    WORKS,
    TurnedEmbedder,
    WordEmbedder,
    make_release,
)
from tests.serving.test_api import problem


def test_health_says_what_answers(client: httpx.Client) -> None:
    response = client.get("/health")
    assert response.status_code == 200
    assert response.json() == {
        "status": "ok",
        "detail": None,
        "release": RELEASE,
        "works": WORKS,
        "embedder": "words",
        "reranker": None,
        "device": "cpu",
        "dtype": "float32",
        "components": {"embedder": "ok", "cache (memory)": "ok"},
    }


def test_stats_say_what_is_searched_and_what_its_index_finds(
    client: httpx.Client, engine: SearchEngine
) -> None:
    stats = client.get("/stats").json()
    manifest = engine.release.manifest
    assert (stats["release"], stats["works"], stats["dimension"]) == (RELEASE, WORKS, DIMENSION)
    assert Certificate.model_validate(stats["index"]["certificate"]) == manifest.index.certificate
    assert stats["bytes"] == {entry.name: entry.bytes for entry in manifest.files}
    assert (stats["eligible"], stats["missing"]) == (manifest.eligible, manifest.missing)


def wait_for(client: httpx.Client, status: str) -> Any:
    """Ask for the health until it is `status`."""
    for _ in range(1000):
        health = client.get("/health")
        if health.json()["status"] == status:
            return health.json()
        assert health.status_code == 503
        time.sleep(0.01)
    raise AssertionError(health.text)


def test_a_server_answers_that_it_starts_while_its_model_loads(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_loading, may_load = threading.Event(), threading.Event()

    def load(*_: object, **__: object) -> WordEmbedder:
        is_loading.set()
        may_load.wait(60)
        return WordEmbedder()

    monkeypatch.setattr("retrievals_serving.queries.load_embedder", load)
    with client_of(create_app(settings)) as client:
        assert is_loading.wait(60)
        starting = client.get("/health")
        assert starting.status_code == 503
        assert starting.json()["status"] == "starting"
        assert starting.json()["release"] == RELEASE
        assert client.get("/artworks/test:1001").status_code == 200
        may_load.set()
        wait_for(client, "ok")
        assert client.post("/search", json={"query": "boat"}).status_code == 200


def test_a_server_starts_until_its_reranker_is_loaded_too(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_loading, may_load = threading.Event(), threading.Event()

    def load(*_: object, **__: object) -> FakeReranker:
        is_loading.set()
        may_load.wait(60)
        return FakeReranker()

    monkeypatch.setattr("retrievals_serving.queries.load_embedder", lambda *_, **__: WordEmbedder())
    monkeypatch.setattr("retrievals_serving.reranking.load_reranker", load)
    settings = settings.model_copy(update={"reranker": "some/reranker"})
    with client_of(create_app(settings)) as client:
        assert is_loading.wait(60)
        assert client.get("/health").json()["status"] == "starting"
        may_load.set()
        assert wait_for(client, "ok")["reranker"] == "some/reranker"
        answer = client.post("/search", json={"query": "boat"}).json()
        assert answer["rerank_coverage"] == 1.0


def test_a_server_without_its_reranker_answers_and_says_so(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    loads: list[object] = []

    def load(*names: object, **_: object) -> None:
        loads.append(names)
        raise ModelError("checkpoint words lacks its weights: download it again.")

    monkeypatch.setattr("retrievals_serving.queries.load_embedder", lambda *_, **__: WordEmbedder())
    monkeypatch.setattr("retrievals_serving.reranking.load_reranker", load)
    settings = settings.model_copy(update={"reranker": "words"})
    with client_of(create_app(settings)) as client:
        health = wait_for(client, "ok")
        assert "lacks its weights" in health["detail"]
        assert health["components"] == {
            "embedder": "ok",
            "reranker": "failed",
            "cache (memory)": "ok",
        }
        for query in ("boat", "horse", "calm"):
            page = client.post("/search", json={"query": query}).json()
            plain = client.post("/search", json={"query": query, "rerank": False}).json()
            assert (page["degraded"], page["cached"]) == (["reranker"], False)
            assert page["results"] == plain["results"]
            assert client.get("/health").status_code == 200
    assert len(loads) == 1  # it is not loaded again for each who asks


def test_a_model_that_cannot_be_loaded_is_unavailable_and_the_words_answer(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(*_: object, **__: object) -> WordEmbedder:
        raise ModelError("checkpoint words lacks its weights: download it again.")

    monkeypatch.setattr("retrievals_serving.queries.load_embedder", load)
    with client_of(create_app(settings)) as client:
        assert "lacks its weights" in wait_for(client, "unavailable")["detail"]
        response = client.post("/search", json={"query": "boat"})
        assert response.json()["degraded"] == ["embedder"]


def test_a_model_that_makes_other_vectors_is_unavailable_and_what_needs_none_answers(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "retrievals_serving.queries.load_embedder", lambda *_, **__: TurnedEmbedder(0.9)
    )
    with client_of(create_app(settings)) as client:
        assert "picture 'blue' 0.900" in wait_for(client, "unavailable")["detail"]
        response = client.post("/search", json={"query": "boat"})
        assert response.status_code == 503
        assert "picture 'blue' 0.900" in problem(response)["detail"]
        assert client.get("/artworks/test:1001/similar").status_code == 200


def test_a_server_starts_before_the_first_build_and_answers_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_loaded = threading.Event()

    def load(*_: object, **__: object) -> WordEmbedder:
        is_loaded.set()
        return WordEmbedder()

    monkeypatch.setattr("retrievals_serving.queries.load_embedder", load)
    monkeypatch.setattr("retrievals_serving.api.readiness.POLL", 0.01)
    with client_of(create_app(Settings.load(home=tmp_path, reranker="none"))) as client:
        assert "retrievals build" in wait_for(client, "unavailable")["detail"]
        response = client.post("/search", json={"query": "boat"})
        assert response.status_code == 503
        assert "retrievals build" in problem(response)["detail"]
        store = Store(tmp_path)
        promote(store, make_release(store).release_id)
        assert is_loaded.wait(60)  # though nobody asks
        wait_for(client, "ok")
        assert client.post("/search", json={"query": "boat"}).status_code == 200
