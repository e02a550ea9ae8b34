"""The application: routes, problems, the page, and a model that loads while it already answers."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI
from fastapi.middleware.gzip import GZipMiddleware

from retrievals_serving.api import (
    edge,
    observability,
    pictures,
    problems,
    search,
    tracing,
    web,
)
from retrievals_serving.api import map as collection_map
from retrievals_serving.api.document import DescribedAPI
from retrievals_serving.api.limits import LimitedBodies
from retrievals_serving.api.measured import MeasuredRequests
from retrievals_serving.api.metrics import Metrics
from retrievals_serving.api.service import Service
from retrievals_serving.engine import SearchEngine
from retrievals_serving.settings import Settings
from retrievals_serving.settings.safety import require_safe


def create_app(
    settings: Settings | None = None,
    engine: SearchEngine | None = None,
    *,
    on_ready: Callable[[], None] | None = None,
) -> FastAPI:
    """Make the HTTP service.

    Args:
        settings: Default: those of `engine`, else those of the environment.
        engine: What answers; it stays the caller's to close. Default: the release that is served,
            opened when it is first asked for.
        on_ready: Is called, from a thread, whenever all was loaded: at first, and after a switch to
            another release.

    Raises:
        SettingsError: A setting is malformed or unsafe, or needs what is not installed.
    """
    if settings is None:
        settings = engine.settings if engine else Settings.load()
    require_safe(settings)
    metrics = Metrics()
    service = Service(settings, metrics, engine, on_ready)
    observability.watch(metrics, service)
    tracing.export_spans()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        service.start()
        yield
        await service.close()
        tracing.flush()

    app = DescribedAPI(
        title="Retrievals",
        summary="Search a museum's open collection by what the pictures show.",
        version=version("retrievals"),
        # Their pages load scripts from other servers. /openapi.json stays.
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        responses=problems.described(401, 422, 429, 500, 503),
        generate_unique_id_function=lambda route: route.name,
        telemetry=tracing.REQUEST_SPANS,
    )
    app.state.service, app.state.metrics = service, metrics
    problems.install(app)
    app.add_middleware(LimitedBodies)
    edge.install(app, settings)
    app.add_middleware(MeasuredRequests, metrics=metrics)  # the last is around all others
    for part in (search, observability, pictures, collection_map, web):
        app.include_router(part.router)
    app.mount("/static", GZipMiddleware(web.PageFiles(directory=web.WEB / "static")))
    return app
