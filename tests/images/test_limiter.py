"""A host is asked slowly at first, faster while it answers with ease, and less when it cannot."""

import pytest

from retrievals_pipeline.defs.images.limiter import (
    FIRST_RATE,
    HIGHEST_RATE,
    LOWEST_RATE,
    SLOW,
    Limiter,
)
from retrievals_pipeline.defs.images.run_clock import RunEnded
from retrievals_serving.errors import SourceError
from tests.images.conftest import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def ask(limiter: Limiter, times: int = 1, *, strained: bool = False) -> None:
    for _ in range(times):
        with limiter.turn() as turn:
            turn.strained, turn.welcome = strained, not strained


def asked_in(clock: FakeClock, limiter: Limiter, seconds: float) -> int:
    """How many requests are made in `seconds` by one who never pauses."""
    end, count = clock.time + seconds, 0
    while clock.time < end:
        ask(limiter)
        count += 1
    return count


def test_the_first_second_sees_few_requests(clock: FakeClock) -> None:
    assert asked_in(clock, Limiter(clock), 1) <= FIRST_RATE + 2


def test_the_rate_grows_while_answers_are_good_and_ends_at_its_bound(clock: FakeClock) -> None:
    limiter = Limiter(clock)
    in_minutes = [asked_in(clock, limiter, 60) for _ in range(3)]
    assert in_minutes[0] < in_minutes[1] < in_minutes[2]
    assert in_minutes[2] <= 60 * HIGHEST_RATE + 1
    assert limiter.rate == HIGHEST_RATE


def test_strain_halves_the_rate_and_good_answers_win_it_back(clock: FakeClock) -> None:
    limiter = Limiter(clock)
    asked_in(clock, limiter, 300)
    ask(limiter, strained=True)
    assert limiter.rate == HIGHEST_RATE / 2
    assert asked_in(clock, limiter, 1) <= HIGHEST_RATE / 2 + 2
    asked_in(clock, limiter, 300)
    assert limiter.rate == HIGHEST_RATE


def test_answers_to_what_was_asked_before_a_cut_do_not_cut_again(clock: FakeClock) -> None:
    limiter = Limiter(clock)
    with limiter.turn() as first, limiter.turn() as second:
        first.strained = second.strained = True
    assert limiter.rate == FIRST_RATE / 2


def test_an_answer_that_is_neither_welcome_nor_strain_changes_no_rate(clock: FakeClock) -> None:
    limiter = Limiter(clock)
    for _ in range(20):
        with limiter.turn():
            pass
    assert limiter.rate == FIRST_RATE


def test_the_rate_never_falls_to_nothing(clock: FakeClock) -> None:
    limiter = Limiter(clock)
    ask(limiter, 20, strained=True)
    assert limiter.rate == LOWEST_RATE


def test_a_host_that_answers_slowly_is_asked_less_but_one_slow_answer_costs_nothing(
    clock: FakeClock,
) -> None:
    limiter = Limiter(clock)
    with limiter.turn() as turn:
        clock.time += 2 * SLOW
        turn.welcome = True
    assert limiter.rate > FIRST_RATE
    for _ in range(4):
        with limiter.turn():
            clock.time += 2 * SLOW
    assert limiter.rate < FIRST_RATE


def test_a_pause_holds_every_request_back_also_to_a_host_of_ones_own(clock: FakeClock) -> None:
    for limiter in (Limiter(clock), Limiter(clock, is_own=True)):
        until = clock.time + 300
        limiter.pause(300)
        ask(limiter)
        assert clock.time >= until


def test_a_host_of_ones_own_is_not_paced(clock: FakeClock) -> None:
    limiter = Limiter(clock, is_own=True)
    ask(limiter, 1000)
    ask(limiter, 5, strained=True)
    assert clock.time == 0


def test_a_rate_that_the_host_names_is_never_exceeded(clock: FakeClock) -> None:
    limiter = Limiter(clock)
    limiter.keep_below(0.1)
    ask(limiter, 3, strained=True)
    assert asked_in(clock, limiter, 600) <= 61


def test_a_run_that_has_ended_makes_no_request(clock: FakeClock) -> None:
    limiter = Limiter(clock, is_own=True)
    clock.end(SourceError("over"))
    with pytest.raises(RunEnded):
        ask(limiter)


def test_a_run_ends_before_it_waits_beyond_its_time() -> None:
    clock = FakeClock(seconds=100)
    limiter = Limiter(clock)
    limiter.pause(101)
    with pytest.raises(RunEnded):
        ask(limiter)
    assert clock.time == 0
    assert "100 seconds are over" in str(clock.ended)
