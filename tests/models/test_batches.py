"""Batches: prepared ahead, like lengths together, bounded, and none lost with a bad neighbour."""

import itertools
import os
import signal
import threading
import time
import weakref

import numpy as np
import pytest
import torch

from retrievals_serving.errors import ModelError, PictureError
from retrievals_serving.models.batches import Budget, ahead, embed

DIMENSION = 3


class Device:
    """Stands in for a model on a device: the vector of a number is that number, three times."""

    def __init__(self, capacity=10**9):
        self.capacity = capacity
        self.batches = []

    def forward(self, batch):
        if sum(batch) > self.capacity:
            raise torch.OutOfMemoryError("CUDA out of memory")
        self.batches.append(list(batch))
        return np.array([[number] * DIMENSION for number in batch], np.float32)


def prepare(number):
    if number == 13:
        raise PictureError("thirteen.jpg cannot be embedded")
    return number


def length(number):
    if number == 12:
        raise PictureError("twelve.jpg cannot be embedded")
    return number


def run(numbers, device, budget=None):
    stream = embed(
        numbers,
        length=length,
        prepare=prepare,
        forward=device.forward,
        budget=budget or Budget(100),
    )
    found, failed = {}, {}
    for embedded in stream:
        failed |= embedded.failed
        found |= dict(zip(embedded.places, embedded.embeddings, strict=True))
    return found, failed


def test_every_input_comes_out_at_its_place():
    numbers = np.random.default_rng(1).integers(20, 50, 200).tolist()
    found, failed = run(numbers, Device())
    assert not failed
    assert sorted(found) == list(range(200))
    assert all((found[place] == numbers[place]).all() for place in found)


def test_a_batch_is_within_the_budget_with_padding_and_the_longest_come_first():
    device = Device()
    run([*range(20, 60)], device, Budget(100))
    assert all(len(batch) * max(batch) <= 100 for batch in device.batches)
    assert [number for batch in device.batches for number in batch] == [*range(59, 19, -1)]


def test_an_input_over_the_budget_is_a_batch_of_its_own():
    device = Device()
    run([500, 40, 400], device, Budget(100))
    assert device.batches == [[500], [400], [40]]


def test_what_is_left_after_a_batch_makes_the_same_batches_later():
    """Also when some cannot be read, and are tried again each time."""
    numbers = [*range(6, 40)] * 2 + [12, 13] * 3
    whole = Device()
    run(numbers, whole)
    assert len(whole.batches) > 10
    for done in range(1, len(whole.batches)):
        later = Device()
        left = list(numbers)
        for number in itertools.chain(*whole.batches[:done]):
            left.remove(number)
        run(left, later)
        assert later.batches == whole.batches[done:]


def test_bad_ones_leave_their_batch_to_others():
    device = Device()
    run([20, 20, 13, 13, 13, *[10] * 6], device)
    assert device.batches == [[20, 20, 10, 10, 10], [10, 10, 10]]


def test_one_that_cannot_be_read_fails_alone_by_name():
    found, failed = run([20, 12, 13, 21], Device())
    assert sorted(found) == [0, 3]
    assert {place: str(error)[:6] for place, error in failed.items()} == {1: "twelve", 2: "thirte"}


def test_a_batch_of_nothing_but_bad_ones_is_no_batch():
    device = Device()
    found, failed = run([13, 13, 12], device)
    assert not found
    assert sorted(failed) == [0, 1, 2]
    assert device.batches == []


def test_nothing_is_embedded_of_nothing():
    assert run([], Device()) == ({}, {})


