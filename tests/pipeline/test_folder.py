"""`retrievals build` of a folder of pictures, and what each change of the folder costs."""

import errno
import json
import os
import shutil
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from retrievals_pipeline.build import build
from retrievals_pipeline.cli import main
from retrievals_pipeline.defs.records.folder_artworks import KEPT
from retrievals_pipeline.defs.records.folder_listing import UNREADABLE
from retrievals_pipeline.defs.records.paths import SOURCE
from retrievals_pipeline.defs.resources import loaded_embedder
from retrievals_pipeline.source import open_source
from retrievals_serving import SearchEngine
from retrievals_serving.api import create_app
from retrievals_serving.errors import BuildError
from retrievals_serving.release import current_release_id, list_releases, open_release
from retrievals_serving.settings import Settings
from retrievals_serving.store import picture_name
from tests.conftest import ServedMuseum
from tests.pipeline.test_build import artifacts, latest
from tests.serving.client import client_of

GOOD = [
    *(f"boats/{number}.jpg" for number in range(6)),
    "Large.JPEG",
    "a.PNG",
    "b.webp",
    "c/d/e.bmp",
    "f.tif",
    "g.TIFF",
    "h.jpg",
    "i.jpg",
]
METADATA = "filename,title,artist,date\nh.jpg,The Sea,Ann Painter,1890\nlost.jpg,Lost,,\n"


