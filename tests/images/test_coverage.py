"""Outcomes gather what is alike, whatever differs from work to work."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from retrievals_pipeline.defs.images import ledger as ledger_module
from retrievals_pipeline.defs.images.coverage import NOT_ASKED, outcomes, rows_of_works
from retrievals_pipeline.defs.images.ledger import LEDGER_DAMAGED, Ledger, LedgerRow
from retrievals_pipeline.defs.images.statuses import FAILURES
from retrievals_pipeline.defs.images.works import Work
from retrievals_pipeline.defs.records.paths import ARTWORKS
from retrievals_serving.errors import ShardError
from retrievals_serving.store import Store
from tests.images.conftest import SHARD, Museum, body, download, jpeg, work


def row(number: int, status: str, detail: str = "") -> LedgerRow:
    return LedgerRow(
        id=f"nga:{number}",
        image_url=f"https://museum.example/{number}.jpg",
        image_modified="",
        status=status,
        detail=detail,
        attempts=1,
        fetched_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


def test_outcomes_come_by_status_and_reason_the_most_frequent_first() -> None:
    rows = [row(n, "ok") for n in range(5)]
    rows += [row(n, "truncated", f"{n}2 bytes: image file is truncated") for n in (7, 8)]
    rows += [row(9, "refused", "HTTP 418 I'm a teapot"), row(10, "refused", "HTTP 406 Never")]
    assert [(found.status, found.detail, found.works) for found in outcomes(rows)] == [
        ("ok", "", 5),
        ("truncated", "… bytes: image file is truncated", 2),
        ("refused", "HTTP 406 Never", 1),
        ("refused", "HTTP 418 I'm a teapot", 1),
    ]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("content type 'text/html'", "content type 'video/mp4'"),
        ("<BytesIO object at 0x7f3a>", "<BytesIO object at 0x81ff>"),
        ("4,200×8 pixels, over 4096 a side", "9,000×9,000 pixels, over 4096 a side"),
    ],
)
def test_particulars_make_no_outcome_of_their_own(one: str, other: str) -> None:
    (found,) = outcomes([row(1, "refused", one), row(2, "refused", other)])
    assert (found.works, found.example) == (2, "nga:1")


@pytest.fixture
def records(store: Store, museum: Museum) -> list[Work]:
    """Four works in the records."""
    works = [work(museum, str(n)) for n in range(1, 5)]
    sides = pa.array([None] * 4, pa.int32())
    columns = {
        "id": [each.id for each in works],
        "image_url": [each.image_url for each in works],
        "image_modified": [each.image_modified for each in works],
        **dict.fromkeys(("width", "height", "max_pixels"), sides),
    }
    with store.replacing(ARTWORKS) as partial:
        pq.write_table(pa.table(columns), partial)
    return works


def test_what_counts_are_the_works_of_the_records_also_of_a_build_at_work(
    museum: Museum, store: Store, records: list[Work]
) -> None:
    museum.answers["/1/full/!1024,1024/0/default.jpg"] = body(jpeg())
    download(store, [*records[:2], work(museum, "left the collection")])
    ledger = Ledger(store, SHARD)
    with ledger.recording() as journal:
        ledger.record(row(3, "timeout", "read timed out"), journal)
    found = {each.status: each.works for each in outcomes(rows_of_works(store, 1))}
    assert found == {"ok": 1, "not_found": 1, "timeout": 1, NOT_ASKED: 1}


@pytest.mark.usefixtures("records")
def test_works_that_nobody_asked_for_are_said_to_be_so(store: Store) -> None:
    (found,) = outcomes(rows_of_works(store, 1))
    assert (found.works, found.detail, found.example) == (4, "not asked yet", "nga:1")


def test_a_build_that_finishes_a_shard_meanwhile_hides_no_row(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    building = Ledger(store, SHARD)
    with building.recording() as journal:
        building.record(row(1, "ok"), journal)
    read, finished = Path.read_text, ledger_module.read_ledger

    def finish_first(path: Path, **options: Any) -> str:
        building.close()
        return read(path, **options)

    def finish_then(*args: Any) -> Any:
        monkeypatch.setattr(ledger_module, "read_ledger", finished)
        table = finished(*args)
        building.close()
        return table

    monkeypatch.setattr(Path, "read_text", finish_first)
    assert set(Ledger(store, SHARD).rows) == {"nga:1"}
    with building.recording() as journal:
        building.record(row(2, "ok"), journal)
    monkeypatch.setattr(Path, "read_text", read)
    monkeypatch.setattr(ledger_module, "read_ledger", finish_then)
    assert set(Ledger(store, SHARD).rows) == {"nga:1", "nga:2"}


def test_a_ledger_of_other_columns_is_read(store: Store) -> None:
    ledger = Ledger(store, SHARD)
    ledger.rows = {"nga:1": row(1, "ok")}
    ledger.close()
    table = pq.read_table(store.path(ledger.name)).drop_columns(["detail", "fetched_url"])
    with store.replacing(ledger.name) as partial:
        pq.write_table(table.append_column("rain", pa.array(["x"])), partial)
    assert Ledger(store, SHARD).rows == {"nga:1": row(1, "ok")}


def test_a_newer_programs_ledger_is_left_as_it_is_until_something_changes(store: Store) -> None:
    ledger = Ledger(store, SHARD)
    ledger.rows = {"nga:1": row(1, "ok")}
    ledger.close()
    newer = pq.read_table(store.path(ledger.name)).append_column("rain", pa.array(["x"]))
    pq.write_table(newer, store.path(ledger.name))
    Ledger(store, SHARD).close()
    assert pq.read_table(store.path(ledger.name)).equals(newer)


def without_status(store: Store) -> None:
    path = store.path(f"ledger/{SHARD}.parquet")
    pq.write_table(pq.read_table(path).drop_columns(["status"]), path)


def cut_short(store: Store) -> None:
    path = store.path(f"ledger/{SHARD}.parquet")
    path.write_bytes(path.read_bytes()[:-20])


def a_folder(store: Store) -> None:
    store.remove(f"ledger/{SHARD}.parquet")
    store.path(f"ledger/{SHARD}.parquet").mkdir()


def journal_of_another_version(store: Store) -> None:
    store.path(f"ledger/{SHARD}.jsonl").write_text('\n{"id": "nga:2"}\n')


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (without_status, r"0-of-1\.parquet has no status: a program of another version wrote it"),
        (journal_of_another_version, r"0-of-1\.jsonl has no image_url, .*of another version"),
        (cut_short, r"0-of-1\.parquet cannot be used: .*[Rr]emove it"),
        (a_folder, r"0-of-1\.parquet cannot be used: .*[Rr]emove it"),
    ],
)
def test_a_ledger_that_cannot_be_used_is_named_with_the_remedy(
    store: Store, records: list[Work], spoil: Callable[[Store], None], said: str
) -> None:
    ledger = Ledger(store, SHARD)
    ledger.rows = {"nga:1": row(1, "ok")}
    ledger.close()
    spoil(store)
    with pytest.raises(ShardError, match=said):
        Ledger(store, SHARD)
    (found,) = outcomes(rows_of_works(store, 1))
    assert (found.status, found.works) == (LEDGER_DAMAGED, len(records))
    assert re.search(said, found.detail)


def test_bytes_of_a_journal_that_say_nothing_are_as_a_line_cut_short(store: Store) -> None:
    store.write_bytes(f"ledger/{SHARD}.jsonl", b"\xff\x00garbage\n{")
    assert Ledger(store, SHARD).rows == {}


def test_the_docs_explain_every_status() -> None:
    text = Path(__file__).parents[2].joinpath("docs/downloads.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", text, re.MULTILINE))
    assert rows.pop("ok")
    assert rows.pop(NOT_ASKED)
    assert rows.pop(LEDGER_DAMAGED)
    assert rows == FAILURES
