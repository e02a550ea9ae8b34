"""From the cosines of a vector search, and what a reranker thought, to ranked results.

The vector search gives a window, best first, of which a reranker may judge the first works, the
candidates. An answer then has two parts:

1. The works that were judged, by `alpha * rerank_score + (1 - alpha) * vector_score`, equal scores
   in the order of ids.
2. All others, in the order and with the score of the vector search: first the candidates that were
   not judged, because the time was over or their picture cannot be read, then what was none.

The parts are not mixed by score: a judgement and a cosine have different scales, and a work that
nobody judged would pass those that were, or fall behind them, by its scale alone. Candidates are
judged best first, so that those whom a deadline leaves out had no higher vector score than those
before them. Where the second part begins the score can rise; the rank is the order.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from retrievals_serving.pages import Result
from retrievals_serving.vectors import Float32, Float64, Int32, Int64


@dataclass(frozen=True, eq=False)
class Window:
    """The works that an answer can be paged to, best first.

    Attributes:
        rows: int64 (works,); they are in the order of the works' ids.
        vector_scores: float32 (works,), 0 to 1.
        rerank_scores: float32 (works,), 0 to 1; NaN where there is none.
        scores: float64 (works,), 0 to 1.
        best: The highest vector score that was found, before a threshold; None if nothing was.
    """

    rows: Int64
    vector_scores: Float32
    rerank_scores: Float32
    scores: Float64
    best: float | None


@dataclass(frozen=True, eq=False, kw_only=True)
class Judgement:
    """What a reranker thought of the candidates of a window, and how much that counts.

    Attributes:
        rows: int32 (judged,), of the candidates that it gave a score.
        scores: float32 (judged,), 0 to 1.
        candidates: How many there were.
        alpha: Weight of the scores against the vector scores, 0 to 1.
        degraded: Why not all candidates have one, see `pages.Page`.
    """

    rows: Int32
    scores: Float32
    candidates: int
    alpha: float
    degraded: tuple[str, ...] = ()

    @property
    def coverage(self) -> float | None:
        """Share of the candidates that have a score; None where there are no candidates."""
        return len(self.rows) / self.candidates if self.candidates else None


def rank(
    cosines: Float32, rows: Int64, *, size: int, score_threshold: float, without: int | None
) -> Window:
    """Return the first `size` works that score `score_threshold` or more, leaving one row out.

    `cosines` and `rows` have shape (found,) and the order of the vector search, which stays. The
    vector score is the cosine, and 0 where that is negative: a fixed map, so that a threshold means
    the same for every query. Float16 vectors can exceed a cosine of 1 by rounding; it stops there.
    """
    scores = np.clip(cosines, 0, 1)
    kept = scores >= score_threshold
    if without is not None:
        kept &= rows != without
    kept_scores = scores[kept][:size]
    return Window(
        rows=rows[kept][:size],
        vector_scores=kept_scores,
        rerank_scores=np.full_like(kept_scores, np.nan),
        scores=kept_scores.astype(np.float64),
        best=float(scores[0]) if len(scores) else None,
    )


def told(scores: Float32, rows: Int64) -> Window:
    """Return works that their records tell of, best first, none of which has a vector score."""
    return Window(
        rows=rows,
        vector_scores=np.zeros_like(scores),
        rerank_scores=np.full_like(scores, np.nan),
        scores=scores.astype(np.float64),
        best=None,
    )


def rerank(window: Window, judgement: Judgement) -> Window:
    """Return `window`, in the order of the vector search, in that of its judgement."""
    given = dict(zip(judgement.rows.tolist(), judgement.scores, strict=True))
    rerank_scores = np.array([given.get(row, np.nan) for row in window.rows.tolist()], np.float32)
    is_judged = ~np.isnan(rerank_scores)
    scores = np.where(
        is_judged,
        judgement.alpha * rerank_scores.astype(np.float64) + (1 - judgement.alpha) * window.scores,
        window.scores,
    )
    judged, others = np.flatnonzero(is_judged), np.flatnonzero(~is_judged)
    best_first = judged[np.lexsort((window.rows[judged], -scores[judged]))]
    order = np.concatenate([best_first, others])
    return Window(
        rows=window.rows[order],
        vector_scores=window.vector_scores[order],
        rerank_scores=rerank_scores[order],
        scores=scores[order],
        best=window.best,
    )


def results(window: Window, records: Sequence[dict[str, Any]], *, offset: int) -> list[Result]:
    """Return the results from rank `offset` + 1 on; `records` are those of their works."""
    return [
        Result(
            rank=place + 1,
            score=float(window.scores[place]),
            vector_score=float(window.vector_scores[place]),
            rerank_score=_number(window.rerank_scores[place]),
            **record,
        )
        for place, record in enumerate(records, offset)
    ]


def _number(score: np.float32) -> float | None:
    return None if np.isnan(score) else float(score)
