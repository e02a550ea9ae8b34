"""A IIIF server of a folder with real files."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from retrievals_pipeline.miniature.iiif.pictures import FolderPictures
from retrievals_pipeline.miniature.iiif.server import museum_app
from retrievals_serving.http_server import serving
from tests.miniature.gradients import HEIGHT, WIDTH, gradient


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    above = tmp_path_factory.mktemp("museum")
    gradient(8, 8).save(above / "secret.png")
    folder = above / "pictures"
    folder.mkdir()
    gradient(WIDTH, HEIGHT).save(folder / "wide.png")
    gradient(300, 700).save(folder / "tall.jpg")
    gradient(5000, 50).save(folder / "frieze.png")
    gradient(40, 30).convert("RGBA").save(folder / "clear.webp")
    (folder / "torn.jpg").write_bytes((folder / "tall.jpg").read_bytes()[:700])
    (folder / "notes.txt").write_text("not a picture", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[str]:
    with serving(museum_app(FolderPictures(folder))) as address:
        yield address
