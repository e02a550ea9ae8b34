"""A file of a folder is read again when it changed; what it was is kept when it broke."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from retrievals_pipeline.defs.images import folder_pictures
from retrievals_pipeline.defs.images.folder_pictures import Files
from retrievals_serving.store import Store
from tests.images.conftest import jpeg
from tests.images.folders import read, rows, works


@pytest.fixture
def three(folder: Path, store: Store) -> Path:
    """A folder of three pictures that were read: two that fit, and a larger one."""
    for number, side in enumerate((90, 96, 1500)):
        (folder / f"{number}.jpg").write_bytes(jpeg(number, size=(side, 60)))
    assert read(store, folder).statuses == {"ok": 3}
    return folder


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The sizes of the files that are decoded from now on."""
    seen: list[int] = []
    decode = folder_pictures.fitted

    def counting(content: bytes, *args: Any) -> bytes:
        seen.append(len(content))
        return decode(content, *args)

    monkeypatch.setattr(folder_pictures, "fitted", counting)
    return seen


def touch(path: Path) -> None:
    os.utime(path, ns=(1, 1))


def test_what_did_not_change_is_not_read(
    three: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Files, "fetch", lambda *_, **__: pytest.fail("a file was read"))
    assert read(store, three).asked == 0


def test_a_file_with_another_time_and_the_same_bytes_is_hashed_and_no_more(
    three: Path, store: Store, decoded: list[int]
) -> None:
    before = rows(store)
    for path in three.iterdir():
        touch(path)
    summary = read(store, three)
    assert (summary.asked, summary.unchanged, decoded) == (3, 3, [])
    assert {id_: row.sha256 for id_, row in rows(store).items()} == {
        id_: row.sha256 for id_, row in before.items()
    }
    assert read(store, three).asked == 0


def test_a_replaced_file_brings_its_picture_and_no_other(
    three: Path, store: Store, decoded: list[int]
) -> None:
    before = rows(store)
    content = jpeg(9, size=(80, 60))
    (three / "1.jpg").write_bytes(content)
    summary = read(store, three)
    assert (summary.asked, summary.unchanged, decoded) == (1, 0, [len(content)])
    changed = {id_ for id_, row in rows(store).items() if row.sha256 != before[id_].sha256}
    assert changed == {"folder:1.jpg"}


def test_another_box_makes_the_pictures_anew(three: Path, store: Store) -> None:
    other = [replace(work, image_modified="another box") for work in works(three)]
    read(store, three, other, box=512)
    assert {row.width for row in rows(store).values()} == {90, 96, 512}


def break_off(path: Path) -> None:
    path.write_bytes(jpeg(5)[:-300])


def take_away(path: Path) -> None:
    path.unlink()


@pytest.mark.parametrize(
    ("change", "detail"),
    [(break_off, "kept, after truncated"), (take_away, "kept, after unreachable")],
)
def test_a_listed_file_that_breaks_or_is_not_found_keeps_its_picture(
    three: Path, store: Store, change: Callable[[Path], None], detail: str
) -> None:
    found = [replace(work, image_modified="later") for work in works(three)]
    change(three / "1.jpg")
    read(store, three, found)
    row = rows(store)["folder:1.jpg"]
    assert row.status == "ok"
    assert detail in row.detail
    assert row.sha256 is not None
    (three / "1.jpg").write_bytes(jpeg(6))
    read(store, three)
    assert (rows(store)["folder:1.jpg"].status, rows(store)["folder:1.jpg"].detail) == ("ok", "")


def test_a_broken_file_is_looked_at_again_only_when_it_changed(
    folder: Path, store: Store, decoded: list[int]
) -> None:
    (folder / "bad.jpg").write_bytes(b"<html>")
    read(store, folder)
    assert read(store, folder).asked == 0
    assert len(decoded) == 1
    (folder / "bad.jpg").write_bytes(jpeg())
    assert read(store, folder).statuses == {"ok": 1}
