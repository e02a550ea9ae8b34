"""A reranker of opinions, on a clock of its own, for the tests of what serving does with it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from retrievals_serving import SearchEngine, Settings
from retrievals_serving.models import Embedder, Input, Reranker
from retrievals_serving.models.contracts import Contract
from retrievals_serving.pages import Result
from tests.serving.small_release import WordEmbedder

WINDOW, CANDIDATES = 40, 20
SECRET = "a secret that is shared by replicas"

Opinion = Callable[[str, str], float]  # of a query and the sha256 of a picture


def opinion(query: str, sha256: str) -> float:
    """An opinion that has nothing to do with the vectors, from 0 to 1."""
    return (int(sha256[:4], 16) * (1 + len(query)) % 65537) / 65536


class FakeReranker:
    """Gives opinions of pictures that are there, each in `seconds`, until the deadline."""

    device = "cpu"
    dtype = "float32"

    def __init__(self, opinion: Opinion = opinion, seconds: float = 0.0) -> None:
        self.contract = Contract({"weights": "opinions"})
        self.opinion = opinion
        self.seconds = seconds
        self.now = 1000.0
        self.asked: list[tuple[str, list[str]]] = []

    def monotonic(self) -> float:
        return self.now

    def score(
        self,
        query: str | Image.Image | Input,
        images: Sequence[Image.Image | Path],
        *,
        instruction: str | None = None,
        deadline: float | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> np.ndarray:
        assert isinstance(query, str)
        assert deadline is not None
        assert instruction is None
        assert cancelled is not None
        paths = [image for image in images if isinstance(image, Path)]
        self.asked.append((query, [path.stem for path in paths]))
        scores = np.full(len(images), np.nan, dtype=np.float32)
        for place, path in enumerate(paths):
            if self.now >= deadline or cancelled():
                break
            self.now += self.seconds
            if path.is_file():
                scores[place] = self.opinion(query, path.stem)
        return scores


@contextmanager
def opened(
    home: Path, model: Reranker | None, embedder: Embedder | None = None, **changes: Any
) -> Iterator[SearchEngine]:
    """Open the release of `home` with `model`, or with settings that are changed, as `reranker`."""
    values = {"window": WINDOW, "candidates": CANDIDATES, "page": 8, "more": 5, "secret": SECRET}
    values |= {"reranker": "none", "rerank_deadline": 1.5}
    settings = Settings.load(home=home, **(values | changes))
    embedder = embedder or WordEmbedder()
    with SearchEngine.open(settings=settings, embedder=embedder, reranker=model) as engine:
        yield engine


def picture(result: Result) -> str:
    """The sha256 of a result's picture."""
    return result.thumbnail_url.rpartition("/")[2]
