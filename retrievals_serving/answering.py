"""From a question to the pages of its answer, stage by stage."""

import dataclasses
import logging
from collections.abc import Iterator
from time import monotonic

import numpy as np

from retrievals_serving import ranking
from retrievals_serving.cancelling import Cancelled, Spared, require_wanted
from retrievals_serving.clock import Clock
from retrievals_serving.conditions import conditions_of, verdicts
from retrievals_serving.cursors import By, Cursor
from retrievals_serving.errors import PictureError, QueryError, ReleaseError, SearchCancelled
from retrievals_serving.failures import FailureLog
from retrievals_serving.pages import Page
from retrievals_serving.paging import Paging
from retrievals_serving.queries import QueryEmbedder
from retrievals_serving.questions import Question
from retrievals_serving.reranking import Judge
from retrievals_serving.settings import Settings
from retrievals_serving.vectors import Float32, Int64

logger = logging.getLogger(__name__)

NO_VECTOR: Float32 = np.empty(0, np.float32)


class Answering:
    """Answers the questions put to one release.

    What fails on the way is left out of the answer, which says so: without a reranker the order is
    that of the vectors, without an embedder the records are searched for the words.
    """

    def __init__(
        self,
        queries: QueryEmbedder,
        paging: Paging,
        judge: Judge | None,
        settings: Settings,
        spared: Spared,
    ) -> None:
        self._queries = queries
        self._paging = paging
        self._judge = judge
        self._settings = settings
        self._spared = spared
        self._failures = FailureLog(logger)

    def pages(
        self, question: Question, cancelled: Cancelled, *, early: bool = False
    ) -> Iterator[Page]:
        """Yield the first page of the answer; if `early`, also before it is reranked.

        Raises:
            SearchCancelled: Whoever asked has left; no forward was begun since.
            PictureError, QueryError: As for `QueryEmbedder.embed`.
            ReleaseError: The embedder is not the one that made the release.
            ModelError: The question is a picture alone, and the embedder failed.
        """
        try:
            yield from self._pages(question, cancelled, early=early)
        except SearchCancelled:
            self._spared.add(searches=1)
            raise

    def rows(self, question: Question, cancelled: Cancelled) -> Int64:
        """Return the rows of the works that can be paged to, in the order of the search.

        Raises:
            SearchCancelled, QueryError: As for `pages`.
        """
        clock = Clock()
        start, vector = self._begin(question, cancelled, clock)
        return self._paging.window(start, vector, clock).rows

    def _pages(self, question: Question, cancelled: Cancelled, *, early: bool) -> Iterator[Page]:
        clock = Clock()
        start, vector = self._begin(question, cancelled, clock)
        window = self._paging.window(start, vector, clock)
        judge, size = self._judge, question.top_k
        if judge and question.rerank and question.to_judge:
            if early:
                yield self._paging.page(start, window, vector, size=size, clock=clock)
            with clock.stage("rerank"):
                judgement = judge.judge(
                    question.to_judge, window, alpha=question.alpha, cancelled=cancelled
                )
            start = dataclasses.replace(start, judgement=judgement)
        page = self._paging.page(start, window, vector, size=size, clock=clock)
        if judge and question.explain and question.text:
            ordered = ranking.rerank(window, start.judgement) if start.judgement else window
            shown = ordered.rows[: page.total]
            page = self._explained(judge, page, question.text, shown, cancelled, clock)
        yield page

    def _begin(
        self, question: Question, cancelled: Cancelled, clock: Clock
    ) -> tuple[Cursor, Float32]:
        """Return where the search begins, and its vector, which is empty if there is none."""
        by: By = "text" if question.image is None else "picture"
        vector = NO_VECTOR
        try:
            with clock.stage("embed"):
                require_wanted(cancelled)
                vector = self._queries.embed(
                    question.input, negative=question.negative, cancelled=cancelled
                )
        except (SearchCancelled, QueryError, PictureError, ReleaseError):
            raise
        # What a device does wrong has no common ancestor. A picture has no words to look for.
        except Exception as error:
            if question.text is None:
                raise
            self._failures.log(
                error, "no embedder: the words of queries are looked for in the records"
            )
            by = "words"
        start = self._paging.begin(
            vector,
            by=by,
            query=question.text,
            negative=question.negative,
            filters=question.filters,
            score_threshold=question.score_threshold,
        )
        return start, vector

    def _explained(
        self, judge: Judge, page: Page, text: str, rows: Int64, cancelled: Cancelled, clock: Clock
    ) -> Page:
        """Return `page` with what its works in `rows` are to each condition of `text`.

        One after another the conditions are judged, until the time for reranking is over again.

        Raises:
            SearchCancelled: Whoever asked has left.
        """
        conditions = conditions_of(text)
        deadline = monotonic() + self._settings.rerank_deadline
        with clock.stage("explain"):
            scored = []
            for each in conditions:
                scored.append(judge.scores(each.text, rows, cancelled, deadline=deadline))
                require_wanted(cancelled)
        scores = np.stack([each for each, _ in scored])
        lacks = dict.fromkeys([*page.degraded, *(word for _, words in scored for word in words)])
        results = [
            dataclasses.replace(result, conditions=judged)
            for result, judged in zip(page.results, verdicts(conditions, scores), strict=True)
        ]
        return dataclasses.replace(
            page,
            results=results,
            timings=dict(clock.stages),
            latency_ms=clock.elapsed(),
            degraded=tuple(lacks),
        )
