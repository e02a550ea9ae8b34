"""`retrievals build` of a folder of pictures, and what each change of the folder costs."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from retrievals_pipeline.build import build
from retrievals_pipeline.defs.resources import loaded_embedder
from retrievals_serving import SearchEngine
from retrievals_serving.api import create_app
from retrievals_serving.release import current_release_id, list_releases, open_release
from retrievals_serving.settings import Settings
from retrievals_serving.store import picture_name
from tests.pipeline.folders import GOOD, edit_a_title, files, folder_of, paint
from tests.pipeline.homes import artifacts, latest
from tests.serving.client import client_of


def metadata(settings: Settings, asset: str, name: str) -> int:
    """The sum of what the last materializations of all shards show under `name`."""
    return sum(latest(settings, asset, f"{shard}-of-3")[name] for shard in range(3))


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
