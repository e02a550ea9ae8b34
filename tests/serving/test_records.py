"""What a release shows is found by row, and a row by the id of its work."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from retrievals_serving.engine import SearchEngine
from retrievals_serving.errors import ReleaseError, UnknownArtwork
from retrievals_serving.records import Records, write_table
from retrievals_serving.release import RECORDS

# As DuckDB orders them: by their bytes. Of the last two one is beyond 16 bits.
IDS = ["a", "a:1", "a:10", "a:2", "b", "é", "日", "\uffee", "\U0001f5bc"]


@pytest.fixture
def shown(engine: SearchEngine) -> Records:
    return Records(engine.release.path(RECORDS))


def test_records_come_in_the_order_of_the_rows(
    shown: Records, records: list[dict[str, Any]]
) -> None:
    rows = [7, 0, 59, 7]
    found = shown.at(rows)
    assert [each["title"] for each in found] == [records[row]["title"] for row in rows]
    assert found[0]["thumbnail_url"].startswith("/thumbnails/")
    assert [each["thumbnail_url"][12:] for each in found] == shown.picture_hashes(rows)
    assert shown.at([]) == shown.picture_hashes([]) == []


def test_where_a_picture_came_from_is_found_by_row(
    shown: Records, records: list[dict[str, Any]]
) -> None:
    assert shown.picture_addresses([7, 0]) == [records[row]["image_url"] for row in (7, 0)]


def test_texts_come_in_the_order_of_the_rows_however_many_are_read_at_once(
    shown: Records, records: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("retrievals_serving.records.BATCH", 7)
    expected = [(record["title"], record["artist"]) for record in records]
    assert list(shown.texts(("title", "artist"))) == expected


def test_every_id_leads_to_its_row(tmp_path: Path, records: list[dict[str, Any]]) -> None:
    works = zip(IDS, records[: len(IDS)], strict=True)
    table = [record | {"id": id_, "image_sha256": id_} for id_, record in works]
    write_table(pa.Table.from_pylist(table), tmp_path / RECORDS)
    shown = Records(tmp_path / RECORDS)
    assert [shown.row_of(id_) for id_ in IDS] == list(range(len(IDS)))
    for nobodys in ("", "A", "a:11", "zzz", "\U0001f5bd", "a:1 "):
        with pytest.raises(UnknownArtwork, match="no work of this release"):
            shown.row_of(nobodys)


def test_after_it_was_closed_it_says_so(shown: Records) -> None:
    shown.close()
    for ask in (shown.at, shown.picture_hashes, shown.picture_addresses, shown.texts):
        with pytest.raises(ReleaseError, match="was closed"):
            ask([0])
