"""What the store lacks is fetched from the museum, within bounds, and never twice."""

import hashlib
import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from PIL import Image
from starlette.responses import RedirectResponse, StreamingResponse

from retrievals_serving import candidate_pictures
from retrievals_serving.candidate_pictures import AT_ONCE, PAUSE, CandidatePictures
from retrievals_serving.http_client import user_agent
from retrievals_serving.settings import Settings
from retrievals_serving.store import Store, picture_name
from tests.serving.museum import ENDLESS, JPEG, Museum, serve
from tests.serving.small_release import claiming


@dataclass
class Clock:
    """A clock that a test sets."""

    time: float = 1000.0

    def __call__(self) -> float:
        return self.time


@contextmanager
def opened(store: Store, clock: Clock, **settings: Any) -> Iterator[CandidatePictures]:
    pictures = CandidatePictures(store, Settings.load(home=store.root, **settings), clock=clock)
    try:
        yield pictures
    finally:
        pictures.close()


@pytest.fixture
def museum() -> Iterator[Museum]:
    with serve() as museum:
        yield museum


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(autouse=True)
def endless(monkeypatch: pytest.MonkeyPatch) -> None:
    """A round has all the time that a busy machine needs."""
    monkeypatch.setattr(candidate_pictures, "DEADLINE", ENDLESS)


@pytest.fixture
def pictures(store: Store, clock: Clock) -> Iterator[CandidatePictures]:
    with opened(store, clock) as pictures:
        yield pictures


