"""The museum is asked seldom, is not waited for long, and is let be when it wishes it."""

import threading
from time import monotonic

import pytest
from starlette.responses import Response

from retrievals_serving import candidate_pictures
from retrievals_serving.candidate_pictures import AT_ONCE, IN_A_ROW, SHARE, CandidatePictures
from retrievals_serving.http_client import PAUSE, user_agent
from retrievals_serving.store import Store
from tests.serving.candidates.asking import Clock, came, opened
from tests.serving.museum import ENDLESS, JPEG, Museum, serve
from tests.serving.small_release import claiming


def test_eight_are_asked_for_at_once(pictures: CandidatePictures, museum: Museum) -> None:
    addresses = [museum.has(str(number)) for number in range(2 * AT_ONCE)]
    all_are_there = threading.Barrier(AT_ONCE)
    for path, answer in museum.answers.items():
        museum.answers[path] = lambda answer=answer: all_are_there.wait(ENDLESS) < 8 and answer()
    assert all(came(pictures, *addresses))
    assert museum.most_at_work == AT_ONCE


@pytest.mark.parametrize("content", [b"<html>", b"", JPEG[:-200], claiming(20_000), claiming(9000)])
def test_what_cannot_be_used_leaves_the_others_and_is_left_alone_for_a_while(
    pictures: CandidatePictures,
    museum: Museum,
    clock: Clock,
    content: bytes,
    caplog: pytest.LogCaptureFixture,
) -> None:
    bad, good = museum.has("bad", content), museum.has("good")
    assert came(pictures, bad, good) == came(pictures, bad, good) == [False, True]
    assert museum.requests == {"/bad": 1, "/good": 1}
    (warned,) = {record.getMessage() for record in caplog.records if "/bad" in record.getMessage()}
    assert "not asked for in the next 30 s" in warned
    clock.time += PAUSE
    museum.has("bad")
    assert came(pictures, bad) == [True]


def test_a_picture_that_the_museum_lacks_is_no_reason_to_pause(
    pictures: CandidatePictures, museum: Museum
) -> None:
    assert came(pictures, f"{museum.address}/gone") == [False]
    assert came(pictures, f"{museum.address}/gone", museum.has("there")) == [False, True]
    assert museum.requests == {"/gone": 1, "/there": 1}


