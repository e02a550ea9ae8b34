"""Fixtures of the whole pipeline: its automation, the build of a folder, and the running UI."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import httpx
import pytest

from retrievals_pipeline.build import build
from retrievals_pipeline.defs.records.paths import SOURCE
from retrievals_serving.settings import Settings
from tests.conftest import ServedMuseum
from tests.pipeline.automation import AFTER_CHECKS, RELEASE, Automation
from tests.pipeline.folders import GOOD, METADATA, environment, paint
from tests.processes import bound


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
    for asset in [*sorted(RELEASE), *sorted(AFTER_CHECKS)]:
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


@pytest.fixture
def graphql(
    request: pytest.FixtureRequest, served_museum: ServedMuseum, tmp_path: Path
) -> Iterator[Any]:
    """`retrievals ui` on an empty home; yields a function that asks its GraphQL.

    Its parameter is what the environment has besides.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = (tmp_path / "ui.log").open("w")
    ui = subprocess.Popen(
        bound([Path(sys.executable).with_name("retrievals"), "ui", "--port", str(port)]),
        env=os.environ | served_museum.environment(tmp_path / "ui") | getattr(request, "param", {}),
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    url = f"http://127.0.0.1:{port}/graphql"

    def ask(query: str, **variables: Any) -> Any:
        answer = httpx.post(url, json={"query": query, "variables": variables}, timeout=60).json()
        assert "errors" not in answer, answer
        return answer["data"]

    deadline = time.monotonic() + 90
    while True:
        try:
            if ask("{ assetNodes { id } }")["assetNodes"]:
                break
        except httpx.TransportError:
            assert ui.poll() is None, (tmp_path / "ui.log").read_text()
        assert time.monotonic() < deadline, (tmp_path / "ui.log").read_text()
        time.sleep(0.5)
    yield ask
    os.killpg(ui.pid, signal.SIGTERM)
    try:
        ui.wait(120)  # Dagster lets its own processes end one after the other
    finally:
        if ui.poll() is None:
            os.killpg(ui.pid, signal.SIGKILL)
            ui.wait()
        log.close()
