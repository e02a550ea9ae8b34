"""Outcomes gather what is alike, whatever differs from work to work."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from retrievals_pipeline.defs.images.coverage import ledger_rows, outcomes
from retrievals_pipeline.defs.images.ledger import FAILURES, Ledger, LedgerRow
from retrievals_serving.store import Store
from tests.images.conftest import Museum, body, download, jpeg, status, work


def row(number: int, status: str, reason: str = "") -> LedgerRow:
    return LedgerRow(
        id=f"nga:{number}",
        image_url=f"https://museum.example/{number}.jpg",
        image_modified="",
        status=status,
        reason=reason,
        attempts=1,
        fetched_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


def test_outcomes_come_by_status_and_reason_the_most_frequent_first() -> None:
    rows = [row(n, "ok") for n in range(5)]
    rows += [row(n, "truncated", f"{n}2 bytes: image file is truncated") for n in (7, 8)]
    rows += [row(9, "refused", "HTTP 418 I'm a teapot"), row(10, "refused", "HTTP 406 Never")]
    assert [(found.status, found.reason, found.works) for found in outcomes(rows)] == [
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


def test_rows_of_a_build_at_work_count(museum: Museum, store: Store) -> None:
    download(store, [work(museum, "1", body(jpeg())), work(museum, "2", status(404))])
    ledger = Ledger(store, "0-of-1")
    with ledger.recording() as journal:
        ledger.record(row(3, "timeout", "read timed out"), journal)
    assert {found.status for found in outcomes(ledger_rows(store, 1))} == {
        "ok", "not_found", "timeout",
    }  # fmt: skip


def test_the_docs_explain_every_status() -> None:
    text = Path(__file__).parents[2].joinpath("docs/downloads.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", text, re.MULTILINE))
    assert rows.pop("ok")
    assert rows == FAILURES
