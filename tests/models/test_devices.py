"""Forwards take turns on a device: one at a time, embeddings first, and none waits for ever."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from retrievals_serving.models.devices import Kind, Turns, turns_of


def run(turns: Turns, kinds: Sequence[Kind], at: Callable[[int], None] = lambda _: None) -> str:
    """Queue forwards in this order while the device is taken; return that in which they ran."""
    ran: list[str] = []

    def forward(number: int) -> None:
        with turns.take(kinds[number]):
            ran.append(kinds[number][0])
            at(number)

    with ThreadPoolExecutor(len(kinds)) as pool, turns.take("rerank"):
        for number in range(len(kinds)):
            waiting = pool.submit(forward, number)
            while turns.waiting <= number and not waiting.done():
                threading.Event().wait(0.0005)
    return "".join(ran)


def test_an_embedding_goes_before_reranks_but_not_twice_in_a_row() -> None:
    assert run(Turns(), ["rerank", "rerank", "embed", "embed", "embed"]) == "erere"


def test_of_one_kind_who_came_first_goes_first() -> None:
    turns, order = Turns(), []
    run(turns, ["rerank"] * 6, order.append)
    assert order == list(range(6))


def test_one_forward_is_on_the_device_at_a_time() -> None:
    turns, inside, most = Turns(), [0], [0]

    def work(_: int) -> None:
        for _ in range(50):
            with turns.take("embed"):
                inside[0] += 1
                most[0] = max(most[0], inside[0])
                inside[0] -= 1

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert most == [1]
    assert turns.forwards["embed"] == 400
    assert turns.waiting == 0


def test_a_forward_that_nobody_wants_any_more_is_not_run_and_not_counted() -> None:
    turns = Turns()
    with turns.take("rerank", unless=lambda: True) as is_wanted:
        assert not is_wanted
    with turns.take("rerank", unless=lambda: False) as is_wanted:
        assert is_wanted
    assert turns.forwards == {"rerank": 1}


def test_a_forward_that_fails_gives_the_device_back() -> None:
    turns = Turns()
    with pytest.raises(MemoryError), turns.take("embed"):
        raise MemoryError
    assert run(turns, ["embed"]) == "e"


def test_models_on_one_device_share_its_turns() -> None:
    assert turns_of("cuda:1") is turns_of("cuda:1")
    assert turns_of("cuda:1") is not turns_of("cuda:0")


def test_a_thread_that_has_the_device_goes_on_within_its_turn() -> None:
    turns = Turns()
    with turns.take("embed"), turns.take("embed") as is_wanted:
        assert is_wanted
    assert turns.forwards == {"embed": 1}
    assert run(turns, ["rerank"]) == "r"


class Interrupted(threading.Event):
    """The event of a thread that is interrupted while it waits."""

    def wait(self, timeout: float | None = None) -> bool:  # noqa: ARG002
        raise KeyboardInterrupt


def test_who_is_interrupted_while_waiting_is_given_no_turn(monkeypatch) -> None:
    turns = Turns()
    with turns.take("rerank"), ThreadPoolExecutor(1) as pool:
        with monkeypatch.context() as patch:
            interrupted = SimpleNamespace(Event=Interrupted, get_ident=threading.get_ident)
            patch.setattr("retrievals_serving.models.devices.threading", interrupted)
            waiting = pool.submit(lambda: turns.take("rerank").__enter__())
            assert isinstance(waiting.exception(), KeyboardInterrupt)
        assert turns.waiting == 0
    assert run(turns, ["rerank"]) == "r"