@pytest.mark.parametrize(("capacity", "budget"), [(300, 200), (120, 100), (60, 50), (10**9, 400)])
def test_when_memory_runs_out_batches_are_halved_until_they_fit_and_stay_so(capacity, budget):
    device, found_to_fit = Device(capacity), Budget(400)
    found, _ = run([10] * 300, device, found_to_fit)
    assert sorted(found) == list(range(300))
    assert all((row == 10).all() for row in found.values())
    assert found_to_fit.tokens == budget
    assert {len(batch) for batch in device.batches[4:-1]} == {budget // 10}


def test_what_does_not_fit_alone_is_an_error_that_says_what_to_set():
    with pytest.raises(ModelError, match="RETRIEVALS_MAX_PIXELS"):
        run([40, 50], Device(capacity=45))


def test_no_more_than_two_batches_are_held_prepared():
    """What is alive when a batch is computed: that batch, and the next."""

    class Picture:
        pass

    alive, most = weakref.WeakSet(), [0]

    def make(_):
        picture = Picture()
        alive.add(picture)
        return picture

    def forward(batch):
        most[0] = max(most[0], len(alive))
        return np.zeros((len(batch), DIMENSION), np.float32)

    for _ in embed(
        [*range(300)], length=lambda _: 10, prepare=make, forward=forward, budget=Budget(50)
    ):
        most[0] = max(most[0], len(alive))
    assert 5 <= most[0] <= 10


def test_one_input_alone_is_prepared_in_the_callers_thread():
    threads = []
    stream = embed(
        [1],
        length=lambda _: 10,
        prepare=lambda _: threads.append(threading.current_thread()),
        forward=lambda batch: np.zeros((len(batch), DIMENSION), np.float32),
        budget=Budget(50),
    )
    assert len(list(stream)) == 1
    assert threads == [threading.main_thread()]


def test_inputs_that_are_prepared_in_place_are_prepared_in_the_callers_thread():
    threads = []
    stream = embed(
        [*range(9)],
        length=lambda _: 10,
        prepare=lambda _: threads.append(threading.current_thread()),
        forward=lambda batch: np.zeros((len(batch), DIMENSION), np.float32),
        budget=Budget(50),
        in_place=True,
    )
    assert len(list(stream)) == 2
    assert threads == [threading.main_thread()] * 9


def test_several_texts_wait_for_no_thread_that_prepares_pictures(embedder, jam):
    assert embedder.embed_texts(["a boat", "a horse"]).shape == (2, embedder.dimension)
    assert not any(each.done() for each in jam)


def test_a_batch_is_handed_over_before_the_next_is_computed():
    device = Device()
    for number, _ in enumerate(
        embed([50] * 6, length=length, prepare=prepare, forward=device.forward, budget=Budget(100))
    ):
        assert len(device.batches) == number + 1


def test_a_reader_of_a_stream_who_leaves_has_nothing_more_prepared():
    begun = []
    stream = embed(
        [*range(1000)],
        length=lambda _: 10,
        prepare=lambda number: begun.append(number) or number,
        forward=lambda batch: np.zeros((len(batch), DIMENSION), np.float32),
        budget=Budget(50),
    )
    next(stream)
    stream.close()
    assert len(begun) <= 15


def test_a_forked_process_prepares_with_threads_of_its_own():
    assert list(ahead(prepare, [1, 2])) == [1, 2]
    child = os.fork()
    if child == 0:
        signal.alarm(20)
        os._exit(0 if list(ahead(prepare, [3, 4])) == [3, 4] else 1)
    assert os.waitpid(child, 0)[1] == 0


def test_the_next_batch_is_prepared_while_one_is_computed():
    prepared = threading.Event()

    def signal(number):
        if number == 2:
            prepared.set()
        return number

    def forward(batch):
        if batch == [1]:
            assert prepared.wait(10), "the second batch waits for the first"
        return np.zeros((len(batch), DIMENSION), np.float32)

    stream = embed(
        [1, 2],
        length=lambda _: 10,
        prepare=signal,
        forward=forward,
        budget=Budget(10),
    )
    assert [embedded.places for embedded in stream] == [[0], [1]]


def test_what_is_prepared_ahead_comes_in_order_with_its_errors():
    results = list(ahead(prepare, [*range(40)]))
    assert isinstance(results.pop(13), PictureError)
    assert results == [number for number in range(40) if number != 13]


def test_a_reader_who_leaves_has_nothing_more_prepared():
    begun = []
    results = ahead(lambda number: begun.append(number) or number, [*range(1000)])
    assert next(results) == 0
    results.close()
    assert len(begun) < 100


def test_what_is_not_ready_in_time_is_not_waited_for(jam):
    assert list(ahead(prepare, [1, 2], until=time.monotonic())) == []
    assert not any(each.done() for each in jam)
