"""What is asked at once is computed once, and what nobody wants any more is not."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from retrievals_serving.cancelling import Cancelled, InFlight
from retrievals_serving.errors import ModelError, SearchCancelled

Flights = InFlight[str, int]


class Work:
    """A computation that begins when it is asked for, and ends when it is told to."""

    def __init__(self) -> None:
        self.begun, self.end = threading.Event(), threading.Event()
        self.times = 0
        self.was_abandoned: bool | None = None

    def __call__(self, is_abandoned: Cancelled) -> int:
        self.times += 1
        self.begun.set()
        self.end.wait()
        self.was_abandoned = is_abandoned()
        return 7


def followed(flights: Flights, key: str) -> int:
    return len(flights._flights[key].cancelled)


def test_those_who_ask_the_same_at_once_share_one_computation() -> None:
    flights, work = Flights(), Work()
    with ThreadPoolExecutor(5) as pool:
        asked = [pool.submit(flights.share, "boat", work) for _ in range(4)]
        other = pool.submit(flights.share, "horse", lambda _: 9)
        assert other.result() == 9
        while followed(flights, "boat") < 4:
            threading.Event().wait(0.0005)
        work.end.set()
        assert [each.result() for each in asked] == [7, 7, 7, 7]
    assert work.times == 1
    assert flights.share("boat", lambda _: 8) == 8


def test_a_computation_goes_on_for_those_who_stay() -> None:
    flights, work, left = Flights(), Work(), threading.Event()
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(flights.share, "boat", work, left.is_set)
        work.begun.wait()
        second = pool.submit(flights.share, "boat", work)
        while followed(flights, "boat") < 2:
            threading.Event().wait(0.0005)
        left.set()
        work.end.set()
        assert second.result() == 7
        with pytest.raises(SearchCancelled):
            first.result()
    assert work.was_abandoned is False


def test_a_computation_that_all_have_left_is_told_so_and_given_to_nobody_else() -> None:
    flights, work, left = Flights(), Work(), threading.Event()
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(flights.share, "boat", work, left.is_set)
        work.begun.wait()
        left.set()
        work.end.set()
        with pytest.raises(SearchCancelled):
            first.result()
    assert work.was_abandoned is True
    assert flights.share("boat", lambda _: 8) == 8


def test_who_comes_when_it_was_abandoned_begins_again() -> None:
    flights, told, may_end = Flights(), threading.Event(), threading.Event()

    def abandoned(is_abandoned: Cancelled) -> int:
        assert is_abandoned()
        told.set()
        may_end.wait()
        return -1

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(flights.share, "boat", abandoned, lambda: True)
        told.wait()
        assert flights.share("boat", lambda _: 8) == 8
        may_end.set()
        with pytest.raises(SearchCancelled):
            first.result()


def test_what_goes_wrong_is_raised_for_all_and_not_kept() -> None:
    flights, work = Flights(), Work()

    def fail(is_abandoned: Cancelled) -> int:
        work(is_abandoned)
        raise ModelError("out of memory")

    with ThreadPoolExecutor(2) as pool:
        asked = [pool.submit(flights.share, "boat", fail) for _ in range(2)]
        work.begun.wait()
        while followed(flights, "boat") < 2:
            threading.Event().wait(0.0005)
        work.end.set()
        for each in asked:
            with pytest.raises(ModelError, match="out of memory"):
                each.result()
    assert flights.share("boat", lambda _: 8) == 8
