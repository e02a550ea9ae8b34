"""What `metadata.csv` says of the pictures of a folder, and what it cannot say."""

import logging
import unicodedata
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from retrievals_pipeline.defs.records.folder_artworks import COLUMNS
from retrievals_pipeline.defs.records.paths import ARTWORKS
from retrievals_pipeline.defs.records.verification import check_rows
from retrievals_serving.errors import SourceError
from retrievals_serving.store import Store
from tests.records.folders import add, describe, remarks, summarize, works


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
