"""How long the last answers of a server took, each in all and by stage."""

import threading
from collections.abc import Mapping
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

WINDOW = 10_000  # answers
Stage = Literal["embed", "search", "rerank", "total"]
STAGES: tuple[Stage, ...] = ("embed", "search", "rerank", "total")


class Figures(BaseModel):
    """What the times of one stage come to, ms.

    What too few observations would tell is None: p95 of less than 20, p99 of less than 100.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    count: int
    p50: float | None = None
    p95: float | None = None
    p99: float | None = None
    mean: float | None = None
    min: float | None = None
    max: float | None = None


class Observations:
    """The last answers. Safe to use from several threads."""

    def __init__(self, window: int = WINDOW) -> None:
        self._times = np.full((window, len(STAGES)), np.nan)  # ms; NaN where a stage did not run
        self._recorded = 0
        self._lock = threading.Lock()  # guards both

    def record(self, latency_ms: float, stages: Mapping[str, float]) -> None:
        """Take in an answer, in place of the oldest once the window is full.

        Args:
            latency_ms: How long it took in all.
            stages: Time of each stage that ran, ms.
        """
        row = [stages.get(stage, np.nan) for stage in STAGES[:-1]] + [latency_ms]
        with self._lock:
            self._times[self._recorded % len(self._times)] = row
            self._recorded += 1

    def figures(self) -> dict[Stage, Figures]:
        """Return what the times of each stage, and of whole answers, come to."""
        with self._lock:
            times = self._times[: self._recorded].copy()
        return {stage: _figures(times[:, column]) for column, stage in enumerate(STAGES)}


def _figures(times: np.ndarray) -> Figures:
    """Return what `times`, float64 (n,) in ms, come to, without those that are NaN."""
    times = times[~np.isnan(times)]
    count = len(times)
    if count == 0:
        return Figures(count=0)
    p50, p95, p99 = (float(value) for value in np.percentile(times, (50, 95, 99)))
    return Figures(
        count=count,
        p50=p50,
        p95=p95 if count >= 20 else None,
        p99=p99 if count >= 100 else None,
        mean=float(times.mean()),
        min=float(times.min()),
        max=float(times.max()),
    )
