"""What the endpoints share: the releases that are lent to them, and how far those are."""

import logging
import threading
from collections.abc import Callable, Iterator
from time import monotonic
from typing import Annotated

from fastapi import Depends, Request

from retrievals_serving.api.answers import Answers
from retrievals_serving.api.metrics import Metrics
from retrievals_serving.api.schemas.server import Component, Health
from retrievals_serving.cache import open_cache
from retrievals_serving.engine import SearchEngine
from retrievals_serving.errors import RetrievalsError
from retrievals_serving.explanations import Explainer
from retrievals_serving.questions import known_queries
from retrievals_serving.served import ServedReleases
from retrievals_serving.settings import Settings
from retrievals_serving.workers import Workers

logger = logging.getLogger(__name__)

POLL = 1.0  # seconds between two looks at `CURRENT`
RETRY = 30.0  # seconds after which a release that could not be served is tried again


class Service:
    """The engines of one API process, the loading of their models, and the switch to another.

    The first engine is opened when it is first asked for, so that a server may start before the
    first build.
    """

    def __init__(
        self,
        settings: Settings,
        metrics: Metrics,
        engine: SearchEngine | None = None,
        on_ready: Callable[[], None] | None = None,
    ) -> None:
        self.settings = settings
        self.releases = ServedReleases(settings, engine)
        self.workers = Workers(settings.queue)
        self.cache = open_cache(settings)
        self.explainer = Explainer.open(settings)
        self.answers = Answers(self.releases, self.workers, metrics, self.cache, self.explainer)
        self._on_ready = on_ready or (lambda: None)
        self._known = known_queries(path) if (path := settings.warm_queries) else []
        self._warming = threading.Thread()
        self._beginning = threading.Lock()
        self._warm_again = 0.0  # when what failed is tried again, on the clock of `monotonic`
        self._failure: str | None = None
        self._unranked: str | None = None  # why there is no reranker, where one is set
        self._stopping = threading.Event()
        self._refusal: str | None = None  # why the release that `CURRENT` names is not served

    def start(self) -> None:
        """Begin to load the models and to follow `CURRENT`; a stop does not wait for either."""
        self._begin_to_warm()
        threading.Thread(target=self._follow, name="follow", daemon=True).start()

    async def close(self) -> None:
        """Close what this service opened; threads end with what they are at."""
        self._stopping.set()
        self.answers.close()
        self.workers.close()
        self.releases.close()
        if self.cache:
            self.cache.close()
        if self.explainer:
            await self.explainer.close()

    def health(self) -> Health:
        """Tell whether queries are answered now; begin again with what failed before."""
        try:
            with self.releases.current() as engine:
                return self._health(engine)
        except RetrievalsError as error:
            return Health(status="unavailable", detail=str(error))

    def _health(self, engine: SearchEngine) -> Health:
        manifest = engine.release.manifest
        health = Health(
            status="ok",
            detail=self._refusal or self._unranked,
            release=manifest.release_id,
            works=manifest.works,
            embedder=manifest.embedder.checkpoint,
            reranker=engine.reranker_name,
            components=self._components(engine),
        )
        if not engine.is_warm:
            self._begin_to_warm(patiently=engine.embedder is not None)
        # Answers without a reranker are answers.
        if engine.embedder is not None and (self._unranked or not engine.lacks_reranker):
            device, dtype = engine.embedder.device, engine.embedder.dtype
            return health.model_copy(update={"device": device, "dtype": dtype})
        if self._failure is None:
            return health.model_copy(
                update={"status": "starting", "detail": "the models are loading"}
            )
        return health.model_copy(update={"status": "unavailable", "detail": self._failure})

    def _components(self, engine: SearchEngine) -> dict[str, Component]:
        """Tell how each part is that an answer needs, or can do without."""
        components = {"embedder": _loaded(engine.embedder is not None, self._failure)}
        if engine.reranker_name:
            components["reranker"] = _loaded(not engine.lacks_reranker, self._unranked)
        if self.cache:
            components[f"cache ({self.cache.name})"] = "ok" if self.cache.is_available else "failed"
        return components

    def _begin_to_warm(self, *, patiently: bool = False) -> None:
        """Load what is not loaded, unless that is under way; or, `patiently`, was a moment ago."""
        with self._beginning:
            if self._warming.is_alive() or (patiently and monotonic() < self._warm_again):
                return
            self._warm_again = monotonic() + RETRY
            self._warming = threading.Thread(target=self._warm, name="warm", daemon=True)
            self._warming.start()

    def _warm(self) -> None:
        try:
            with self.releases.current() as engine:
                engine.warm_search()
                self._failure = None
                self._warm_reranker(engine)
                logger.info("ready to answer from release %s", engine.release.release_id)
                engine.warm_words()
            self._on_ready()
            self._answer_known()
        # What a device does wrong has no common ancestor, and must not read as "starting" for ever.
        except Exception as error:  # noqa: BLE001
            self._failure = _told("not ready to answer", error)

    def _warm_reranker(self, engine: SearchEngine) -> None:
        """Load the reranker; without it the answers have the order of the vectors, and say so."""
        try:
            engine.warm_reranker()
            self._unranked = None
        except Exception as error:  # noqa: BLE001 - likewise
            self._unranked = _told("answers are not reranked", error)

    def _answer_known(self) -> None:
        """Answer the queries that are known to be asked, before they are."""
        for query in self._known:
            if self._stopping.is_set():
                return
            try:
                with self.releases.current() as engine:
                    self.answers.answer_ahead(engine, query)
            except Exception as error:  # noqa: BLE001 - likewise
                _told(f"the known query {query!r:.80} cannot be answered", error)

    def _follow(self) -> None:
        """Switch to what `CURRENT` names, whenever it moves, until the service is closed."""
        refused, again = None, 0.0
        while not self._stopping.wait(POLL):
            named = None
            try:
                named = self.releases.behind()
                if named is None:
                    self._refusal = None
                # While the models load, the release that waits for them would load its own.
                elif not self._warming.is_alive() and (named != refused or monotonic() >= again):
                    self.releases.switch(named)
                    logger.info("answers come from release %s", named)
                    self._refusal = None
                    self._on_ready()
                    self._answer_known()
            except Exception as error:  # noqa: BLE001 - likewise: it must not end the thread
                self._refusal = _told(f"release {named} is not served", error)
                refused, again = named, monotonic() + RETRY


def _loaded(is_there: bool, failure: str | None) -> Component:
    """Tell how a model is that is there, or failed to load, or is on its way."""
    if is_there:
        return "ok"
    return "loading" if failure is None else "failed"


def _told(what: str, error: Exception) -> str:
    """Log what failed; return the reason."""
    if isinstance(error, RetrievalsError):
        logger.error("%s: %s", what, error)
        return str(error)
    logger.error(what, exc_info=error)
    return f"{type(error).__name__}: {error}"


async def service_of(request: Request) -> Service:
    """Return the service of the application that answers `request`."""
    service: Service = request.app.state.service
    return service


ServiceOf = Annotated[Service, Depends(service_of)]


def engine_of(service: ServiceOf) -> Iterator[SearchEngine]:
    """Lend the engine of the release being served until the request is answered.

    Raises:
        ReleaseError: There is no release, or it cannot be opened.
    """
    with service.releases.current() as engine:
        yield engine


EngineOf = Annotated[SearchEngine, Depends(engine_of)]