def test_a_museum_that_is_slow_is_not_waited_for_and_then_let_be(
    pictures: CandidatePictures,
    museum: Museum,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    slow = [museum.holds_back(str(number)) for number in range(2 * AT_ONCE)]
    monkeypatch.setattr(candidate_pictures, "DEADLINE", 0.2)
    # The museum is judged by the time that a request has, not by what a search has left.
    assert not any(came(pictures, *slow, until=monotonic() + 0.3))
    monkeypatch.setattr(candidate_pictures, "DEADLINE", ENDLESS)
    assert not any(came(pictures, *slow[:AT_ONCE]))  # waits for those that were on their way
    warned = [each.getMessage() for each in caplog.records]
    assert len([each for each in warned if "no picture in the next 30 s" in each]) == 1
    assert came(pictures, museum.has("a")) == [False]
    assert museum.requests["/a"] == 0
    clock.time += PAUSE
    assert came(pictures, museum.has("a")) == [True]


def test_a_search_waits_a_third_of_its_time_and_keeps_the_rest(
    pictures: CandidatePictures, museum: Museum, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr(
        candidate_pictures, "wait", lambda _, timeout: waits.append(timeout) or threading.Event()
    )
    for seconds in (0.3, 30.0):
        assert came(pictures, museum.holds_back("slow"), until=monotonic() + seconds) == [False]
        assert 0 < waits.pop() <= SHARE * seconds
    assert came(pictures, museum.holds_back("slow"), until=monotonic() + 600) == [False]
    assert waits == [ENDLESS]


def test_what_comes_too_late_for_one_search_was_asked_for_once_and_serves_the_next(
    pictures: CandidatePictures, museum: Museum
) -> None:
    slow = museum.holds_back("slow")
    for _ in range(2):
        assert came(pictures, slow, until=monotonic() + 0.3) == [False]
    assert came(pictures, museum.has("late"), until=monotonic()) == [False]
    assert museum.requests["/late"] == 0
    museum.goes_on.set()
    assert came(pictures, slow, museum.has("a")) == [True, True]
    assert museum.requests == {"/slow": 1, "/a": 1}


def test_nothing_is_fetched_for_those_who_have_left(
    pictures: CandidatePictures, museum: Museum
) -> None:
    address = museum.has("a")
    assert came(pictures, address, cancelled=lambda: True) == [False]
    assert not museum.requests
    assert came(pictures, address) == [True]
    assert came(pictures, address, cancelled=lambda: True) == [True]  # it is remembered


@pytest.mark.parametrize(
    ("status", "wish", "seconds"),
    [(429, None, PAUSE), (503, None, PAUSE), (429, "5", PAUSE), (503, "300", 300), (500, "60", 60)],
)
def test_a_museum_that_wishes_it_is_let_be_at_once(
    pictures: CandidatePictures,
    museum: Museum,
    clock: Clock,
    status: int,
    wish: str | None,
    seconds: float,
) -> None:
    well, busy = museum.has("well"), f"{museum.address}/busy"
    headers = {"Retry-After": wish} if wish else {}
    museum.answers["/busy"] = lambda: Response(status_code=status, headers=headers)
    assert came(pictures, well) == [True]
    assert came(pictures, busy) == [False]
    clock.time += seconds - 1
    assert came(pictures, busy, museum.has("other"), well) == [False, False, True]
    assert museum.requests == {"/busy": 1, "/well": 1}
    clock.time += 1
    assert came(pictures, museum.has("other")) == [True]


def test_what_waits_to_be_asked_for_is_not_once_the_museum_is_let_be(
    pictures: CandidatePictures, museum: Museum
) -> None:
    busy = [museum.has(str(number), status=429) for number in range(5 * AT_ONCE)]
    assert not any(came(pictures, *busy))
    assert museum.requests.total() <= 2 * AT_ONCE


def test_a_museum_in_trouble_is_let_be_when_nothing_was_answered_between(
    pictures: CandidatePictures, museum: Museum, clock: Clock
) -> None:
    broken = [museum.has(str(number), status=500) for number in range(IN_A_ROW)]
    assert not any(came(pictures, *broken[1:]))
    assert came(pictures, museum.has("well"), broken[1]) == [True, False]
    assert came(pictures, broken[0], museum.has("gone", status=404)) == [False, False]
    assert museum.requests["/1"] == 1  # a picture that did not come is let be for itself
    clock.time += PAUSE
    assert not any(came(pictures, *broken))
    assert came(pictures, museum.has("other")) == [False]
    clock.time += PAUSE
    assert came(pictures, broken[0]) == [False]  # it is still in trouble: one request tells
    assert came(pictures, museum.has("other")) == [False]
    clock.time += PAUSE
    assert came(pictures, museum.has("other")) == [True]


def test_a_museum_that_is_down_is_let_be(
    pictures: CandidatePictures, museum: Museum, clock: Clock
) -> None:
    with serve() as other:
        down = other.address
    assert not any(came(pictures, *(f"{down}/{number}" for number in range(IN_A_ROW))))
    assert came(pictures, museum.has("a")) == [False]
    assert not museum.requests
    clock.time += PAUSE
    assert came(pictures, museum.has("a")) == [True]


def test_this_machine_is_reached_without_a_proxy_and_told_who_asks(
    store: Store, clock: Clock, museum: Museum, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with opened(store, clock, contact="https://example.org/bots") as pictures:
        assert came(pictures, museum.has("a")) == [True]
    assert museum.agents == {user_agent("https://example.org/bots")}
