"""Answers over HTTP: from those that are kept, else from the release that is served."""

import asyncio
import contextvars
import dataclasses
from collections.abc import AsyncGenerator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from dataclasses import fields
from functools import partial
from importlib.metadata import version
from time import perf_counter
from typing import NamedTuple, Self

from pydantic_core import to_json

from retrievals_serving import cursors
from retrievals_serving.api.leaving import Event
from retrievals_serving.api.metrics import Metrics
from retrievals_serving.cache import Cache, request_key
from retrievals_serving.cancelling import Cancelled
from retrievals_serving.engine import SearchEngine
from retrievals_serving.explanations import Explainer
from retrievals_serving.pages import CACHE, EXPLANATION, Page
from retrievals_serving.questions import Question
from retrievals_serving.served import ServedReleases
from retrievals_serving.workers import Workers

LOOKUPS = 32  # threads that look for what is kept; a slow Redis takes each for 35 ms
VECTOR, RERANKED, EXPLAINED = "vector", "reranked", "explained"
# Another version makes other answers, in another form.
PROGRAM = [version("retrievals"), cursors.LAYOUT.decode()]
# What differs each time that an answer is given: it stands at the end of the body.
OWN = ("latency_ms", "timings", "cached", "degraded")


class Asked(NamedTuple):
    """A question as it came over HTTP."""

    question: Question
    picture: str | None = None  # sha256 of the upload
    include_explanation: bool = False


class Own:
    """What differs each time that an answer is given: the end of its JSON."""

    def __init__(self, began: float, *, cached: bool = False) -> None:
        self.cached = cached
        self.timings: Mapping[str, float] = {}
        self.latency_ms = 0.0
        self.lacks: tuple[str, ...] = ()  # what HTTP adds to an answer and this one does not have
        self._began = began
        self._degraded: tuple[str, ...] = ()

    @property
    def degraded(self) -> tuple[str, ...]:
        """What the answer lacks, see `pages.Page`."""
        return self._degraded + self.lacks

    def of(self, page: Page) -> Self:
        """Take what `page` has of its own."""
        self.timings, self._degraded = page.timings, page.degraded
        return self

    def added_to(self, content: bytes) -> bytes:
        """Return a whole answer from its JSON without what is its own."""
        self.latency_ms = 1000 * (perf_counter() - self._began)
        own = {name: getattr(self, name) for name in OWN}
        return content[:-1] + b"," + to_json(own)[1:]


class Made(NamedTuple):
    """A page of an answer, and the JSON of it without what is its `OWN`."""

    page: Page
    content: bytes

    @classmethod
    def of(cls, page: Page) -> Self:
        """Return `page` as JSON."""
        shared = {name: value for name, value in page.to_dict().items() if name not in OWN}
        return cls(page, to_json(shared))

    @property
    def name(self) -> str:
        """What the event is called that brings it."""
        return VECTOR if self.page.rerank_coverage is None else RERANKED


class Kept(NamedTuple):
    """An answer from before: what its event is called, and its JSON without what is its `OWN`."""

    name: str
    content: bytes


