"""An answer page by page: from the same window for every page, with cursors between them."""

import dataclasses
from typing import Any

import numpy as np

from retrievals_serving import cursors, ranking
from retrievals_serving.clock import Clock
from retrievals_serving.cursors import By, Cursor
from retrievals_serving.errors import CursorExpired, CursorRefused
from retrievals_serving.opened import OpenRelease
from retrievals_serving.pages import EMBEDDER, Page
from retrievals_serving.ranking import Window
from retrievals_serving.relevance import Relevance
from retrievals_serving.settings import Settings
from retrievals_serving.vectors import Float32, Int32


class Paging:
    """Makes the pages of the answers of one release."""

    def __init__(self, opened: OpenRelease, settings: Settings) -> None:
        self._opened = opened
        self._release_id = opened.release.release_id
        self._settings = settings
        self._secret = cursors.secret_of(settings)

    def begin(
        self,
        vector: Float32,
        *,
        by: By,
        query: str | None = None,
        negative: str | None = None,
        filters: dict[str, Any] | None,
        score_threshold: float = 0.0,
        without: int | None = None,
    ) -> Cursor:
        """Return the cursor that stands before the first result of a search."""
        return Cursor(
            release=self._release_id,
            vector=cursors.vector_digest(vector),
            query=query,
            negative=negative,
            by=by,
            filters=filters,
            score_threshold=score_threshold,
            without=without,
            window=self._settings.window,
            more=self._settings.more,
        )

    def resume(self, text: str, vector: Float32) -> Cursor:
        """Return the cursor in `text`, which goes on from a page of `vector`.

        Raises:
            CursorExpired: It belongs to a release that is not served any more.
            CursorRefused: It is forged, or belongs to another vector or other settings.
        """
        cursor = cursors.verify(text, self._secret)
        if cursor.release != self._release_id:
            raise CursorExpired(
                f"cursor: it belongs to release {cursor.release}, and {self._release_id} is "
                "served now; search again."
            )
        if (cursor.window, cursor.more) != (self._settings.window, self._settings.more):
            raise CursorRefused(
                f"cursor: it was made with window {cursor.window} and more {cursor.more}, the "
                f"server now has {self._settings.window} and {self._settings.more}; search again."
            )
        if cursors.vector_digest(vector) != cursor.vector:
            raise CursorRefused(
                "cursor: it belongs to another query_vector; send both as one page gave them."
            )
        return cursor

    def window(self, cursor: Cursor, vector: Float32, clock: Clock) -> Window:
        """Return what can be paged to, in the order of the search."""
        with clock.stage("search"):
            only = self._opened.metadata.rows_matching(cursor.filters) if cursor.filters else None
            if cursor.by == "words":
                return self._told(cursor, only)
            found = cursor.window + (cursor.without is not None)
            cosines, rows = self._opened.index.search(vector[np.newaxis], found, only)
            return ranking.rank(
                cosines[0],
                rows[0],
                size=cursor.window,
                score_threshold=cursor.score_threshold,
                without=cursor.without,
            )

    def _told(self, cursor: Cursor, only: Int32 | None) -> Window:
        """Return the works whose records have words of the query, and none of what it excludes."""
        full_text = self._opened.full_text
        if cursor.negative is not None:
            everything = self._opened.records.count
            _, without = full_text.search(cursor.negative, everything)
            only = np.setdiff1d(np.arange(everything) if only is None else only, without)
        return ranking.told(*full_text.search(cursor.query or "", cursor.window, only))

    def page(
        self, cursor: Cursor, window: Window, vector: Float32, *, size: int, clock: Clock
    ) -> Page:
        """Return the `size` results after `cursor`, in the order that its judgement gives."""
        judgement = cursor.judgement
        if judgement:
            window = ranking.rerank(window, judgement)
        end = min(cursor.offset + size, len(window.rows))
        with clock.stage("metadata"):
            records = self._opened.records.at(window.rows[cursor.offset : end])
        results = ranking.results(window, records, offset=cursor.offset)
        following = dataclasses.replace(cursor, offset=end)
        return Page(
            query=cursor.query,
            negative=cursor.negative,
            results=results,
            total=len(results),
            window=len(window.rows),
            query_vector=vector.tolist(),
            cursor=cursors.sign(following, self._secret) if end < len(window.rows) else None,
            release=cursor.release,
            latency_ms=clock.elapsed(),
            timings=dict(clock.stages),
            degraded=_degraded(cursor),
            rerank_coverage=judgement.coverage if judgement else None,
            relevance=self._relevance(cursor, window, vector),
        )

    def _relevance(self, cursor: Cursor, window: Window, vector: Float32) -> Relevance | None:
        """Judge what a text found; None where it was no text, or nothing was found to judge."""
        if cursor.by != "text" or window.best is None:
            return None
        return self._opened.relevance(vector, window.best)


def _degraded(cursor: Cursor) -> tuple[str, ...]:
    """Return what an answer lacks, the same on each of its pages."""
    lost = (EMBEDDER,) if cursor.by == "words" else ()
    return lost + (cursor.judgement.degraded if cursor.judgement else ())
