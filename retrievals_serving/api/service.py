"""What the endpoints share: the releases that are lent to them, and how far those are."""

from collections.abc import Callable, Iterator
from typing import Annotated

from fastapi import Depends, Request

from retrievals_serving.api.answers import Answers
from retrievals_serving.api.metrics import Metrics
from retrievals_serving.api.readiness import Readiness
from retrievals_serving.api.schemas.server import Component, Health
from retrievals_serving.cache import open_cache
from retrievals_serving.engine import SearchEngine
from retrievals_serving.explanations import Explainer
from retrievals_serving.questions import known_queries
from retrievals_serving.served import ServedReleases
from retrievals_serving.settings import Settings
from retrievals_serving.workers import Workers


class Service:
    """The engines of one API process, how ready they are, and what is opened beside them.

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
        known = known_queries(path) if (path := settings.warm_queries) else []
        self._readiness = Readiness(self.releases, self.answers, known, on_ready)

    def start(self) -> None:
        """Begin to load the models and to follow `CURRENT`; a stop does not wait for either."""
        self._readiness.start()

    async def close(self) -> None:
        """Close what this service opened; threads end with what they are at."""
        self._readiness.close()
        self.answers.close()
        self.workers.close()
        self.releases.close()
        if self.cache:
            self.cache.close()
        if self.explainer:
            await self.explainer.close()

    def health(self) -> Health:
        """Tell whether queries are answered now."""
        if not self.releases.is_open:
            return self._not_yet(Health(status="starting", detail="the release is being opened"))
        with self.releases.current() as engine:
            return self._health(engine)

    def _health(self, engine: SearchEngine) -> Health:
        manifest = engine.release.manifest
        unranked = self._readiness.unranked if engine.lacks_reranker else None
        health = Health(
            status="ok",
            detail=self._readiness.refusal or unranked,
            release=manifest.release_id,
            works=manifest.works,
            embedder=manifest.embedder.checkpoint,
            reranker=engine.reranker_name,
            components=self._components(engine),
        )
        # Answers without a reranker are answers.
        if engine.embedder is not None and (unranked or not engine.lacks_reranker):
            device, dtype = engine.embedder.device, engine.embedder.dtype
            return health.model_copy(update={"device": device, "dtype": dtype})
        loading = {"status": "starting", "detail": "the models are loading"}
        return self._not_yet(health.model_copy(update=loading))

    def _not_yet(self, starting: Health) -> Health:
        """Return the health of a server that starts, or has failed to."""
        if self._readiness.failure is None:
            return starting
        failed = {"status": "unavailable", "detail": self._readiness.failure}
        return starting.model_copy(update=failed)

    def _components(self, engine: SearchEngine) -> dict[str, Component]:
        """Tell how each part is that an answer needs, or can do without."""
        readiness = self._readiness
        components = {"embedder": _loaded(engine.embedder is not None, readiness.failure)}
        if engine.reranker_name:
            components["reranker"] = _loaded(not engine.lacks_reranker, readiness.unranked)
        if self.cache:
            components[f"cache ({self.cache.name})"] = "ok" if self.cache.is_available else "failed"
        return components


def _loaded(is_there: bool, failure: str | None) -> Component:
    """Tell how a model is that is there, or failed to load, or is on its way."""
    if is_there:
        return "ok"
    return "loading" if failure is None else "failed"


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
