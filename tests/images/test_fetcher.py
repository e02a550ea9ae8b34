"""How a museum is asked: asserted on the log of a real server, by the clock of the run."""

import threading
from datetime import UTC, datetime
from email.utils import format_datetime
from itertools import pairwise

import pytest

from retrievals_pipeline.defs.images import fetcher as fetching
from retrievals_pipeline.defs.images.fetcher import MAX_ATTEMPTS, Fetcher
from retrievals_pipeline.defs.images.ledger import Ledger
from retrievals_pipeline.defs.images.limiter import FIRST_RATE
from retrievals_pipeline.defs.images.run_clock import RunClock
from retrievals_serving.errors import SourceError, SourceUnavailable
from retrievals_serving.retry_after import LONGEST, retry_after
from retrievals_serving.store import Store
from tests.images.conftest import (
    SHARD,
    FakeClock,
    Museum,
    body,
    claiming,
    download,
    hang_up,
    in_turn,
    jpeg,
    status,
    stranger,
    work,
)


def test_every_work_of_a_museum_in_trouble_ends_in_its_row_and_the_good_ones_are_whole(
    museum: Museum, store: Store
) -> None:
    later = in_turn(status(503), status(503), body(jpeg(1)))
    asked_less = in_turn(status(429, Retry_After="90"), body(jpeg(2)))
    answers = {
        "not_found": status(404),
        "forbidden": body(b"<html>no</html>", "text/html", code=403),
        "truncated": body(jpeg()[:-300]),
        "not_an_image": body(b"<html>named .jpg</html>"),
        "too_large": body(claiming(65_000)),
        "refused": status(302, Location="/refused/full/!1024,1024/0/default.jpg"),
        "unreachable": hang_up,
    }
    works = [work(museum, name, answer) for name, answer in answers.items()]
    works += [work(museum, "ok-1", later), work(museum, "ok-2", asked_less)]
    works += [work(museum, f"ok-{n}", body(jpeg(n))) for n in range(3, 40)]
    download(store, works, fetcher=stranger(museum))
    rows = Ledger(store, SHARD).rows
    assert {row.id: row.status for row in rows.values()} == {
        work.id: work.id.removeprefix("nga:").split("-")[0] for work in works
    }
    assert rows["nga:ok-1"].attempts == 3
    assert rows["nga:ok-2"].attempts == 2


def test_no_more_requests_at_once_than_in_a_second(museum: Museum, store: Store) -> None:
    four = threading.Barrier(int(FIRST_RATE))

    def together(handler: object) -> None:
        four.wait(20)
        body(jpeg())(handler)  # type: ignore[arg-type]

    works = [work(museum, str(n), together) for n in range(8)]
    download(store, works, fetcher=stranger(museum))
    assert museum.most_at_work == FIRST_RATE


def test_the_rate_falls_when_the_museum_cannot_follow_and_recovers(museum: Museum) -> None:
    museum.answers["/good"] = body(jpeg())
    museum.answers["/busy"] = in_turn(*[status(503)] * 3, body(jpeg()))
    with stranger(museum) as fetcher:
        for path in ["/good"] * 40 + ["/busy"] + ["/good"] * 200:
            fetcher.fetch(museum.address + path)
    times = museum.asked_at
    gaps = [after - before for before, after in pairwise(times)]
    before, after, at_last = gaps[38], gaps[44], gaps[-1]
    assert after > 4 * before  # three cuts
    assert at_last < after / 3


@pytest.mark.parametrize("is_own", [True, False])
def test_all_threads_leave_a_museum_alone_for_as_long_as_it_wishes(
    museum: Museum, store: Store, is_own: bool
) -> None:
    works = [work(museum, str(n), body(jpeg(n))) for n in range(40)]
    works[0] = work(museum, "0", in_turn(status(429, Retry_After="400"), body(jpeg())))
    fetcher = Fetcher(clock=museum.clock, is_own=lambda _: is_own)
    assert download(store, works, fetcher=fetcher).statuses == {"ok": 40}
    early = [at for at in museum.asked_at if at < 400]
    assert 1 <= len(early) <= (40 if is_own else 20)  # as many as were on their way
    assert max(museum.asked_at) >= 400


def test_a_wish_for_longer_than_a_run_may_wait_ends_it_and_what_is_done_is_kept(
    museum: Museum, store: Store
) -> None:
    works = [work(museum, "a", body(jpeg()))]
    download(store, works)
    works += [work(museum, str(n), status(503, Retry_After="86400")) for n in range(99)]
    with pytest.raises(SourceError, match="wishes to be left alone for 86,400 s") as caught:
        download(store, works, fetcher=stranger(museum))
    assert not isinstance(caught.value, SourceUnavailable)  # nothing to try again in a minute
    assert Ledger(store, SHARD).rows["nga:a"].status == "ok"
    assert len(museum.requests) <= FIRST_RATE + 2


