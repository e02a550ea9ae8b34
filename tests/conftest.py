"""A served museum and a release built from it, shared by the tests that only look at them."""

import os
import re
import shutil
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from retrievals_pipeline.build import build
from retrievals_pipeline.miniature.iiif.server import museum_app
from retrievals_pipeline.miniature.museum import MiniatureMuseum
from retrievals_serving.http_server import serving
from retrievals_serving.settings import Settings

WORKS = 24


@dataclass
class ServedMuseum:
    """The miniature museum on loopback, with a count of the pictures it was asked for."""

    address: str = ""
    pictures: Counter[str] = field(default_factory=Counter)
    app: Any = None

    def show(self, museum: MiniatureMuseum) -> None:
        """Be this museum from now on."""
        self.app = museum_app(museum)

    def environment(self, home: Path) -> dict[str, str]:
        """The settings that build from this museum into `home`."""
        return {
            "RETRIEVALS_PROFILE": "demo",
            "RETRIEVALS_HOME": str(home),
            "RETRIEVALS_NGA_URL": f"{self.address}/opendata",
            "RETRIEVALS_IIIF_MIRROR": f"{self.address}/iiif",
            "RETRIEVALS_SHARDS": "3",
        }


@pytest.fixture(scope="session", autouse=True)
def clean_environment() -> Iterator[None]:
    """No setting of the developer's own reaches a test."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if re.match("RETRIEVALS_(?!TEST_)|DAGSTER_HOME", name):
                patch.delenv(name)
        patch.setitem(Settings.model_config, "env_file", None)
        yield


@pytest.fixture(scope="session")
def served_museum() -> Iterator[ServedMuseum]:
    with serve_museum(WORKS) as served:
        yield served


@contextmanager
def serve_museum(works: int) -> Iterator[ServedMuseum]:
    """Serve a miniature museum of `works` works on loopback."""
    served = ServedMuseum()
    lock = threading.Lock()
    served.show(MiniatureMuseum(works=works))

    async def counting(scope: Any, receive: Any, send: Any) -> None:
        if match := re.search(r"/iiif/([^/]+)/full/", scope.get("path", "")):
            with lock:
                served.pictures[match[1]] += 1
        await served.app(scope, receive, send)

    with serving(counting) as address:
        served.address = address
        yield served


@pytest.fixture
def museum_settings(
    served_museum: ServedMuseum, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Settings:
    """Settings of an empty home that builds from the served museum."""
    for name, value in served_museum.environment(tmp_path / "home").items():
        monkeypatch.setenv(name, value)
    served_museum.pictures.clear()
    return Settings.load()


@pytest.fixture(scope="session")
def built_home(served_museum: ServedMuseum, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with one release, built once; not to be changed."""
    home = tmp_path_factory.mktemp("built")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in served_museum.environment(home).items():
            patch.setenv(name, value)
        build()
    return home


@pytest.fixture
def built(built_home: Path, museum_settings: Settings) -> Settings:
    """Settings of a home with one release, the test's own to change."""
    shutil.copytree(built_home, museum_settings.store.root, symlinks=True)
    return museum_settings
