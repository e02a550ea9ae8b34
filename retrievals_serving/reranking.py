"""The second stage of a search: a reranker looks at the pictures of the best works."""

import logging
from time import monotonic

import numpy as np

from retrievals_serving.cancelling import Cancelled, InFlight, Spared, never
from retrievals_serving.candidate_pictures import CandidatePictures
from retrievals_serving.errors import SearchCancelled
from retrievals_serving.failures import FailureLog
from retrievals_serving.loading import Loaded
from retrievals_serving.models import Reranker, load_reranker
from retrievals_serving.opened import OpenRelease
from retrievals_serving.pages import DEADLINE, PICTURES, RERANKER
from retrievals_serving.ranking import Judgement, Window
from retrievals_serving.settings import Settings
from retrievals_serving.vectors import Bool, Float32, Int64

logger = logging.getLogger(__name__)

Scored = tuple[Float32, tuple[str, ...]]  # a score a picture, NaN where none; words for why


class Judge:
    """Scores the candidates of a search; loads the reranker when the first search needs it.

    Those who ask the same at once share the scores. Safe to use from several threads.

    Attributes:
        name: The checkpoint; of a model that was loaded elsewhere, its class.
        pictures: What it looks at; shared with the judges that `inherit` them.
    """

    def __init__(
        self, opened: OpenRelease, settings: Settings, model: Reranker | str, spared: Spared
    ) -> None:
        """Take a model, or load the checkpoint of that name later; count in `spared`."""
        self.name = model if isinstance(model, str) else type(model).__name__
        self._loaded = Loaded(self._load, None if isinstance(model, str) else model)
        self._opened = opened
        self._settings = settings
        self._spared = spared
        self._failures = FailureLog(logger)
        self.pictures = CandidatePictures(opened.release.store, settings)
        self._in_flight: InFlight[tuple[str, bytes], Scored] = InFlight()

    def inherit(self, before: "Judge") -> None:
        """Go on with the pictures of a judge of the same store, and under its name."""
        self.name = before.name  # which a loaded model does not know
        self.close()
        self.pictures = before.pictures.shared()

    def close(self) -> None:
        """Let go of the connections to the museum."""
        self.pictures.close()

    @property
    def reranker(self) -> Reranker | None:
        """The model; None until it is loaded."""
        return self._loaded.model

    def load(self, *, again: bool = False) -> Reranker:
        """Return the model, loading it on first use; `again` as `Loaded.get` has it.

        Raises:
            ModelError: It cannot be loaded.
        """
        return self._loaded.get(again=again)

    def judge(
        self, query: str, window: Window, *, alpha: float, cancelled: Cancelled = never
    ) -> Judgement:
        """Score the first works of `window`, as far as the time suffices.

        Args:
            query: The text to judge by.
            window: In the order of the vector search.
            alpha: Weight of the scores, 0 to 1.
            cancelled: Whether whoever asked has left.

        Raises:
            SearchCancelled: They have.
        """
        rows = window.rows[: self._settings.candidates]
        scores, degraded = self.scores(query, rows, cancelled)
        is_judged = ~np.isnan(scores)
        return Judgement(
            rows=rows[is_judged].astype(np.int32),
            scores=scores[is_judged],
            candidates=len(rows),
            alpha=alpha,
            degraded=degraded,
        )

    def scores(
        self,
        query: str,
        rows: Int64,
        cancelled: Cancelled = never,
        *,
        deadline: float | None = None,
    ) -> Scored:
        """Score works, the best first, until the deadline; where the model fails, none.

        Args:
            query: The text to judge by.
            rows: Of the works.
            cancelled: Whether whoever asked has left.
            deadline: On the clock `time.monotonic`, s; default: the setting, once the model is
                there.

        Raises:
            SearchCancelled: They have.
        """

        def compute(is_abandoned: Cancelled) -> Scored:
            return self._scores(query, rows, is_abandoned, deadline)

        try:
            if deadline is not None:  # which is of this search alone
                return compute(cancelled)
            return self._in_flight.share((query, rows.tobytes()), compute, cancelled)
        except SearchCancelled:
            raise
        # What a device does wrong has no common ancestor; the order of the vectors stands.
        except Exception as error:  # noqa: BLE001 - which is logged
            self._failures.log(error, f"{self.name} cannot rerank: answers keep the vector order")
            return np.full(len(rows), np.nan, np.float32), (RERANKER,)

    def _load(self) -> Reranker:
        return load_reranker(
            self.name,
            device=self._settings.device,
            dtype=self._settings.dtype,
            max_pixels=self._settings.max_pixels,
        )

    def _scores(
        self, query: str, rows: Int64, cancelled: Cancelled, deadline: float | None
    ) -> Scored:
        reranker = self.load()
        scores = np.full(len(rows), np.nan, np.float32)
        ends = monotonic() + self._settings.rerank_deadline if deadline is None else deadline
        if not cancelled():
            records = self._opened.records
            pictures = self.pictures.of(
                records.picture_hashes(rows), records.picture_addresses(rows), ends, cancelled
            )
            scores = reranker.score(query, pictures, deadline=ends, cancelled=cancelled)
        if cancelled():
            self._spared.add(pictures=int(np.isnan(scores).sum()))
        return scores, left_out(~np.isnan(scores), is_late=monotonic() >= ends)


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
