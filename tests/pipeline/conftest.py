"""Fixtures of the whole pipeline: its automation after a first build, and the build of a folder."""

import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from retrievals_pipeline.build import build
from retrievals_pipeline.defs.records.paths import SOURCE
from retrievals_serving.settings import Settings
from tests.pipeline.automation import RELEASE, Automation
from tests.pipeline.folders import GOOD, METADATA, environment, paint


@pytest.fixture
def automation(museum_settings: Settings) -> Iterator[Automation]:
    with dg.DagsterInstance.ephemeral() as instance:
        automation = Automation(instance)
        assert len(automation.shards) == museum_settings.shards
        yield automation


@pytest.fixture
def released(automation: Automation) -> Automation:
    """After a first build, and the first evaluation of the conditions."""
    automation.observe("monday")
    automation.make("artworks", version="first")
    automation.make("artwork_images", *automation.shards)
    automation.make("image_embeddings", *automation.shards)
    for asset in [*sorted(RELEASE), "search_release"]:
        automation.make(asset)
    assert automation.tick() == {}
    return automation


@pytest.fixture(scope="session")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder `pictures` of 14 good pictures and what else lies in such a folder, and its home.

    The build of it may reach nothing over a network.
    """
    where = tmp_path_factory.mktemp("original")
    folder = where / "pictures"
    for seed, name in enumerate(GOOD):
        paint(folder / name, seed, side=2000 if name == "Large.JPEG" else 96)
    (folder / "bad.jpg").write_bytes(b"<html>")
    (folder / "notes.txt").write_text("not a picture")
    (folder / "boats" / "up").symlink_to("..")
    (folder / "metadata.csv").write_text(METADATA)

    def refuse(*_: object) -> None:
        raise AssertionError("something was sent over a network")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", refuse)
        for name, value in environment(where / "home", folder).items():
            patch.setenv(name, value)
        build()
    return where


@pytest.fixture
def settings(original: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings of the built folder and its home, moved to where a test may change both."""
    shutil.copytree(original, tmp_path, symlinks=True, dirs_exist_ok=True)
    for name, value in environment(tmp_path / "home", tmp_path / "pictures").items():
        monkeypatch.setenv(name, value)
    settings = Settings.load()
    settings.store.remove(SOURCE)  # as the message says to somebody who moved the folder
    return settings
