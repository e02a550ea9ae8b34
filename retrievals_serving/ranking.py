"""From the cosines of a vector search to ranked results."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from retrievals_serving.pages import Result
from retrievals_serving.vectors import Float32, Int64


@dataclass(frozen=True)
class Window:
    """The works that an answer can be paged to, best first.

    Attributes:
        rows: int64 (works,).
        vector_scores: float32 (works,), 0 to 1.
    """

    rows: Int64
    vector_scores: Float32


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
    return Window(rows[kept][:size], scores[kept][:size])


def results(window: Window, records: Sequence[dict[str, Any]], *, offset: int) -> list[Result]:
    """Return the results from rank `offset` + 1 on; `records` are those of their works."""
    scores = window.vector_scores[offset : offset + len(records)].tolist()
    return [
        Result(rank=place, score=score, vector_score=score, rerank_score=None, **record)
        for place, (score, record) in enumerate(zip(scores, records, strict=True), offset + 1)
    ]