@pytest.mark.parametrize("code", [200, 403, 404, 503])
def test_a_wish_is_heard_whatever_else_the_answer_says(museum: Museum, code: int) -> None:
    museum.answers["/x"] = in_turn(body(jpeg(), code=code, Retry_After="300"), body(jpeg()))
    with stranger(museum) as fetcher:
        fetcher.fetch(f"{museum.address}/x")
        fetcher.fetch(f"{museum.address}/x")
    assert museum.asked_at[1] >= 300


@pytest.mark.parametrize("wish", ["0", "Sat, 21 Nov 2015 12:00:00 GMT"])
def test_a_wish_that_is_over_takes_nothing_off_the_back_off(
    museum: Museum, monkeypatch: pytest.MonkeyPatch, wish: str
) -> None:
    monkeypatch.setattr(fetching.random, "uniform", lambda _, high: high)
    museum.answers["/x"] = status(503, Retry_After=wish)
    with Fetcher(clock=museum.clock) as fetcher:
        fetcher.fetch(f"{museum.address}/x")
    assert [asked.at for asked in museum.log] == [0, 1, 3, 7, 15]


@pytest.mark.parametrize(
    ("wish", "expected"),
    [
        ("5", 5.0),
        ("86400", 86400.0),
        ("Sat, 21 Nov 2026 12:05:00 GMT", 300.0),
        ("Sat, 21 Nov 2026 11:00:00 GMT", 0.0),
        ("9" * 400, LONGEST),
        ("Fri, 31 Dec 9999 23:59:59 GMT", LONGEST),
        ("Fri, 31 Dec 9999 23:59:59 -2300", None),
        ("Fri, 31 Dec 99999999999999999999 23:59:59 GMT", None),
        ("inf", None),
        ("soon", None),
        ("²", None),
        ("", None),
    ],
)
def test_retry_after_is_seconds_or_a_date_by_the_museums_clock(
    wish: str, expected: float | None
) -> None:
    date = format_datetime(datetime(2026, 11, 21, 12, tzinfo=UTC), usegmt=True)
    headers = {"retry-after": wish, "date": date}
    assert retry_after(headers) == expected
    assert retry_after({"retry-after": "5", "date": wish}) == 5.0


@pytest.mark.parametrize("wish", ["9" * 400, "Fri, 31 Dec 9999 23:59:59 -2300"])
def test_no_wish_breaks_a_run(museum: Museum, wish: str) -> None:
    museum.answers["/x"] = status(503, Retry_After=wish)
    with Fetcher(clock=RunClock(seconds=0.5)) as fetcher:
        assert fetcher.fetch(f"{museum.address}/x").status == "server_error"
        assert fetcher.ended is not None


def test_retries_wait_longer_and_longer_by_chance(
    museum: Museum, monkeypatch: pytest.MonkeyPatch
) -> None:
    bounds: list[tuple[float, float]] = []
    monkeypatch.setattr(
        fetching.random, "uniform", lambda low, high: bounds.append((low, high)) or high
    )
    museum.answers["/x"] = status(500)
    with Fetcher(clock=museum.clock) as fetcher:
        answer = fetcher.fetch(f"{museum.address}/x")
    assert (answer.status, answer.attempts) == ("server_error", MAX_ATTEMPTS)
    assert bounds == [(0, 1), (0, 2), (0, 4), (0, 8)]
    assert [asked.at for asked in museum.log] == [0, 1, 3, 7, 15]


def test_an_error_wakes_the_threads_that_wait_for_the_museum(
    museum: Museum, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Ledger, "record", lambda *_: 1 / 0)
    works = [work(museum, str(n), body(jpeg(n))) for n in range(9)]
    works += [work(museum, "wait", status(503, Retry_After="800"))]
    with pytest.raises(ZeroDivisionError):
        download(store, works, fetcher=Fetcher(clock=RunClock()))


def test_a_run_ends_when_its_time_is_over_and_the_next_one_goes_on(
    museum: Museum, store: Store
) -> None:
    works = [work(museum, str(n), body(jpeg(n))) for n in range(60)]
    museum.clock = FakeClock(seconds=5)
    with pytest.raises(SourceError, match="the run's 5 seconds are over"):
        download(store, works, fetcher=stranger(museum))
    done = len(Ledger(store, SHARD).rows)
    assert 10 < done < 60
    museum.requests.clear()
    assert download(store, works).statuses == {"ok": 60}
    assert museum.requests.total() == 60 - done
