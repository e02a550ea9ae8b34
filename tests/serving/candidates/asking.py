"""Asking for the pictures of candidates, on a clock that the test sets."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from retrievals_serving.candidate_pictures import CandidatePictures
from retrievals_serving.settings import Settings
from retrievals_serving.store import Store, picture_name


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
