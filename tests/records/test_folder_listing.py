"""Which files of a folder are works, and what is told of those that are none."""

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from retrievals_pipeline.defs.records.folder_artworks import KEPT
from retrievals_pipeline.defs.records.folder_listing import UNREADABLE
from retrievals_pipeline.defs.records.paths import ARTWORKS
from retrievals_serving.errors import SourceError
from retrievals_serving.store import Store
from tests.records.folders import add, describe, remarks, summarize, works


def test_every_picture_below_the_folder_is_a_work_whatever_the_case_of_its_suffix(
    folder: Path, store: Store
) -> None:
    names = ["a.jpg", "b.JPEG", "c/d.Png", "c/e/f.webp", "c/e/g.BMP", "h.tif", "i.TIFF"]
    add(folder, *names)
    assert set(works(folder, store)) == set(names)
    assert remarks(store) == set()


def test_what_is_no_picture_is_left_out_and_told_and_what_is_hidden_passed_over(
    folder: Path, store: Store
) -> None:
    add(folder, "a.jpg", "notes.txt", "b/animation.GIF", "LICENSE")
    add(folder, ".DS_Store", "._a.jpg", ".thumbnails/a.jpg")
    summary = summarize(folder, store)
    assert summary.works == 1
    assert summary.dropped == {
        "other file (.gif)": 1,
        "other file (.txt)": 1,
        "other file (no suffix)": 1,
    }
    assert ("b/animation.GIF", "other file (.gif)") in remarks(store)


def test_a_home_inside_the_folder_is_no_part_of_it(folder: Path) -> None:
    add(folder, "a.jpg", "home/images/00/0.jpg")
    assert set(works(folder, Store(folder / "home"))) == {"a.jpg"}
    link = folder.parent / "link"
    link.symlink_to(folder)
    assert set(works(link, Store(folder / "home"))) == {"a.jpg"}
    assert set(works(folder, Store(link / "home"))) == {"a.jpg"}


def test_links_lead_in_no_circle_and_to_files_alone(folder: Path, store: Store) -> None:
    add(folder, "a.jpg", "b/c.jpg")
    add(folder.parent, "elsewhere.jpg")
    (folder / "linked.jpg").symlink_to(folder.parent / "elsewhere.jpg")
    (folder / "b" / "up").symlink_to("..")
    (folder / "dead.jpg").symlink_to("nothing.jpg")
    (folder / "itself.jpg").symlink_to("itself.jpg")
    os.mkfifo(folder / "pipe.jpg")
    assert set(works(folder, store)) == {"a.jpg", "b/c.jpg", "linked.jpg"}
    assert remarks(store) == {
        ("b/up", "link to a folder"),
        ("dead.jpg", "link that leads nowhere"),
        ("itself.jpg", "link that leads nowhere"),
        ("pipe.jpg", "neither file nor folder"),
    }


def test_a_name_that_is_no_unicode_is_left_out_by_name(folder: Path, store: Store) -> None:
    add(folder, "a.jpg")
    try:
        Path(os.fsdecode(os.fsencode(folder) + b"/\xff.jpg")).write_text("a picture")
    except OSError:
        pytest.skip("this file system takes no such names")
    assert set(works(folder, store)) == {"a.jpg"}
    assert remarks(store) == {("\\xff.jpg", "name that is no Unicode")}


def without(monkeypatch: pytest.MonkeyPatch, lost: Path, code: int) -> None:
    """Let the disk give the file or folder `lost` no more."""
    scandir, stat = os.scandir, Path.stat

    def scan(path: Path) -> Any:
        if path == lost:
            raise OSError(code, os.strerror(code))
        return scandir(path)

    def look(path: Path, *, follow_symlinks: bool = True) -> os.stat_result:
        if path == lost and follow_symlinks:
            raise OSError(code, os.strerror(code))
        return stat(path, follow_symlinks=follow_symlinks)

    monkeypatch.setattr(os, "scandir", scan)
    monkeypatch.setattr(Path, "stat", look)


def test_a_folder_that_may_not_be_read_is_told(
    folder: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(folder, "a.jpg", "private/b.jpg")
    without(monkeypatch, folder / "private", errno.EACCES)
    assert set(works(folder, store)) == {"a.jpg"}
    assert remarks(store) == {("private", UNREADABLE)}


@pytest.mark.parametrize("lost", ["closed", "closed/deep", "closed/deep/b.jpg"])
def test_what_may_not_be_read_any_more_stays_as_it_was_and_is_told(
    folder: Path, store: Store, monkeypatch: pytest.MonkeyPatch, lost: str
) -> None:
    add(folder, "a.jpg", "closed.jpg", "closed/deep/b.jpg", "gone.jpg")
    before = works(folder, store)
    (folder / "gone.jpg").unlink()
    for _ in range(2):
        with monkeypatch.context() as patch:
            without(patch, folder / lost, errno.EACCES)
            describe(folder, "filename,title\nclosed/deep/b.jpg,The Sea\n")
            after = works(folder, store)
    assert set(after) == set(before) - {"gone.jpg"}
    kept = after["closed/deep/b.jpg"]
    assert (kept["title"], kept["id"], kept["image_modified"]) == (
        "The Sea",
        *(before["closed/deep/b.jpg"][name] for name in ("id", "image_modified")),
    )
    assert {(lost, UNREADABLE), ("closed/deep/b.jpg", KEPT)} <= remarks(store)
    assert ("closed.jpg", KEPT) not in remarks(store)
    (folder / "closed/deep/b.jpg").unlink()
    assert set(works(folder, store)) == {"a.jpg", "closed.jpg"}


@pytest.mark.parametrize(
    ("lost", "code"),
    [("", errno.EACCES), ("", errno.ENOENT), ("b", errno.EIO), ("a.jpg", errno.EIO)],
)
def test_a_disk_that_fails_takes_no_work_away(
    folder: Path, store: Store, monkeypatch: pytest.MonkeyPatch, lost: str, code: int
) -> None:
    add(folder, "a.jpg", "b/c.jpg")
    summarize(folder, store)
    good = store.read_bytes(ARTWORKS)
    without(monkeypatch, folder / lost, code)
    with pytest.raises(SourceError, match=f"{folder / lost} cannot be read.*RETRIEVALS_PICTURES"):
        summarize(folder, store)
    assert store.read_bytes(ARTWORKS) == good


def test_a_folder_without_a_picture_is_refused(folder: Path, store: Store) -> None:
    add(folder, "notes.txt")
    with pytest.raises(SourceError, match=r"holds no picture \(\.bmp, \.jpeg, .*last good table"):
        summarize(folder, store)
    assert not store.exists(ARTWORKS)