class Answers:
    """Answers questions, several at once; what is whole is kept for who asks the same."""

    def __init__(
        self,
        releases: ServedReleases,
        workers: Workers,
        metrics: Metrics,
        cache: Cache | None,
        explainer: Explainer | None,
    ) -> None:
        self._releases = releases
        self._workers = workers
        self._metrics = metrics
        self._cache = cache
        self._explainer = explainer
        self._lookups = ThreadPoolExecutor(LOOKUPS, thread_name_prefix="look-up")

    def close(self) -> None:
        """End the threads, once each has done what it is at."""
        self._lookups.shutdown(wait=False, cancel_futures=True)

    async def answer(self, asked: Asked) -> bytes:
        """Return the answer as JSON.

        Raises:
            ServerBusy: As many are being answered as may.
            QueryError, PictureError, ReleaseError, ModelError: As for `SearchEngine.stream`.
        """
        *_, (_, body) = [event async for event in self.events(asked, early=False)]
        return body

    async def events(self, asked: Asked, *, early: bool = True) -> AsyncGenerator[Event]:
        """Yield the answer as JSON, whole each time: as vectors rank it, reranked, explained.

        One that is kept comes at once, in its last form; without `early` each does.

        Raises:
            ServerBusy, QueryError, PictureError, ReleaseError, ModelError: As for `answer`.
        """
        began = perf_counter()
        kept = await self._looked_up(self._cache, asked) if self._cache else None
        if kept is not None:
            own = Own(began, cached=True)
            yield kept.name, own.added_to(kept.content)
            self._count(own)
            return
        own = Own(began)
        if self._cache and not self._cache.is_available:
            own.lacks += (CACHE,)
        stream = self._workers.stream(partial(self._made, asked, early=early))
        async with aclosing(stream):
            async for made in stream:
                yield made.name, own.of(made.page).added_to(made.content)
        if asked.include_explanation:
            text = await self._explainer.explain(made.page) if self._explainer else None
            if text is None:
                own.lacks += (EXPLANATION,)
            made = Made.of(dataclasses.replace(made.page, explanation=text))
            yield EXPLAINED, own.of(made.page).added_to(made.content)
        self._count(own)

    def _count(self, own: Own) -> None:
        """Count an answer that was given whole."""
        self._metrics.answered(
            latency_ms=own.latency_ms,
            timings=own.timings,
            cached=own.cached,
            degraded=own.degraded,
        )

    def answer_ahead(self, engine: SearchEngine, query: str) -> None:
        """Answer a query that is known to be asked, and keep the answer.

        Raises:
            QueryError: It is out of bounds.
        """
        asked = Asked(Question.ask(engine.settings, text=query))
        if self._cache and self._cache.get(_key(engine, asked)) is None:
            (page,) = engine.stream(asked.question)
            self._keep(engine, asked, Made.of(page))

    async def _looked_up(self, cache: Cache, asked: Asked) -> Kept | None:
        """Look for an answer in a thread, as the cache may have to wait for its Redis."""
        loop, context = asyncio.get_running_loop(), contextvars.copy_context()
        return await loop.run_in_executor(self._lookups, context.run, self._kept, cache, asked)

    def _kept(self, cache: Cache, asked: Asked) -> Kept | None:
        """Return the answer to what is asked if it is kept."""
        if asked.include_explanation:
            return None
        with self._releases.current() as engine:
            # Until the reranker is there, nobody knows what an answer depends on.
            kept = None if engine.lacks_reranker else cache.get(_key(engine, asked))
        if kept is None:
            return None
        name, content = kept.split(b"\n", 1)
        return Kept(name.decode(), content)

    def _made(self, asked: Asked, cancelled: Cancelled, *, early: bool) -> Iterator[Made]:
        """Yield the forms of an answer, and keep the last."""
        with self._releases.current() as engine:
            for page in engine.stream(asked.question, cancelled, early=early):
                made = Made.of(page)
                yield made
            if not asked.include_explanation:
                self._keep(engine, asked, made)

    def _keep(self, engine: SearchEngine, asked: Asked, made: Made) -> None:
        """Keep an answer that is whole."""
        is_whole = not made.page.degraded and made.page.rerank_coverage in (None, 1.0)
        if self._cache and is_whole and not engine.lacks_reranker:
            value = b"%s\n%s" % (made.name.encode(), made.content)
            self._cache.put(_key(engine, asked), value)


def _key(engine: SearchEngine, asked: Asked) -> str:
    """Return what the answer is kept under: a hash of all that it depends on."""
    question, settings = asked.question, engine.settings
    manifest = engine.release.manifest
    return request_key(
        PROGRAM,
        manifest.release_id,
        manifest.embedder.query_contract.digest,
        [engine.reranker_name, engine.reranker_contract],
        [settings.window, settings.candidates, settings.more, settings.rerank_deadline],
        cursors.secret_mark(settings),
        [getattr(question, field.name) for field in fields(question) if field.name != "image"],
        asked.picture,
    )
