"""What failed is left alone for a while; then one caller tries, and the others wait for it."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from retrievals_serving.cache.breaker import Breaker
from tests.serving.timer import Timer

PAUSE = 5.0


@pytest.fixture
def timer() -> Timer:
    return Timer()


@pytest.fixture
def breaker(timer: Timer) -> Breaker:
    return Breaker(PAUSE, timer=timer)


def test_everyone_is_let_through_while_all_is_well(breaker: Breaker) -> None:
    for _ in range(3):
        assert breaker.lets_through()
        assert not breaker.succeed()
    assert breaker.is_closed


def test_nobody_is_let_through_after_a_failure_until_the_pause_is_over(
    breaker: Breaker, timer: Timer
) -> None:
    assert breaker.lets_through()
    assert breaker.fail()
    timer.now += PAUSE - 0.001
    assert not breaker.lets_through()
    assert not breaker.is_closed
    timer.now += 0.001
    assert breaker.lets_through()


def test_one_of_many_callers_tries_again(breaker: Breaker, timer: Timer) -> None:
    breaker.fail()
    timer.now += PAUSE
    with ThreadPoolExecutor(8) as pool:
        tries = list(pool.map(lambda _: breaker.lets_through(), range(200)))
    assert tries.count(True) == 1
    assert not breaker.is_closed


def test_its_success_lets_everyone_through(breaker: Breaker, timer: Timer) -> None:
    breaker.fail()
    timer.now += PAUSE
    assert breaker.lets_through()
    assert breaker.succeed()
    assert breaker.is_closed
    assert breaker.lets_through()
    assert breaker.lets_through()


def test_its_failure_begins_another_pause(breaker: Breaker, timer: Timer) -> None:
    breaker.fail()
    timer.now += PAUSE
    assert breaker.lets_through()
    timer.now += 1
    assert not breaker.fail()
    timer.now += PAUSE - 1
    assert not breaker.lets_through()
    timer.now += 1
    assert breaker.lets_through()


def test_another_caller_tries_when_one_never_says_what_came_of_it(
    breaker: Breaker, timer: Timer
) -> None:
    breaker.fail()
    timer.now += PAUSE
    assert breaker.lets_through()
    timer.now += PAUSE
    assert breaker.lets_through()


def test_a_success_that_began_before_the_failure_closes_nothing(breaker: Breaker) -> None:
    assert breaker.lets_through()
    assert breaker.lets_through()
    breaker.fail()
    assert not breaker.succeed()
    assert not breaker.lets_through()
