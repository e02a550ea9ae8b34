"""What `artworks` promises of a folder of pictures: records that follow from its files alone."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from retrievals_pipeline.defs.records.folder_artworks import build_folder_artworks
from retrievals_pipeline.defs.records.folder_listing import folder_versions
from retrievals_pipeline.defs.records.paths import ARTWORKS
from retrievals_serving.store import Store
from tests.records.folders import add, summarize, works


def test_an_id_follows_from_the_path_alone(folder: Path, store: Store) -> None:
    add(folder, "boats/sea.jpg")
    (before,) = works(folder, store).values()
    assert before["id"] == "folder:6d165c558ba91e21"
    add(folder, "boats/sea.jpg", content="another picture")
    (replaced,) = works(folder, store).values()
    assert replaced["id"] == before["id"]
    assert replaced["image_modified"] != before["image_modified"]
    (folder / "boats/sea.jpg").rename(folder / "boats/lake.jpg")
    (renamed,) = works(folder, store).values()
    assert renamed["id"] != before["id"]


def test_a_copy_of_the_folder_has_the_same_records(folder: Path, store: Store) -> None:
    add(folder, "a.jpg", "b.jpg")
    copy = folder.parent / "copy"
    shutil.copytree(folder, copy)
    os.utime(copy / "a.jpg", (1, 1))
    first, second = works(folder, store), works(copy, store)
    for file, work in first.items():
        assert work["record_sha256"] == second[file]["record_sha256"]
        assert work["modified"] is None
    assert first["a.jpg"]["image_modified"] != second["a.jpg"]["image_modified"]


def test_the_same_folder_gives_the_same_bytes(folder: Path, store: Store) -> None:
    add(folder, *(f"{number}.jpg" for number in range(9)))
    assert summarize(folder, store).sha256 == summarize(folder, store).sha256


def test_another_box_asks_for_the_pictures_again(folder: Path, store: Store) -> None:
    add(folder, "a.jpg")
    (before,) = works(folder, store).values()
    build_folder_artworks(folder, store, source="folder", box=512, limit=None)
    (after,) = pq.read_table(store.path(ARTWORKS)).to_pylist()
    assert after["image_modified"] != before["image_modified"]
    assert after["record_sha256"] == before["record_sha256"]


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: add(folder, "b.jpg"),
        lambda folder: add(folder, "a.jpg", content="another picture"),
        lambda folder: add(folder, "metadata.csv", content="filename,title\na.jpg,The Sea\n"),
    ],
)
def test_the_version_of_a_folder_is_another_when_it_changed(
    folder: Path, store: Store, change: Callable[[Path], None]
) -> None:
    add(folder, "a.jpg")
    before = folder_versions(folder, leave_out=store.root)
    assert folder_versions(folder, leave_out=store.root) == before
    change(folder)
    assert folder_versions(folder, leave_out=store.root) != before


def test_a_limit_takes_the_first_works_in_the_order_of_their_ids(
    folder: Path, store: Store
) -> None:
    add(folder, *(f"{number}.jpg" for number in range(9)))
    everything = sorted(work["id"] for work in works(folder, store).values())
    assert summarize(folder, store, limit=4).works == 4
    assert pq.read_table(store.path(ARTWORKS))["id"].to_pylist() == everything[:4]
