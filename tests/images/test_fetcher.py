"""How a museum is asked: asserted on the log of a real server, by the clock of the run."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise

import pytest

from retrievals_pipeline.defs.images import fetcher as fetching
from retrievals_pipeline.defs.images import transport
from retrievals_pipeline.defs.images.fetcher import MAX_ATTEMPTS, Fetcher
from retrievals_pipeline.defs.images.host import MAX_IN_A_ROW
from retrievals_pipeline.defs.images.ledger import Ledger
from retrievals_pipeline.defs.images.limiter import FIRST_RATE, GAIN
from retrievals_pipeline.defs.images.retry_after import LONGEST, retry_after
from retrievals_pipeline.defs.images.run_clock import RunClock, RunEnded
from retrievals_pipeline.defs.images.shard import FAILED_AGAIN, download_shard
from retrievals_pipeline.defs.images.transport import THREADS
from retrievals_pipeline.http import is_own
from retrievals_serving.errors import SourceError, SourceUnavailable
from retrievals_serving.settings import Settings
from retrievals_serving.store import Store
from tests.images.conftest import (
    SHARD,
    FakeClock,
    Museum,
    Respond,
    body,
    claiming,
    download,
    hang_up,
    in_turn,
    jpeg,
    slowly,
    status,
    stranger,
    work,
)

ROBOTS = "/robots.txt"
TOMORROW = datetime.now(UTC) + timedelta(days=1)


def pictures(museum: Museum) -> list[float]:
    """When pictures were asked for."""
    return [asked.at for asked in museum.log if asked.path != ROBOTS]


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
    times = pictures(museum)
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
    early = [at for at in pictures(museum) if at < 400]
    assert 1 <= len(early) <= (40 if is_own else 20)  # as many as were on their way
    assert max(pictures(museum)) >= 400


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
    assert pictures(museum)[1] >= 300


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


def test_a_museum_that_shuts_us_out_is_not_asked_faster_and_then_no_more(
    museum: Museum, store: Store
) -> None:
    works = [work(museum, f"{n:03d}", status(403)) for n in range(3 * MAX_IN_A_ROW)]
    fetcher = stranger(museum)
    with pytest.raises(SourceError, match=r"refused 32 works in a row.*HTTP 403") as caught:
        download(store, works, fetcher=fetcher)
    assert not isinstance(caught.value, SourceUnavailable)  # nothing to try again in a minute
    assert len(pictures(museum)) < MAX_IN_A_ROW + THREADS
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
    assert len(pictures(museum)) < (MAX_IN_A_ROW + THREADS) * MAX_ATTEMPTS


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


def test_pictures_that_fail_every_day_do_not_fail_every_build(museum: Museum, store: Store) -> None:
    bad = [work(museum, f"a{n:03d}", status(500)) for n in range(3 * MAX_IN_A_ROW)]
    for n in range(0, len(bad), 16):  # so few at a time that the museum does not seem to be down
        download(store, bad[n : n + 16])
    good = [work(museum, f"b{n}", body(jpeg(n))) for n in range(9)]
    museum.log.clear()
    with Fetcher(clock=FakeClock()) as fetcher:
        summary = download(store, [*bad, *good], fetcher=fetcher)
        assert summary.statuses == {"ok": 9, "server_error": len(bad)}
        # Before those that failed, of which there is one at most for each idle thread.
        assert [asked.path[1] for asked in museum.log[:THREADS]].count("b") == 9
        assert MAX_IN_A_ROW <= len({asked.path for asked in museum.log}) - 9 < len(bad)
        assert (summary.left, summary.left_because) == (len(bad) + 9 - summary.asked, FAILED_AGAIN)
        assert fetcher.ended is None
    # Those that were left have their turn the next time.
    left = {each.id for each in bad} - {f"nga:{asked.path.split('/')[1]}" for asked in museum.log}
    as_if_asked_now = {row.id for row in Ledger(store, SHARD).rows.values()} - left
    ledger = Ledger(store, SHARD)
    for id_ in as_if_asked_now:
        ledger.rows[id_] = replace(ledger.rows[id_], fetched_at=TOMORROW)
    ledger.close()
    museum.log.clear()
    download(store, [*bad, *good])
    first = {f"nga:{asked.path.split('/')[1]}" for asked in museum.log[:THREADS]}
    assert first <= left


def test_a_shard_of_known_failures_does_not_stop_the_next_one(museum: Museum, store: Store) -> None:
    bad = [work(museum, f"a{n:03d}", status(500)) for n in range(3 * MAX_IN_A_ROW)]
    for n in range(0, len(bad), 16):
        download(store, bad[n : n + 16])
    good = [work(museum, f"b{n}", body(jpeg(n))) for n in range(9)]
    fetcher = stranger(museum)
    assert download(store, bad, fetcher=fetcher).left > 0
    assert download(store, good, fetcher=fetcher, shard="1-of-2").statuses == {"ok": 9}


def test_connections_are_shared_by_all_shards_of_a_run(museum: Museum, store: Store) -> None:
    with Fetcher(clock=FakeClock()) as fetcher:
        for shard in range(3):
            names = [f"{shard}-{n}" for n in range(2 * THREADS)]
            download_shard(
                store,
                f"{shard}-of-3",
                [work(museum, name, slowly(0.02, body(jpeg()))) for name in names],
                fetcher=fetcher,
                mirror=None,
                advance=lambda _: None,
            )
    assert len(museum.ports) <= THREADS


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


def test_an_answer_that_never_ends_is_given_up(
    museum: Museum, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "MAX_ATTEMPTS", 1)
    blocks = 0

    def trickle(handler: object) -> None:
        nonlocal blocks
        body(b"", declared=10**6)(handler)  # type: ignore[arg-type]
        with suppress(OSError):
            for _ in range(100):
                museum.clock.time += transport.MAX_SECONDS / 5
                handler.wfile.write(b"x")  # type: ignore[attr-defined]
                blocks += 1
                time.sleep(0.01)  # so that it is read before the next one is written

    museum.answers["/x"] = trickle
    with Fetcher(clock=museum.clock) as fetcher:
        answer = fetcher.fetch(f"{museum.address}/x")
    assert (answer.status, answer.detail) == ("timeout", "not whole after 120 s")
    assert blocks < 20


@pytest.mark.parametrize("when", ["before", "within"])
def test_the_end_of_a_run_frees_who_waits_for_an_answer(museum: Museum, when: str) -> None:
    asked, over = threading.Event(), threading.Event()

    def never(handler: object) -> None:
        if when == "within":
            body(b"", declared=10**6)(handler)  # type: ignore[arg-type]
        asked.set()
        over.wait(20)

    museum.answers["/x"] = never
    clock = RunClock()
    with Fetcher(clock=clock) as fetcher, ThreadPoolExecutor(1) as pool:
        answer = pool.submit(fetcher.fetch, f"{museum.address}/x")
        asked.wait(20)
        time.sleep(0.05)
        clock.end(SourceError("over"))
        with pytest.raises(RunEnded):
            answer.result(timeout=5)
        over.set()


@pytest.mark.parametrize("code", [301, 403, 500])
def test_what_comes_with_a_failure_or_a_redirection_is_not_read_without_bound(
    museum: Museum, code: int
) -> None:
    sent = 0

    def endless(handler: object) -> None:
        nonlocal sent
        body(b"", code=code, declared=10**12, Location="/new")(handler)  # type: ignore[arg-type]
        with suppress(OSError):
            for _ in range(64):
                sent += handler.wfile.write(bytes(1 << 20))  # type: ignore[attr-defined]

    museum.answers |= {"/x": in_turn(endless, body(jpeg())), "/new": body(jpeg())}
    with Fetcher(clock=museum.clock) as fetcher:
        answer = fetcher.fetch(f"{museum.address}/x")
    assert (answer.status, sent < 32 << 20) == ("forbidden" if code == 403 else "ok", True)


def test_a_fault_of_the_setup_is_no_fault_of_the_works(
    museum: Museum, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(transport.HEADERS, "Accept", "картины")
    with Fetcher(clock=museum.clock) as fetcher, pytest.raises(UnicodeEncodeError):
        fetcher.fetch(f"{museum.address}/x")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://127.0.0.1:8182/x", True),
        ("http://localhost/x", True),
        ("https://IIIF.example.org:8443/x", True),
        ("http://10.0.0.7/x", True),
        ("https://api.nga.gov/iiif/x", False),
        ("https://iiif.example.org.museum.example/x", False),
        ("nonsense", False),
    ],
)
@pytest.mark.parametrize("own_hosts", ["iiif.example.org, 10.0.0.7,", "IIIF.Example.org,10.0.0.7"])
def test_hosts_of_ones_own_are_those_that_are_named_and_this_machine(
    url: str, expected: bool, own_hosts: str
) -> None:
    assert is_own(url, Settings.load(own_hosts=own_hosts).own_host_names) == expected


def test_connections_are_kept_also_after_failures(museum: Museum) -> None:
    no = body(b"<html>no</html>", "text/html", code=403)
    for n, answer in enumerate([body(jpeg()), no, status(404), body(jpeg())]):
        museum.answers[f"/{n}"] = answer
    with Fetcher(clock=museum.clock) as fetcher:
        for n in range(4):
            fetcher.fetch(f"{museum.address}/{n}")
    assert len(museum.ports) == 1


def test_the_museum_is_told_who_asks_and_whom_to_write_to(museum: Museum) -> None:
    with Fetcher(clock=museum.clock, contact="me@example.org") as fetcher:
        fetcher.fetch(f"{museum.address}/1")
    (agent,) = museum.agents
    assert agent.startswith("retrievals/0.")
    assert agent.endswith("; +me@example.org)")
