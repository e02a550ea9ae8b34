"""What `artworks` promises of a folder of pictures and its `metadata.csv`."""

import errno
import logging
import os
import shutil
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from retrievals_pipeline.defs.records.artworks import ArtworksSummary
from retrievals_pipeline.defs.records.folder_artworks import COLUMNS, KEPT, build_folder_artworks
from retrievals_pipeline.defs.records.folder_listing import UNREADABLE, folder_versions
from retrievals_pipeline.defs.records.paths import ARTWORKS, REMARKS
from retrievals_pipeline.defs.records.verification import check_rows
from retrievals_serving.errors import SourceError
from retrievals_serving.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "home")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder of pictures."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    return folder


def add(folder: Path, *names: str, content: str = "a picture") -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)


def summarize(folder: Path, store: Store, *, limit: int | None = None) -> ArtworksSummary:
    return build_folder_artworks(folder, store, source="folder", box=1024, limit=limit)


def works(folder: Path, store: Store) -> dict[str, dict[str, Any]]:
    """The records by file."""
    summarize(folder, store)
    return {row["image_url"]: row for row in pq.read_table(store.path(ARTWORKS)).to_pylist()}


def remarks(store: Store) -> set[tuple[str, str]]:
    return {(row["file"], row["remark"]) for row in pq.read_table(store.path(REMARKS)).to_pylist()}


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


def describe(folder: Path, text: str, *, encoding: str = "utf-8") -> None:
    (folder / "metadata.csv").write_text(text, encoding=encoding)


def test_without_metadata_the_title_is_the_files_name(folder: Path, store: Store) -> None:
    add(folder, "boats/A lonely boat.v2.jpg")
    (work,) = works(folder, store).values()
    assert (work["title"], work["artist"]) == ("A lonely boat.v2", "Unknown artist")
    assert work["artwork_url"] == work["image_url"] == "boats/A lonely boat.v2.jpg"


def test_metadata_says_what_a_picture_is(folder: Path, store: Store) -> None:
    add(folder, "boats/sea.jpg")
    describe(
        folder,
        "filename,title,artist,date,begin_year,end_year,medium,classification,credit,artwork_url,"
        'description\nboats/sea.jpg,"The Sea, ""calm""",Ann,c. 1890,1885,1895,oil,Painting,Gift,'
        'https://museum.example/1,"Two\nboats."\n',
    )
    (work,) = works(folder, store).values()
    told = {name: work[name] for name in COLUMNS if name != "filename"}
    assert told == {
        "title": 'The Sea, "calm"', "artist": "Ann", "date": "c. 1890", "begin_year": 1885,
        "end_year": 1895, "medium": "oil", "classification": "Painting", "credit": "Gift",
        "artwork_url": "https://museum.example/1", "description": "Two\nboats.",
    }  # fmt: skip
    assert work["image_url"] == "boats/sea.jpg"
    assert remarks(store) == set()


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(document.cookie)",
        "JavaScript://museum.example/%0aalert(1)",
        "data:text/html,<script>",
        "//museum.example/1",
        "museum.example/1",
        "https:///1",
        "https://museum.example/a b",
    ],
)
def test_an_address_that_is_none_of_the_web_is_left_out_by_name(
    folder: Path, store: Store, caplog: pytest.LogCaptureFixture, address: str
) -> None:
    add(folder, "a.jpg", "b.jpg")
    describe(folder, f'filename,title,artwork_url\na.jpg,The Sea," {address}"\nb.jpg,,\n')
    found = works(folder, store)
    assert (found["a.jpg"]["title"], found["a.jpg"]["artwork_url"]) == ("The Sea", "a.jpg")
    remark = "artwork_url of metadata.csv that is no http or https address"
    assert remarks(store) == {("a.jpg", f"{remark}: {address}")}
    assert f"1 × {remark}: a.jpg: {address}" in caplog.text
    assert summarize(folder, store).dropped == {remark: 1}
    assert check_rows(store).passed


@pytest.mark.parametrize(
    "address", ["http://museum.example", "https://museum.example?id=1", "https://m.example/ä#1"]
)
def test_an_address_of_the_web_is_kept(folder: Path, store: Store, address: str) -> None:
    add(folder, "a.jpg")
    describe(folder, f"filename,artwork_url\na.jpg,{address} \n")
    assert works(folder, store)["a.jpg"]["artwork_url"] == address
    assert remarks(store) == set()
    assert check_rows(store).passed


