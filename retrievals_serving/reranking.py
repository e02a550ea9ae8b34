"""The second stage of a search: a reranker looks at the pictures of the best works."""

import threading
from time import monotonic

import numpy as np

from retrievals_serving.models import Reranker, load_reranker
from retrievals_serving.opened import OpenRelease
from retrievals_serving.pages import DEADLINE, PICTURES
from retrievals_serving.ranking import Judgement, Window
from retrievals_serving.settings import Settings
from retrievals_serving.store import picture_name
from retrievals_serving.vectors import Bool


class Judge:
    """Scores the candidates of a search; loads the reranker when the first search needs it.

    Attributes:
        name: The checkpoint; of a model that was loaded elsewhere, its class.
        reranker: The model; None until it is loaded.
    """

    def __init__(self, opened: OpenRelease, settings: Settings, model: Reranker | str) -> None:
        """Take a model, or load the checkpoint of that name later."""
        self.name = model if isinstance(model, str) else type(model).__name__
        self.reranker = None if isinstance(model, str) else model
        self._opened = opened
        self._settings = settings
        self._loading = threading.Lock()

    def load(self) -> Reranker:
        """Return the model, loading it on first use.

        Raises:
            ModelError: It cannot be loaded.
        """
        with self._loading:
            if self.reranker is None:
                self.reranker = load_reranker(
                    self.name,
                    device=self._settings.device,
                    dtype=self._settings.dtype,
                    max_pixels=self._settings.max_pixels,
                )
            return self.reranker

    def judge(self, query: str, window: Window, *, alpha: float) -> Judgement:
        """Score the first works of `window` until the deadline, which begins with the model there.

        Args:
            query: The text that was searched for.
            window: In the order of the vector search.
            alpha: Weight of the scores, 0 to 1.

        Raises:
            ModelError: As for `load`; or memory does not suffice for one picture.
        """
        reranker = self.load()
        rows = window.rows[: self._settings.candidates]
        store, hashes = self._opened.release.store, self._opened.records.picture_hashes(rows)
        pictures = [store.path(picture_name(sha)) for sha in hashes]
        deadline = monotonic() + self._settings.rerank_deadline
        scores = reranker.score(query, pictures, deadline=deadline)
        is_judged = ~np.isnan(scores)
        return Judgement(
            rows=rows[is_judged].astype(np.int32),
            scores=scores[is_judged],
            candidates=len(rows),
            alpha=alpha,
            degraded=left_out(is_judged, is_late=monotonic() >= deadline),
        )


def left_out(is_judged: Bool, *, is_late: bool) -> tuple[str, ...]:
    """Return the words for why some candidates were not judged.

    They are judged in their order. So one that was not, before one that was, was reached and its
    picture cannot be read; after the last that was, it is the deadline, once that has passed.
    """
    judged = np.flatnonzero(is_judged)
    reached = len(is_judged)
    if is_late:
        reached = int(judged[-1]) + 1 if len(judged) else 0
    words = []
    if not is_judged[reached:].all():
        words.append(DEADLINE)
    if not is_judged[:reached].all():
        words.append(PICTURES)
    return tuple(words)
