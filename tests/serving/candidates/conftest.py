"""A museum, an empty store, and the pictures of candidates from both."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from retrievals_serving import candidate_pictures
from retrievals_serving.candidate_pictures import CandidatePictures
from retrievals_serving.store import Store
from tests.serving.candidates.asking import Clock, opened
from tests.serving.museum import ENDLESS, Museum, serve


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
    """A request has all the time that a busy machine needs."""
    monkeypatch.setattr(candidate_pictures, "DEADLINE", ENDLESS)


@pytest.fixture
def pictures(store: Store, clock: Clock) -> Iterator[CandidatePictures]:
    with opened(store, clock) as pictures:
        yield pictures
