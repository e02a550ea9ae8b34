"""A museum in trouble is left alone; a few bad pictures stop nobody."""

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler

import pytest

from retrievals_pipeline.defs.images.fetcher import MAX_ATTEMPTS, Fetcher
from retrievals_pipeline.defs.images.host import FEW, MAX_IN_A_ROW, MAX_SILENCE
from retrievals_pipeline.defs.images.ledger import Ledger
from retrievals_pipeline.defs.images.limiter import FIRST_RATE, GAIN
from retrievals_pipeline.defs.images.shard import FAILED_AGAIN
from retrievals_pipeline.defs.images.transport import THREADS
from retrievals_pipeline.defs.images.works import Work
from retrievals_serving.errors import SourceError, SourceUnavailable
from retrievals_serving.store import Store
from tests.images.conftest import (
    SHARD,
    FakeClock,
    Museum,
    Respond,
    body,
    download,
    hang_up,
    jpeg,
    status,
    stranger,
    work,
)


@pytest.mark.parametrize("code", [403, 404, 410])
def test_a_museum_that_shows_nothing_is_left_alone(museum: Museum, store: Store, code: int) -> None:
    works = [work(museum, f"{n:03d}", status(code)) for n in range(3 * MAX_IN_A_ROW)]
    with pytest.raises(
        SourceError, match=rf"showed none of 32 works in a row.*HTTP {code}.*build --revalidate"
    ) as caught:
        download(store, works, fetcher=stranger(museum))
    assert not isinstance(caught.value, SourceUnavailable)  # nothing to try again in a minute
    assert len(museum.asked_at) < MAX_IN_A_ROW + THREADS
    for n in range(len(works)):
        work(museum, f"{n:03d}", body(jpeg(n)))
    assert download(store, works, revalidate=True).statuses == {"ok": len(works)}


def test_a_museum_that_shuts_us_out_is_not_asked_faster(museum: Museum, store: Store) -> None:
    works = [work(museum, f"{n:03d}", status(403)) for n in range(MAX_IN_A_ROW - 1)]
    fetcher = stranger(museum)
    download(store, works, fetcher=fetcher)
    gained_by_robots_txt = GAIN / FIRST_RATE
    assert fetcher._hosts[museum.address].limiter.rate == FIRST_RATE + gained_by_robots_txt


def test_refusals_neither_hide_that_a_museum_is_down_nor_stop_one_that_serves(
    museum: Museum, store: Store
) -> None:
    works = [work(museum, f"a{n:03d}", status(500 if n % 3 else 403)) for n in range(90)]
    with pytest.raises(SourceUnavailable, match="works in a row"):
        download(store, works)
    served = [
        work(museum, f"b{n:03d}", body(jpeg(n)) if n % 8 == 0 else status(403)) for n in range(150)
    ]
    assert download(store, served, shard="1-of-2").statuses == {"ok": 19, "forbidden": 131}


@pytest.mark.parametrize("answer", [status(500), status(503), hang_up])
def test_a_museum_that_is_down_ends_the_run_and_what_is_done_is_kept(
    museum: Museum, store: Store, answer: Respond
) -> None:
    works = [work(museum, "a", body(jpeg()))]
    works += [work(museum, f"b{n:03d}", answer) for n in range(5 * MAX_IN_A_ROW)]
    with pytest.raises(SourceUnavailable, match=r"3\d works in a row of http://127.*What is"):
        download(store, works, fetcher=stranger(museum))
    rows = Ledger(store, SHARD).rows
    assert rows.pop("nga:a").status == "ok"
    # Also those whose retries the end cut short; not those that had no answer yet.
    assert MAX_IN_A_ROW <= len(rows) < MAX_IN_A_ROW + THREADS
    assert len(museum.asked_at) < (MAX_IN_A_ROW + THREADS) * MAX_ATTEMPTS


def after(seconds: float, museum: Museum, answer: Respond) -> Respond:
    """Answer when so many seconds of the museum's clock are over."""

    def respond(handler: BaseHTTPRequestHandler) -> None:
        museum.clock._sleep_until(museum.clock.now() + seconds)
        answer(handler)

    return respond


def test_a_museum_that_goes_dark_ends_the_run_within_minutes(museum: Museum, store: Store) -> None:
    """Each request costs half a minute, and soon one at a time is made."""
    works = [work(museum, f"a{n:03d}", body(jpeg(n))) for n in range(60)]
    works += [work(museum, f"b{n:03d}", after(30, museum, status(408))) for n in range(99)]
    with pytest.raises(SourceUnavailable, match=r"answered nothing for \d{3} s, the last with"):
        download(store, works, fetcher=stranger(museum))
    last_good = max(asked.at for asked in museum.log if asked.path.startswith("/a"))
    assert MAX_SILENCE < museum.clock.time - last_good < 3 * MAX_SILENCE