def sha(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def of(pictures: CandidatePictures, *addresses: str, **bounds: Any) -> list[Path | Image.Image]:
    """Ask for the pictures at `addresses`, each under a hash that follows from it."""
    return pictures.of([sha(address) for address in addresses], addresses, **bounds)


def came(pictures: CandidatePictures, *addresses: str, **bounds: Any) -> list[bool]:
    """Tell which of the pictures at `addresses` came; of the others there is the path."""
    answers = of(pictures, *addresses, **bounds)
    for answer, address in zip(answers, addresses, strict=True):
        if isinstance(answer, Path):
            assert answer == pictures._store.path(picture_name(sha(address)))
    return [isinstance(answer, Image.Image) for answer in answers]


def test_what_is_in_the_store_is_not_asked_for(
    pictures: CandidatePictures, museum: Museum, store: Store
) -> None:
    held, lacking = museum.has("held"), museum.has("lacking")
    store.write_bytes(picture_name(sha(held)), JPEG)
    path, picture, again = of(pictures, held, lacking, held)
    assert path == again == store.path(picture_name(sha(held)))
    assert isinstance(picture, Image.Image)
    assert (picture.mode, picture.size) == ("RGB", (40, 30))
    assert museum.requests == {"/lacking": 1}
    assert not store.exists(picture_name(sha(lacking)))


def test_the_store_is_looked_into_once_for_a_picture(
    pictures: CandidatePictures, museum: Museum, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    held, late = museum.has("held"), "simulated/late.jpg"
    store.write_bytes(picture_name(sha(held)), JPEG)
    first = of(pictures, held, late)
    store.write_bytes(picture_name(sha(late)), JPEG)  # what is not there may come
    looked: list[Path] = []
    monkeypatch.setattr(Path, "exists", lambda path: looked.append(path) or True)
    assert of(pictures, held, late) == of(pictures, held, late) == first
    assert looked == [store.path(picture_name(sha(late)))]


def test_a_fetched_picture_is_kept_in_memory(pictures: CandidatePictures, museum: Museum) -> None:
    address = museum.has("a")
    (first,), (second,) = of(pictures, address), of(pictures, address)
    assert first is second
    assert museum.requests == {"/a": 1}


def test_what_was_used_longest_ago_makes_room(
    store: Store, clock: Clock, museum: Museum, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(candidate_pictures, "MEMORY", 2 * 4 * 40 * 30)
    with opened(store, clock) as pictures:
        for name in "abacab":
            assert came(pictures, museum.has(name)) == [True]
    assert museum.requests == {"/a": 1, "/b": 2, "/c": 1}


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


def test_a_picture_is_read_no_further_than_may_be(
    pictures: CandidatePictures, museum: Museum, caplog: pytest.LogCaptureFixture
) -> None:
    museum.answers["/endless"] = lambda: StreamingResponse(itertools.repeat(bytes(1 << 20)))
    assert came(pictures, f"{museum.address}/endless") == [False]
    assert "over 16 MB" in caplog.text


def test_a_museum_that_is_slow_is_not_waited_for_and_then_let_be(
    pictures: CandidatePictures,
    museum: Museum,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(candidate_pictures, "DEADLINE", 0.2)
    slow = [museum.holds_back(str(number)) for number in range(2 * AT_ONCE)]
    assert not any(came(pictures, *slow))
    (warned,) = [each.getMessage() for each in caplog.records]
    assert "none is asked for in the next 30 s" in warned
    monkeypatch.setattr(candidate_pictures, "DEADLINE", ENDLESS)
    assert came(pictures, museum.has("a")) == [False]
    assert museum.requests["/a"] == 0
    clock.time += PAUSE
    assert came(pictures, museum.has("a")) == [True]


def test_what_came_in_time_is_given_although_others_did_not(
    pictures: CandidatePictures, museum: Museum, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = museum.has("kept")
    assert came(pictures, kept) == [True]
    monkeypatch.setattr(candidate_pictures, "DEADLINE", 0.2)
    assert came(pictures, museum.holds_back("slow"), kept) == [False, True]


def test_what_is_needed_sooner_is_waited_for_no_longer_and_the_museum_not_let_be(
    pictures: CandidatePictures, museum: Museum
) -> None:
    slow = museum.holds_back("slow")
    assert came(pictures, slow, until=monotonic() + 0.2) == [False]
    assert came(pictures, museum.has("late"), until=monotonic()) == [False]
    assert museum.requests["/late"] == 0
    assert came(pictures, museum.has("a")) == [True]


def test_nothing_is_fetched_for_those_who_have_left(
    pictures: CandidatePictures, museum: Museum
) -> None:
    address = museum.has("a")
    assert came(pictures, address, cancelled=lambda: True) == [False]
    assert not museum.requests
    assert came(pictures, address) == [True]
    assert came(pictures, address, cancelled=lambda: True) == [True]  # it is remembered


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_museum_in_trouble_is_let_be(
    pictures: CandidatePictures, museum: Museum, clock: Clock, status: int
) -> None:
    busy, well = museum.has("busy", status=status), museum.has("well")
    assert came(pictures, busy, well) == [False, True]  # it answers for some: no trouble
    assert came(pictures, busy) == [False]
    assert came(pictures, busy, museum.has("other")) == [False, False]
    assert museum.requests == {"/busy": 2, "/well": 1}
    clock.time += PAUSE
    assert came(pictures, busy, museum.has("other"), well) == [False, True, True]


def test_a_museum_that_is_down_is_let_be(
    pictures: CandidatePictures,
    museum: Museum,
    clock: Clock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with serve() as other:
        down = other.address
    assert came(pictures, f"{down}/a", f"{down}/b") == [False, False]
    assert "2 of 2 pictures" in caplog.text
    assert came(pictures, museum.has("a")) == [False]
    assert not museum.requests
    clock.time += PAUSE
    assert came(pictures, museum.has("a")) == [True]


def test_a_mirror_is_asked_in_place_of_the_museum(
    store: Store, clock: Clock, museum: Museum
) -> None:
    museum.has("mirror/x1/full/!64,64/0/default.jpg")
    with opened(store, clock, iiif_mirror=f"{museum.address}/mirror/") as pictures:
        address = "https://museum.example/iiif/2/x1/full/!64,64/0/default.jpg"
        assert came(pictures, address) == [True]


def test_only_what_is_on_the_web_is_asked_for(pictures: CandidatePictures) -> None:
    assert came(pictures, "a/b.jpg", "", "file:///etc/hosts", "ftp://127.0.0.1/a") == [False] * 4
    assert pictures._museum is None


def test_an_address_that_cannot_be_is_refused(
    pictures: CandidatePictures, museum: Museum, caplog: pytest.LogCaptureFixture
) -> None:
    assert came(pictures, "http://a:b/", "http://", museum.has("a")) == [False, False, True]
    assert "http://a:b/: Invalid port" in caplog.text


def test_a_few_redirections_are_followed(pictures: CandidatePictures, museum: Museum) -> None:
    museum.has("d")
    for name, target in ("ab", "bc", "cd", "ll"):
        museum.answers[f"/{name}"] = partial(RedirectResponse, f"/{target}")
    assert came(pictures, f"{museum.address}/a", f"{museum.address}/l") == [True, False]
    assert museum.requests["/l"] == 4


def test_this_machine_is_reached_without_a_proxy_and_told_who_asks(
    store: Store, clock: Clock, museum: Museum, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with opened(store, clock, contact="https://example.org/bots") as pictures:
        assert came(pictures, museum.has("a")) == [True]
    assert museum.agents == {user_agent("https://example.org/bots")}
