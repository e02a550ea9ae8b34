"""The certificate of an index: what it was measured to find when it was built, and how fast."""

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict

JUDGED = 80  # best works, which are those that are reranked, by which an index is judged


class Measure(BaseModel):
    """What the index found for queries of one kind, under filters of one width.

    Attributes:
        queries: `pictures`, the vectors of works, of which the work itself is no answer; or
            `texts`, titles, descriptions and terms of works, embedded as queries are.
        kept: Share of the works that a filter keeps, 1 where there is none.
        count: How many queries.
        recall: Share of the best works, as exact search finds them, that the index found, by how
            many were asked for. Of works that score the same either is as good.
        p50_ms: Median time of one query for the most of them, alone on its machine; its filter's
            SQL is no part of it.
        p99_ms: What one in a hundred exceeds.
    """

    model_config = ConfigDict(frozen=True)

    queries: Literal["pictures", "texts"]
    kept: float
    count: int
    recall: Mapping[int, float]
    p50_ms: float
    p99_ms: float

    @property
    def name(self) -> str:
        """Its queries and its filter, in words."""
        return self.queries if self.kept == 1 else f"{self.queries}, {self.kept:.1%} kept"


class Certificate(BaseModel):
    """All that was measured, and on what machine the times were taken."""

    model_config = ConfigDict(frozen=True)

    measures: tuple[Measure, ...]
    machine: str

    @property
    def lowest(self) -> float:
        """The lowest recall that was measured, of the best `JUDGED`."""
        return min(each.recall[JUDGED] for each in self.measures)
