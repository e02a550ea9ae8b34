"""How a museum is asked: asserted on the log of a real server, by the clock of the run."""

import threading
from datetime import UTC, datetime
from email.utils import format_datetime
from itertools import pairwise

import pytest

from retrievals_pipeline.defs.images import fetcher as fetching
from retrievals_pipeline.defs.images import transport
from retrievals_pipeline.defs.images.fetcher import MAX_ATTEMPTS, Fetcher
from retrievals_pipeline.defs.images.host import MAX_IN_A_ROW
from retrievals_pipeline.defs.images.ledger import Ledger
from retrievals_pipeline.defs.images.limiter import FIRST_RATE
from retrievals_pipeline.defs.images.retry_after import retry_after
from retrievals_pipeline.defs.images.run_clock import RunClock
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
    status,
    stranger,
    work,
)

ROBOTS = "/robots.txt"


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
    assert 1 <= len(early) <= (40 if is_own else FIRST_RATE)
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


@pytest.mark.parametrize(
    ("wish", "expected"),
    [
        ("5", 5.0),
        ("86400", 86400.0),
        ("Sat, 21 Nov 2026 12:05:00 GMT", 300.0),
        ("Sat, 21 Nov 2026 11:00:00 GMT", 0.0),
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
    works += [work(museum, str(n), answer) for n in range(5 * MAX_IN_A_ROW)]
    with pytest.raises(SourceUnavailable, match=r"3\d requests in a row to http://127.*What is"):
        download(store, works, fetcher=stranger(museum))
    assert Ledger(store, SHARD).rows["nga:a"].status == "ok"
    assert len(pictures(museum)) < 2 * MAX_IN_A_ROW


def test_pictures_that_fail_every_day_do_not_fail_every_build(museum: Museum, store: Store) -> None:
    bad = [work(museum, str(n), status(500)) for n in range(20)]
    good = work(museum, "ok", body(jpeg()))
    for n in range(0, 20, 4):  # so few at a time that the museum does not seem to be down
        download(store, [good, *bad[n : n + 4]])
    museum.requests.clear()
    assert download(store, [good, *bad]).statuses == {"ok": 1, "server_error": 20}
    assert museum.requests.total() < 20 * MAX_ATTEMPTS
    with pytest.raises(SourceUnavailable):
        download(store, [good, *bad, work(museum, "new", status(500))])


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
        for _ in range(100):
            museum.clock.time += transport.MAX_SECONDS / 5
            handler.wfile.write(b"x")  # type: ignore[attr-defined]
            blocks += 1

    museum.answers["/x"] = trickle
    with Fetcher(clock=museum.clock) as fetcher:
        answer = fetcher.fetch(f"{museum.address}/x")
    assert (answer.status, answer.detail) == ("timeout", "not whole after 120 s")


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
    ports: set[int] = set()

    def note(answer: Respond) -> Respond:
        def respond(handler: object) -> None:
            ports.add(handler.client_address[1])  # type: ignore[attr-defined]
            answer(handler)  # type: ignore[arg-type]

        return respond

    no = body(b"<html>no</html>", "text/html", code=403)
    for n, answer in enumerate([body(jpeg()), no, status(404), body(jpeg())]):
        museum.answers[f"/{n}"] = note(answer)
    with Fetcher(clock=museum.clock) as fetcher:
        for n in range(4):
            fetcher.fetch(f"{museum.address}/{n}")
    assert len(ports) == 1


def test_the_museum_is_told_who_asks_and_whom_to_write_to(museum: Museum) -> None:
    with Fetcher(clock=museum.clock, contact="me@example.org") as fetcher:
        fetcher.fetch(f"{museum.address}/1")
    (agent,) = museum.agents
    assert agent.startswith("retrievals/0.")
    assert agent.endswith("; +me@example.org)")