def test_no_script_gets_past_the_check_of_the_records(folder: Path, store: Store) -> None:
    add(folder, "a.jpg")
    (work,) = works(folder, store).values()
    pq.write_table(
        pa.Table.from_pylist([work | {"artwork_url": "javascript:1"}]), store.path(ARTWORKS)
    )
    verdict = check_rows(store)
    assert not verdict.passed
    assert verdict.details["malformed_artwork_urls"] == 1


def test_a_spreadsheets_header_and_a_macs_names_are_understood(folder: Path, store: Store) -> None:
    add(folder, unicodedata.normalize("NFD", "Été.jpg"))
    describe(folder, " Filename ,TITLE,,\nÉté.jpg,Summer,,\n", encoding="utf-8-sig")
    (work,) = works(folder, store).values()
    assert work["title"] == "Summer"


def test_rows_and_pictures_that_do_not_meet_are_counted_and_named(
    folder: Path, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    add(folder, *(f"{number}.jpg" for number in range(8)), "scan.gif")
    describe(
        folder,
        "filename,title\n0.jpg,Sea\n0.jpg,Lake\nlost.jpg,Lost\nscan.gif,Scan\n ,Nameless\n"
        "7.JPG,x\n",
    )
    found = works(folder, store)
    assert found["0.jpg"]["title"] == "Sea"
    assert found["7.jpg"]["title"] == "7"
    told = remarks(store)
    for file in ("lost.jpg", "scan.gif", "7.JPG"):
        assert (file, "row of metadata.csv that names no picture") in told
    assert ("0.jpg", "row of metadata.csv for a picture that has one already") in told
    assert ("", "row of metadata.csv without a filename") in told
    assert (
        "7 × picture without a row in metadata.csv: 1.jpg, 2.jpg, 3.jpg, 4.jpg, 5.jpg, …"
        in caplog.text
    )
    assert "3 × row of metadata.csv that names no picture: 7.JPG, lost.jpg, scan.gif" in caplog.text
    assert summarize(folder, store).dropped["row of metadata.csv that names no picture"] == 3


def test_columns_that_are_not_used_are_named(
    folder: Path, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    add(folder, "a.jpg")
    describe(folder, "filename,tittle,notes,artist\na.jpg,The Sea,seen,Ann\n")
    with caplog.at_level(logging.WARNING):
        (work,) = works(folder, store).values()
    assert "metadata.csv: tittle, notes not used; the columns that are: filename, title" in (
        caplog.text
    )
    assert (work["title"], work["artist"]) == ("a", "Ann")


def test_an_edit_of_a_title_changes_the_record_alone(folder: Path, store: Store) -> None:
    add(folder, "a.jpg", "b.jpg")
    describe(folder, "filename,title\na.jpg,The Sea\nb.jpg,The Lake\n")
    before = works(folder, store)
    describe(folder, "filename,title\na.jpg,The Sky\nb.jpg,The Lake\n")
    after = works(folder, store)
    assert before["b.jpg"] == after["b.jpg"]
    assert before["a.jpg"]["record_sha256"] != after["a.jpg"]["record_sha256"]
    assert before["a.jpg"]["image_modified"] == after["a.jpg"]["image_modified"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "lacks the column filename"),
        (b"file_name,title\na.jpg,Sea\n", "lacks the column filename.*has file_name, title"),
        (b"filename;title\na.jpg;Sea\n", "with commas between, has filename;title"),
        (b"filename,title,Title\na.jpg,a,b\n", "has the column title more than once"),
        (b'filename,title\na.jpg,"never closed\n', "not a well-formed CSV file"),
        (b"filename,title\na.jpg,too,many\n", "not a well-formed CSV file"),
        ("filename,title\na.jpg,Été\n".encode("cp1252"), "not a well-formed CSV file"),
    ],
)
def test_metadata_that_cannot_be_used_is_refused_and_the_last_good_table_stays(
    folder: Path, store: Store, content: bytes, message: str
) -> None:
    add(folder, "a.jpg")
    summarize(folder, store)
    good = store.read_bytes(ARTWORKS)
    (folder / "metadata.csv").write_bytes(content)
    with pytest.raises(SourceError, match=f"metadata.csv.*{message}.*last good table is kept"):
        summarize(folder, store)
    assert store.read_bytes(ARTWORKS) == good
