"""A server that follows `CURRENT` in a home of four releases."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from retrievals_serving import Settings
from retrievals_serving.api import create_app
from retrievals_serving.promotion import promote
from retrievals_serving.store import Store
from tests.serving.client import client_of
from tests.serving.small_release import WordEmbedder, make_release
from tests.serving.switch.asking import FIRST, RELEASES
from tests.serving.test_health import wait_for


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose releases have other works and titles in each row; the first one is served."""
    store = Store(tmp_path_factory.mktemp("switch") / "home")
    for seed, release_id in enumerate(RELEASES):
        make_release(store, release_id, works=40 + 3 * seed, seed=seed)
    promote(store, FIRST)
    return store.root


@pytest.fixture
def store(made: Path, tmp_path: Path) -> Store:
    return Store(Path(shutil.copytree(made, tmp_path / "home")))


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The models that were loaded, and a server that looks at `CURRENT` all the time."""
    loaded: list[str] = []

    def load(checkpoint: str, **_: object) -> WordEmbedder:
        loaded.append(checkpoint)
        return WordEmbedder()

    monkeypatch.setattr("retrievals_serving.queries.load_embedder", load)
    monkeypatch.setattr("retrievals_serving.api.readiness.POLL", 0.01)
    return loaded


@pytest.fixture
def settings(store: Store) -> Settings:
    return Settings.load(
        home=store.root,
        reranker="none",
        window=40,
        page=8,
        more=5,
        secret="s" * 32,
        rate_limit="1000000/second",
    )


@pytest.fixture
def client(settings: Settings, loads: list[str]) -> Iterator[httpx.Client]:
    assert loads == []
    with client_of(create_app(settings)) as opened:
        wait_for(opened, "ok")
        yield opened
