"""The small release that the tests of serving search, and the engine that searches it."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from retrievals_serving import SearchEngine, Settings
from retrievals_serving.api import create_app
from retrievals_serving.promotion import promote
from retrievals_serving.store import Store
from tests.serving.client import client_of
from tests.serving.fake_reranker import FakeReranker
from tests.serving.redis_server import RedisServer, running_redis
from tests.serving.small_release import WORKS, WordEmbedder, make_records, make_release


@pytest.fixture(scope="session")
def records() -> list[dict[str, Any]]:
    """The records of the release, as they went in."""
    return make_records(WORKS)


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose release is served; tests only read it."""
    path = tmp_path_factory.mktemp("serving") / "home"
    promote(Store(path), make_release(Store(path)).release_id)
    return path


@pytest.fixture(scope="session")
def settings(home: Path) -> Settings:
    """Settings of vector search alone; tests of the second stage have their own."""
    return Settings.load(
        home=home,
        window=40,
        page=8,
        more=5,
        reranker="none",
        secret="a secret of the tests, which no server shares",
        rate_limit="1000000/second",
    )


@pytest.fixture(scope="session")
def engine(settings: Settings) -> Iterator[SearchEngine]:
    with SearchEngine.open(settings=settings, embedder=WordEmbedder()) as opened:
        yield opened


@pytest.fixture(scope="session")
def client(engine: SearchEngine) -> Iterator[httpx.Client]:
    with client_of(create_app(engine=engine)) as opened:
        yield opened


@pytest.fixture
def reranker(monkeypatch: pytest.MonkeyPatch) -> FakeReranker:
    """A reranker whose clock is the one that the deadline is on."""
    fake = FakeReranker()
    monkeypatch.setattr("retrievals_serving.reranking.monotonic", fake.monotonic)
    return fake


@pytest.fixture
def own_home(home: Path, tmp_path: Path) -> Path:
    """A copy of the home, the test's own to take pictures from."""
    return Path(shutil.copytree(home, tmp_path / "home"))


@pytest.fixture
def redis_server() -> Iterator[RedisServer]:
    """A Redis, the test's own to kill."""
    with running_redis() as server:
        yield server
