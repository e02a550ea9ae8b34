"""What the endpoints share: the engine, and how far it is."""

import logging
import threading
from typing import Annotated

from fastapi import Depends, Request

from retrievals_serving.api.schemas import Health
from retrievals_serving.engine import SearchEngine
from retrievals_serving.errors import RetrievalsError
from retrievals_serving.settings import Settings

logger = logging.getLogger(__name__)


class Service:
    """The engine of one API process.

    It is opened when it is first asked for, so that a server may start before the first build.
    """

    def __init__(self, settings: Settings, engine: SearchEngine | None = None) -> None:
        self._settings = settings
        self._engine = engine
        self._is_own = engine is None
        self._opening = threading.Lock()
        self._warming = threading.Thread()
        self._failure: str | None = None

    @property
    def engine(self) -> SearchEngine:
        """The engine, opened on first use.

        Raises:
            ReleaseError: There is no release, or it cannot be opened.
        """
        with self._opening:
            if self._engine is None:
                self._engine = SearchEngine.open(settings=self._settings)
            return self._engine

    def start(self) -> None:
        """Begin to load the models, in the background; a stop does not wait for it."""
        self._warming = threading.Thread(target=self._warm, name="warm", daemon=True)
        self._warming.start()

    def close(self) -> None:
        """Close the engine if this service opened it."""
        if self._engine is not None and self._is_own:
            self._engine.close()

    def health(self) -> Health:
        """Tell whether queries are answered now; begin again with what failed before."""
        try:
            engine = self.engine
        except RetrievalsError as error:
            return Health(status="unavailable", detail=str(error))
        manifest = engine.release.manifest
        health = Health(
            status="ok",
            release=manifest.release_id,
            works=manifest.works,
            embedder=manifest.embedder.checkpoint,
            reranker=engine.reranker_name,
        )
        if engine.embedder is not None and engine.is_warm:
            device, dtype = engine.embedder.device, engine.embedder.dtype
            return health.model_copy(update={"device": device, "dtype": dtype})
        failure = self._failure
        if not self._warming.is_alive():
            self.start()
        if failure is None:
            return health.model_copy(
                update={"status": "starting", "detail": "the models are loading"}
            )
        return health.model_copy(update={"status": "unavailable", "detail": failure})

    def _warm(self) -> None:
        try:
            self.engine.warm()
        except RetrievalsError as error:
            self._failure = str(error)
            logger.error("not ready to answer: %s", error)  # noqa: TRY400 - the message says it all
        # What a device does wrong has no common ancestor, and must not read as "starting" for ever.
        except Exception as error:
            self._failure = f"{type(error).__name__}: {error}"
            logger.exception("not ready to answer")
        else:
            self._failure = None
            logger.info("ready to answer from release %s", self.engine.release.release_id)


def service_of(request: Request) -> Service:
    """Return the service of the application that answers `request`."""
    service: Service = request.app.state.service
    return service


def engine_of(request: Request) -> SearchEngine:
    """Return the engine of the application that answers `request`.

    Raises:
        ReleaseError: There is no release, or it cannot be opened.
    """
    return service_of(request).engine


ServiceOf = Annotated[Service, Depends(service_of)]
EngineOf = Annotated[SearchEngine, Depends(engine_of)]
