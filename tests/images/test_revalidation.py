"""Asking a museum whether what is held is still the same costs it no picture."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from retrievals_pipeline.defs.images.download import BAD_DAY
from retrievals_pipeline.defs.images.host import MAX_IN_A_ROW
from retrievals_pipeline.defs.images.ledger import Ledger, LedgerRow
from retrievals_pipeline.defs.images.works import Work
from retrievals_serving.errors import SourceError
from retrievals_serving.store import Store
from tests.images.conftest import (
    SHARD,
    Museum,
    Respond,
    as_if_asked,
    body,
    download,
    jpeg,
    status,
    unless_held,
    work,
)

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
WHEN = ("detail", "http_status", "attempts", "fetched_at")


@pytest.fixture
def held(museum: Museum, store: Store) -> list[Work]:
    """Three works whose pictures were fetched long ago."""
    works = [work(museum, str(n), unless_held(jpeg(n), f'"{n}"')) for n in range(3)]
    download(store, works)
    as_if_asked(store, LONG_AGO)
    museum.log.clear()
    return works


def rows(store: Store) -> dict[str, LedgerRow]:
    return Ledger(store, SHARD).rows


def test_what_is_unchanged_stays_with_a_new_time(
    museum: Museum, store: Store, held: list[Work]
) -> None:
    before = rows(store)
    summary = download(store, held, revalidate=True)
    assert (summary.asked, summary.unchanged, summary.statuses) == (3, 3, {"ok": 3})
    assert {asked.headers["if-none-match"] for asked in museum.log} == {'"0"', '"1"', '"2"'}
    for id_, row in rows(store).items():
        assert row.sha256 == before[id_].sha256
        assert row.fetched_at > LONG_AGO


def test_a_changed_etag_brings_the_new_picture(
    museum: Museum, store: Store, held: list[Work]
) -> None:
    before = rows(store)["nga:1"].sha256
    work(museum, "1", unless_held(jpeg(9), '"new"'))
    assert download(store, held, revalidate=True).unchanged == 2
    assert rows(store)["nga:1"].sha256 != before
    assert rows(store)["nga:1"].etag == '"new"'


@pytest.mark.parametrize("answer", [status(404), status(410)])
@pytest.mark.parametrize("modified", ["2024", "2026"])
def test_what_the_museum_took_away_is_gone_for_good_when_it_is_so_on_another_day(
    museum: Museum, store: Store, held: list[Work], answer: Respond, modified: str
) -> None:
    work(museum, "1", answer)
    works = [held[0], replace(held[1], image_modified=modified), held[2]]
    before = rows(store)["nga:1"].sha256
    for _ in range(2):
        assert download(store, works, revalidate=True).statuses == {"ok": 3}
        assert rows(store)["nga:1"].sha256 == before
    as_if_asked(store, datetime.now(UTC) - BAD_DAY - timedelta(minutes=1))
    for _ in range(2):
        assert download(store, works, revalidate=True).statuses == {"ok": 2, "gone": 1}
        assert rows(store)["nga:1"].detail.endswith("after it had been there")
    assert rows(store)["nga:1"].sha256 is None


def test_a_museum_that_has_nothing_for_a_while_loses_no_picture(
    museum: Museum, store: Store
) -> None:
    works = [work(museum, str(n), unless_held(jpeg(n), f'"{n}"')) for n in range(2 * MAX_IN_A_ROW)]
    download(store, works)
    as_if_asked(store, LONG_AGO)
    before = {id_: row.sha256 for id_, row in rows(store).items()}
    showing, museum.answers = museum.answers, {}
    with pytest.raises(SourceError, match="works in a row"):
        download(store, works, revalidate=True)
    assert {id_: row.sha256 for id_, row in rows(store).items()} == before
    museum.answers = showing
    assert download(store, works).asked == 0
    assert download(store, works, revalidate=True).unchanged == len(works)


BAD_DAYS = [status(500), status(403), body(b"<html>closed today</html>"), body(jpeg()[:-300])]


@pytest.mark.parametrize("answer", BAD_DAYS)
@pytest.mark.parametrize("modified", ["2024", "2026"])
def test_a_bad_day_of_the_museum_costs_no_picture(
    museum: Museum, store: Store, held: list[Work], answer: Respond, modified: str
) -> None:
    before = rows(store)["nga:1"]
    changed = [held[0], replace(held[1], image_modified=modified), held[2]]
    work(museum, "1", answer)
    assert download(store, changed, revalidate=True).statuses == {"ok": 3}
    row = rows(store)["nga:1"]
    assert row.detail.startswith("kept, after ")
    assert row.fetched_at > before.fetched_at
    unharmed = replace(row, **{name: getattr(before, name) for name in WHEN})
    assert unharmed == before
    work(museum, "1", unless_held(jpeg(1), '"1"'))
    assert download(store, changed, revalidate=True).unchanged == 3
    assert not rows(store)["nga:1"].detail


def test_a_record_that_changed_without_its_picture_costs_no_picture(
    store: Store, held: list[Work]
) -> None:
    changed = [replace(held[0], image_modified="2026"), *held[1:]]
    summary = download(store, changed)
    assert (summary.asked, summary.unchanged) == (1, 1)
    assert download(store, changed).asked == 0


def test_a_museum_with_dates_alone_is_asked_by_date(museum: Museum, store: Store) -> None:
    date = "Sat, 21 Nov 2026 12:00:00 GMT"
    works = [work(museum, "1", body(jpeg(), ETag="", Last_Modified=date))]
    download(store, works)
    museum.log.clear()
    work(museum, "1", status(304))
    assert download(store, works, revalidate=True).unchanged == 1
    (asked,) = museum.log
    assert asked.headers["if-modified-since"] == date
    assert "if-none-match" not in asked.headers


def test_a_picture_lost_from_the_store_is_asked_for_whole(store: Store, held: list[Work]) -> None:
    store.remove(store.names("images/*/*")[0])
    assert download(store, held, revalidate=True).unchanged == 2
    assert len(store.names("images/*/*")) == 3


def test_what_was_looked_at_since_the_moment_is_not_asked_again(
    museum: Museum, store: Store, held: list[Work]
) -> None:
    moment = datetime.now(UTC)
    assert download(store, held[:2], revalidate_before=moment).asked == 2
    assert download(store, held, revalidate_before=moment).asked == 1
    assert download(store, held, revalidate_before=moment).asked == 0
    assert len(museum.log) == 3
    replaced = [replace(held[0], image_modified="2026"), *held[1:]]
    assert download(store, replaced, revalidate_before=moment).asked == 1


def test_what_was_kept_in_the_museums_trouble_is_asked_again(
    museum: Museum, store: Store, held: list[Work]
) -> None:
    moment = datetime.now(UTC)
    work(museum, "1", body(b"<html>closed today</html>"))
    download(store, held, revalidate_before=moment)
    work(museum, "1", unless_held(jpeg(1), '"1"'))
    assert download(store, held, revalidate_before=moment).asked == 1
    assert not rows(store)["nga:1"].detail