def test_pictures_on_which_a_museum_hangs_end_no_run(museum: Museum, store: Store) -> None:
    works = [work(museum, str(n), after(100, museum, status(408))) for n in range(FEW - 1)]
    assert download(store, works, fetcher=stranger(museum)).statuses == {"timeout": FEW - 1}
    assert museum.clock.time > MAX_SILENCE


def test_a_few_works_that_fail_again_and_again_are_no_museum_that_is_down(
    museum: Museum, store: Store
) -> None:
    bad = [work(museum, str(n), status(500)) for n in range(MAX_IN_A_ROW - 1)]
    assert len(bad) * MAX_ATTEMPTS > 4 * MAX_IN_A_ROW
    assert download(store, bad).statuses == {"server_error": len(bad)}


def test_a_museum_with_a_stretch_of_bad_pictures_is_built_to_its_end(
    museum: Museum, store: Store
) -> None:
    works = [work(museum, f"a{n:03d}", status(500)) for n in range(4 * MAX_IN_A_ROW)]
    works += [work(museum, f"b{n:03d}", body(jpeg(n))) for n in range(20)]
    runs = 0
    for _ in range(5):
        runs += 1
        try:
            summary = download(store, works)
        except SourceUnavailable:
            continue
        break
    assert 1 < runs < 5
    assert summary.statuses == {"server_error": 4 * MAX_IN_A_ROW, "ok": 20}


@pytest.fixture
def bad(museum: Museum, store: Store) -> list[Work]:
    """Many works that failed before, and fail."""
    works = [work(museum, f"a{n:03d}", status(500)) for n in range(3 * MAX_IN_A_ROW)]
    for n in range(0, len(works), 16):  # so few at a time that the museum does not seem to be down
        download(store, works[n : n + 16])
    museum.log.clear()
    return works


def names_asked(museum: Museum) -> list[str]:
    return [asked.path.split("/")[1] for asked in museum.log]


def test_pictures_that_fail_every_day_do_not_fail_every_build(
    museum: Museum, store: Store, bad: list[Work]
) -> None:
    asked_for_new = threading.Barrier(9)
    all_new_are_asked_for = threading.Event()
    in_time = []

    def show(handler: BaseHTTPRequestHandler) -> None:
        asked_for_new.wait(timeout=20)
        all_new_are_asked_for.set()
        body(jpeg(1))(handler)

    def fail(handler: BaseHTTPRequestHandler) -> None:
        in_time.append(all_new_are_asked_for.wait(timeout=5))
        status(500)(handler)

    good = [work(museum, f"b{n}", show) for n in range(9)]
    for one in bad:
        work(museum, one.id.removeprefix("nga:"), fail)
    with Fetcher(clock=FakeClock()) as fetcher:
        summary = download(store, [*bad, *good], fetcher=fetcher)
    assert fetcher.ended is None
    assert summary.statuses == {"ok": 9, "server_error": len(bad)}
    # New works go before those that failed, which have only the threads that are idle: otherwise
    # these would hold all threads, and wait in vain.
    assert all(in_time)
    assert MAX_IN_A_ROW <= len(set(names_asked(museum))) - 9 < len(bad)
    assert (summary.left, summary.left_because) == (len(bad) + 9 - summary.asked, FAILED_AGAIN)


def test_those_that_were_left_have_their_turn_the_next_time(
    museum: Museum, store: Store, bad: list[Work]
) -> None:
    download(store, bad)
    asked = {f"nga:{name}" for name in names_asked(museum)}
    ledger = Ledger(store, SHARD)
    ledger.rows |= {
        id_: replace(ledger.rows[id_], fetched_at=datetime.now(UTC) + timedelta(days=1))
        for id_ in asked
    }
    ledger.close()
    museum.log.clear()
    download(store, bad)
    assert not asked & {f"nga:{name}" for name in names_asked(museum)[:THREADS]}


def test_a_shard_of_known_failures_does_not_stop_the_next_one(
    museum: Museum, store: Store, bad: list[Work]
) -> None:
    good = [work(museum, f"b{n}", body(jpeg(n))) for n in range(9)]
    fetcher = stranger(museum)
    assert download(store, bad, fetcher=fetcher).left > 0
    assert download(store, good, fetcher=fetcher, shard="1-of-2").statuses == {"ok": 9}
