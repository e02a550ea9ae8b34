"""What `artworks` promises of real, dirty records."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from retrievals_pipeline.defs.records.artworks import ArtworksSummary, build_artworks
from retrievals_pipeline.defs.records.paths import ARTWORKS
from retrievals_serving.errors import SourceError
from retrievals_serving.store import Store

Tables = Callable[..., Path]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "home")


def read(folder: Path, store: Store, limit: int | None = None) -> list[dict[str, Any]]:
    summarize(folder, store, limit)
    return pq.read_table(store.path(ARTWORKS)).to_pylist()


def summarize(folder: Path, store: Store, limit: int | None = None) -> ArtworksSummary:
    page = "https://www.nga.gov/artworks/{}"
    return build_artworks(str(folder), store, source="nga", page=page, box=1024, limit=limit)


def test_a_work_carries_its_record_and_addresses(write_tables: Tables, store: Store) -> None:
    (work,) = read(write_tables(), store)
    assert work["id"] == "nga:1"
    assert (work["title"], work["artist"], work["date"]) == ("The Sea", "Ann Painter", "1890")
    assert work["image_url"] == "https://museum.example/iiif/u1/full/!1024,1024/0/default.jpg"
    assert work["artwork_url"] == "https://www.nga.gov/artworks/1"
    assert work["school"] == ["Dutch"]
    assert work["description"] == "A sea."
    assert work["modified"].isoformat() == "2025-01-15T22:01:03.480000"


def test_the_picture_is_the_open_primary_view_of_the_lowest_sequence(
    write_tables: Tables, store: Store
) -> None:
    images = [
        {"uuid": "back", "viewtype": "alternate", "sequence": "0"},
        {"uuid": "second", "sequence": "10"},
        {"uuid": "first", "sequence": "2"},
        {"uuid": "closed", "sequence": "1", "openaccess": "0"},
    ]
    (work,) = read(write_tables(images=images), store)
    assert work["image_uuid"] == "first"


def test_works_without_an_open_primary_picture_are_left_out_and_counted(
    write_tables: Tables, store: Store
) -> None:
    folder = write_tables(
        objects=[{}, {"objectid": "2"}, {"objectid": "3"}, {"objectid": "4"}],
        images=[
            {},
            {"uuid": "u2", "depictstmsobjectid": "2", "openaccess": "0"},
            {"uuid": "u3", "depictstmsobjectid": "3", "viewtype": "alternate"},
            {"uuid": "u9", "depictstmsobjectid": "9"},
            {"uuid": "u4", "depictstmsobjectid": "4", "iiifurl": "file:///etc/passwd"},
            {"uuid": "u4", "depictstmsobjectid": "4", "iiifurl": "https://a.example/iiif/u 4"},
        ],
    )
    summary = summarize(folder, store)
    assert summary.works == 1
    assert summary.dropped == {
        "object without a number": 0,
        "repeated object": 0,
        "image of no known object": 1,
        "image not open": 1,
        "image without a web address": 2,
        "object without an open primary image": 3,
    }


def test_the_schema_before_2025_is_open_where_maxpixels_is_empty(
    write_tables: Tables, store: Store
) -> None:
    folder = write_tables(
        objects=[{}, {"objectid": "2"}],
        images=[{}, {"uuid": "u2", "depictstmsobjectid": "2", "maxpixels": "640"}],
    )
    path = folder / "published_images.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    with path.open("w", encoding="utf-8", newline="") as file:
        columns = [name for name in rows[0] if name != "openaccess"]
        writer = csv.DictWriter(file, columns, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    summary = summarize(folder, store)
    assert summary.works == 1
    assert summary.dropped["image not open"] == 1


def test_a_blank_openaccess_is_not_open(write_tables: Tables, store: Store) -> None:
    folder = write_tables(
        objects=[{}, {"objectid": "2"}],
        images=[{}, {"uuid": "u2", "depictstmsobjectid": "2", "openaccess": ""}],
    )
    assert [work["id"] for work in read(folder, store)] == ["nga:1"]


def test_the_latest_row_is_the_later_moment_whatever_its_offset(
    write_tables: Tables, store: Store
) -> None:
    objects = [
        {"title": "earlier", "lastdetectedmodification": "2025-01-15 17:30:00-04"},
        {"title": "later", "lastdetectedmodification": "2025-01-15 17:01:00-05"},
    ]
    assert [work["title"] for work in read(write_tables(objects=objects), store)] == ["later"]


def test_blank_terms_are_no_terms(write_tables: Tables, store: Store) -> None:
    (work,) = read(write_tables(terms=[{}, {"term": " "}]), store)
    assert work["school"] == ["Dutch"]


def test_dirty_fields_arrive_as_they_are(write_tables: Tables, store: Store) -> None:
    folder = write_tables(
        objects=[
            {"title": 'A "quoted", comma\r\nand a new line', "attribution": "Eugène Boudin"},
            {"objectid": "2", "title": " ", "beginyear": "-550", "endyear": "-500"},
            {"objectid": "3", "displaydate": "166[2?]", "beginyear": "", "endyear": "c."},
        ],
        images=[{"uuid": f"u{n}", "depictstmsobjectid": str(n)} for n in (1, 2, 3)],
    )
    first, second, third = read(folder, store)
    assert first["title"] == 'A "quoted", comma\r\nand a new line'
    assert first["artist"] == "Eugène Boudin"
    assert (second["title"], second["begin_year"], second["end_year"]) == ("Untitled", -550, -500)
    assert (third["date"], third["begin_year"], third["end_year"]) == ("166[2?]", None, None)


def test_a_repeated_object_counts_once_with_its_latest_row(
    write_tables: Tables, store: Store
) -> None:
    objects = [{"title": "old", "lastdetectedmodification": "2020-01-01 00:00:00-05"}, {}]
    assert [work["title"] for work in read(write_tables(objects=objects), store)] == ["The Sea"]


def test_columns_are_read_by_name_whatever_their_order(write_tables: Tables, store: Store) -> None:
    folder = write_tables()
    path = folder / "objects.csv"
    with path.open(encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [*reversed(row), "new column"])
        writer.writeheader()
        writer.writerow(row | {"new column": "?"})
    assert read(folder, store)[0]["title"] == "The Sea"


def test_the_limit_takes_the_first_works_in_numeric_order(
    write_tables: Tables, store: Store
) -> None:
    numbers = ("10", "9", "2")
    folder = write_tables(
        objects=[{"objectid": n} for n in numbers],
        images=[{"uuid": n, "depictstmsobjectid": n} for n in numbers],
    )
    assert [work["id"] for work in read(folder, store, limit=2)] == ["nga:2", "nga:9"]


def test_the_same_records_give_the_same_bytes_and_an_edit_another_hash(
    write_tables: Tables, store: Store
) -> None:
    first = summarize(write_tables(), store).sha256
    assert summarize(write_tables(), store).sha256 == first
    assert summarize(write_tables(objects=[{"title": "The Lake"}]), store).sha256 != first


def drop_column(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("attribution", "painter"), encoding="utf-8")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda path: path.write_bytes(b""), "objects.csv is empty"),
        (lambda path: path.write_text("<!DOCTYPE html><html>"), "objects.csv is not a CSV file"),
        (lambda path: path.write_text("x" * 200_000), "objects.csv is not a CSV file"),
        (drop_column, "objects.csv lacks the needed column attribution"),
        (lambda path: path.unlink(), "objects.csv is missing"),
        (
            lambda path: path.write_text(path.read_text() + '2,"never closed\n'),
            "objects.csv is not a well-formed CSV file",
        ),
        (
            lambda path: path.write_text(
                path.read_text() + "2,a,title,with,too,many,commas,in,it,,,,\n"
            ),
            "objects.csv is not a well-formed CSV file",
        ),
        (
            lambda path: path.write_bytes(path.read_bytes() + b"2,\xff\xfe,,,,,,,,\n"),
            "objects.csv is not a well-formed CSV file",
        ),
    ],
)
def test_a_file_that_cannot_be_used_is_named_and_the_last_good_table_stays(
    write_tables: Tables, store: Store, spoil: Callable[[Path], None], message: str
) -> None:
    folder = write_tables()
    summarize(folder, store)
    good = store.read_bytes(ARTWORKS)
    spoil(folder / "objects.csv")
    with pytest.raises(SourceError, match=message):
        summarize(folder, store)
    assert store.read_bytes(ARTWORKS) == good


def test_records_without_any_work_are_refused(write_tables: Tables, store: Store) -> None:
    with pytest.raises(SourceError, match="no work with an open primary image"):
        summarize(write_tables(images=[{"openaccess": "0"}]), store)
    assert not store.exists(ARTWORKS)