def paint(path: Path, seed: int, side: int = 96) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    colors = np.random.default_rng(seed).integers(0, 255, (3, 4, 3), np.uint8)
    Image.fromarray(colors).resize((side, side * 3 // 4)).save(path)


def environment(home: Path, folder: Path) -> dict[str, str]:
    return {
        "RETRIEVALS_HOME": str(home),
        "RETRIEVALS_PICTURES": str(folder),
        "RETRIEVALS_SHARDS": "3",
    }


@pytest.fixture(scope="module")
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


def folder_of(settings: Settings) -> Path:
    assert settings.pictures is not None
    return settings.pictures


def metadata(settings: Settings, asset: str, name: str) -> int:
    """The sum of what the last materializations of all shards show under `name`."""
    return sum(latest(settings, asset, f"{shard}-of-3")[name] for shard in range(3))


def files(settings: Settings) -> dict[str, str]:
    """The ids of the works that are served, by file."""
    with SearchEngine.open(settings=settings) as engine:
        return {found.image_url: found.id for found in engine.search("a boat", top_k=64).results}


def test_every_good_picture_is_served_and_the_broken_one_fails_alone(settings: Settings) -> None:
    manifest = open_release(settings.store).manifest
    assert (manifest.works, manifest.eligible) == (14, 15)
    assert manifest.missing == {"not_an_image": 1}
    assert set(files(settings)) == set(GOOD)
    assert latest(settings, "artworks")["dagster/row_count"] == 15


def test_a_result_names_its_file_and_what_is_known_of_it(settings: Settings) -> None:
    with (
        SearchEngine.open(settings=settings) as engine,
        client_of(create_app(engine=engine)) as api,
    ):
        results = api.post("/search", json={"query": "a boat"}).json()["results"]
        found = {result["metadata"]["image_url"]: result["metadata"] for result in results}
        assert (found["h.jpg"]["title"], found["h.jpg"]["artist"]) == ("The Sea", "Ann Painter")
        assert (found["c/d/e.bmp"]["title"], found["c/d/e.bmp"]["artwork_url"]) == (
            "e", "c/d/e.bmp",
        )  # fmt: skip
        assert max(found["Large.JPEG"][side] for side in ("width", "height")) == settings.image_box
        for each in found.values():
            thumbnail = api.get(each["thumbnail_url"])
            picture = api.get(each["thumbnail_url"].replace("thumbnails", "images"))
            assert thumbnail.headers["content-type"] == "image/webp"
            assert picture.headers["content-type"] == "image/jpeg"


def test_the_list_of_pictures_says_what_became_of_each_file(settings: Settings) -> None:
    release = current_release_id(settings.store)
    content = settings.store.read_bytes(f"reports/{release}/pictures.json")
    listed = {entry["image_url"]: entry for entry in json.loads(content)}
    indexed = {file: entry["id"] for file, entry in listed.items() if entry["status"] == "ok"}
    assert indexed == files(settings)
    assert all(settings.store.exists(picture_name(listed[file]["sha256"])) for file in indexed)
    assert listed["h.jpg"]["remark"] == ""
    assert listed["i.jpg"]["remark"] == "picture without a row in metadata.csv"
    assert (listed["bad.jpg"]["status"], listed["bad.jpg"]["sha256"]) == ("not_an_image", None)
    assert "begin with b'<html>'" in listed["bad.jpg"]["detail"]
    left_out = {file: entry["remark"] for file, entry in listed.items() if entry["id"] is None}
    assert left_out == {
        "boats/up": "link to a folder",
        "lost.jpg": "row of metadata.csv that names no picture",
        "notes.txt": "other file (.txt)",
    }
    assert {listed[file]["status"] for file in left_out} == {"left_out"}


def test_a_folder_that_did_not_change_costs_nothing(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise AssertionError("a file was read, or a model loaded")

    monkeypatch.setattr("retrievals_pipeline.defs.images.folder_pictures.Files.fetch", fail)
    monkeypatch.setattr("retrievals_pipeline.defs.resources.load_embedder", fail)
    loaded_embedder.cache_clear()
    (release,) = list_releases(settings.store)
    assert build() == release  # which writes down that its size was compared with what is served
    before = {path: path.stat().st_mtime_ns for path in artifacts(settings)}
    assert build() == release
    assert list_releases(settings.store) == [release]
    assert {path: path.stat().st_mtime_ns for path in artifacts(settings)} == before


def test_files_that_only_have_another_time_make_no_release(settings: Settings) -> None:
    for path in folder_of(settings).rglob("*.*"):
        os.utime(path, ns=(1, 1))
    (release,) = list_releases(settings.store)
    assert build() == release
    assert metadata(settings, "artwork_images", "unchanged") == 14
    assert metadata(settings, "image_embeddings", "embedded") == 0


def replace_one(folder: Path) -> None:
    paint(folder / "b.webp", seed=99)


def remove_one(folder: Path) -> None:
    (folder / "b.webp").unlink()


def rename_one(folder: Path) -> None:
    (folder / "b.webp").rename(folder / "boats" / "b.webp")


def edit_a_title(folder: Path) -> None:
    (folder / "metadata.csv").write_text(METADATA.replace("The Sea", "The Lake"))


@pytest.mark.parametrize(
    ("change", "asked", "embedded", "left", "came"),
    [
        (replace_one, 1, 1, set(), set()),
        (remove_one, 0, 0, {"b.webp"}, set()),
        (rename_one, 1, 1, {"b.webp"}, {"boats/b.webp"}),
        (edit_a_title, 0, 0, set(), set()),
    ],
)
def test_a_change_costs_what_changed_and_makes_a_release_of_it(
    settings: Settings,
    change: Callable[[Path], None],
    asked: int,
    embedded: int,
    left: set[str],
    came: set[str],
) -> None:
    before, served = files(settings), current_release_id(settings.store)
    change(folder_of(settings))
    assert build().release_id != served
    assert metadata(settings, "artwork_images", "asked") == asked
    assert metadata(settings, "image_embeddings", "embedded") == embedded
    after = files(settings)
    assert set(after) == (set(before) - left) | came
    assert {after[file] for file in before if file in after} <= set(before.values())
    assert not {after[file] for file in came} & set(before.values())


def test_a_folder_that_lost_a_part_at_once_is_not_served(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when the disk below `boats` is not mounted: the folder is there, and empty."""
    served = current_release_id(settings.store)
    boats = folder_of(settings) / "boats"
    boats.rename(folder_of(settings).parent / "away")
    boats.mkdir()
    with pytest.raises(BuildError, match=r"'artworks_have_not_shrunk' did not pass.*mounted") as no:
        build()
    assert "RETRIEVALS_LIMIT" in str(no.value)
    assert current_release_id(settings.store) == served
    (folder_of(settings) / "bad.jpg").unlink()
    monkeypatch.setenv("RETRIEVALS_LIMIT", "9")
    assert build().manifest.works == 8


def test_a_few_of_a_small_folder_may_be_taken_out_at_once(settings: Settings) -> None:
    for name in ("a.PNG", "b.webp"):
        (folder_of(settings) / name).unlink()
    assert build().manifest.works == 12


def test_what_may_not_be_read_any_more_is_served_on_and_told(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, closed = files(settings), folder_of(settings) / "boats"
    opened, scanned = Path.open, os.scandir

    def refuse(path: Path | int) -> None:  # a number is a folder that is open already
        if isinstance(path, Path) and path.is_relative_to(closed):
            raise PermissionError(errno.EACCES, "Permission denied")

    def scan(path: Path | int) -> Any:
        refuse(path)
        return scanned(path)

    def read(path: Path, *args: Any, **kwargs: Any) -> Any:
        refuse(path)
        return opened(path, *args, **kwargs)

    monkeypatch.setattr(os, "scandir", scan)
    monkeypatch.setattr(Path, "open", read)
    monkeypatch.setenv("RETRIEVALS_IMAGE_BOX", "64")  # so that every file is asked for
    release = build()
    assert files(settings) == before
    content = settings.store.read_bytes(f"reports/{release.release_id}/pictures.json")
    listed = {entry["image_url"]: entry for entry in json.loads(content)}
    assert (listed["boats"]["status"], listed["boats"]["remark"]) == ("left_out", UNREADABLE)
    assert listed["boats/1.jpg"]["status"] == "ok"
    assert listed["boats/1.jpg"]["detail"] == "kept, after unreachable: Permission denied"
    assert KEPT in listed["boats/1.jpg"]["remark"]


def test_a_home_of_one_source_refuses_another(
    settings: Settings, served_museum: ServedMuseum, monkeypatch: pytest.MonkeyPatch
) -> None:
    build()  # which notes the folder
    served = current_release_id(settings.store)
    folder = folder_of(settings)
    monkeypatch.setenv("RETRIEVALS_PICTURES", str(folder / "boats"))
    with pytest.raises(BuildError) as caught:
        build()
    assert str(caught.value) == (
        f"refresh_records failed: {settings.store.root} was built from the folder {folder}, not "
        f"from the folder {folder}/boats. Set RETRIEVALS_HOME to another folder, or "
        "RETRIEVALS_PICTURES and RETRIEVALS_NGA_URL as they were. If the collection only moved, "
        f"remove {settings.store.path(SOURCE)}."
    )
    for name, value in served_museum.environment(settings.home).items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("RETRIEVALS_PICTURES")
    with pytest.raises(BuildError, match=f"the folder {folder}, not from the museum nga"):
        build()
    retried = CliRunner().invoke(main, ["images", "retry", "--status", "not_an_image"])
    assert retried.exit_code == 1
    assert "was built from the folder" in retried.output
    assert current_release_id(settings.store) == served


@pytest.mark.usefixtures("built")
def test_a_home_of_a_museum_refuses_a_folder(
    original: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RETRIEVALS_PICTURES", str(original / "pictures"))
    with pytest.raises(BuildError, match=r"from the museum nga, not from the folder /"):
        build()


def test_a_folder_is_observed_by_what_lies_in_it(settings: Settings) -> None:
    with open_source(settings) as source:
        before = source.versions()
        edit_a_title(folder_of(settings))
        assert source.versions().keys() == before.keys() == {"pictures", "metadata.csv"}
        assert source.versions()["pictures"] == before["pictures"]
        assert source.versions()["metadata.csv"] != before["metadata.csv"]


def test_a_folder_that_is_not_there_is_refused_before_a_build(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["build", "--pictures", str(tmp_path / "nowhere")])
    assert result.exit_code == 2
    assert "nowhere' does not exist" in result.output
