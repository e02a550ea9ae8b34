"""Endpoints that tell of the server itself: for people, and for Prometheus."""

from collections.abc import Callable, Mapping

from fastapi import APIRouter, Request, Response
from prometheus_client.exposition import choose_encoder

from retrievals_serving.api.metrics import Metrics, MetricsOf
from retrievals_serving.api.schemas.server import Counts, Stats
from retrievals_serving.api.service import EngineOf, Service
from retrievals_serving.cancelling import Spared
from retrievals_serving.errors import ReleaseError
from retrievals_serving.models import devices

router = APIRouter()


@router.get("/stats")
def stats(engine: EngineOf, metrics: MetricsOf) -> Stats:
    """Tell what is searched, what its index was measured to find, and how answers come along."""
    manifest = engine.release.manifest
    answers = metrics.answers()
    return Stats(
        release=manifest.release_id,
        created_at=manifest.created_at,
        as_of=manifest.as_of,
        works=manifest.works,
        eligible=manifest.eligible,
        missing=manifest.missing,
        embedder=manifest.embedder.checkpoint,
        dimension=manifest.embedder.dimension,
        index=manifest.index,
        bytes={entry.name: entry.bytes for entry in manifest.files},
        uptime_s=metrics.uptime(),
        counts=Counts(
            answers=sum(answers.values()),
            cached=answers["true"],
            degraded=metrics.degraded(),
            statuses=metrics.statuses(),
        ),
        timings=metrics.observations.figures(),
    )


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {}, "application/openmetrics-text": {}}}},
)
def metrics(request: Request, metrics: MetricsOf) -> Response:
    """Give what Prometheus collects, in the format it asks for."""
    encode, media_type = choose_encoder(request.headers.get("accept", ""))
    return Response(encode(metrics.registry), headers={"Content-Type": media_type})


def watch(metrics: Metrics, service: Service) -> None:
    """Let `metrics` show what `service` serves, and how its models and its queue come along."""

    def served() -> Mapping[str, int]:
        try:
            with service.releases.current() as engine:
                manifest = engine.release.manifest
                return {manifest.release_id: manifest.works}
        except ReleaseError:  # which `/health` tells
            return {}

    def spared(what: Callable[[Spared], int]) -> Callable[[], int]:
        def read() -> int:
            try:
                with service.releases.current() as engine:
                    return what(engine.spared)
            except ReleaseError:
                return 0

        return read

    metrics.watch(
        "retrievals_release_info",
        "The release being served.",
        lambda: dict.fromkeys(served(), 1),
        label="release",
    )
    metrics.watch(
        "retrievals_works",
        "Works that are searched; 0 while no release is served.",
        lambda: sum(served().values()),
    )
    metrics.watch(
        "retrievals_searches_under_way",
        "Searches that have a thread; RETRIEVALS_QUEUE is how many may.",
        lambda: service.workers.busy,
    )
    metrics.watch(
        "retrievals_forwards_waiting", "Forwards that wait for a device.", devices.waiting
    )
    metrics.watch(
        "retrievals_forwards_total", "Forwards that were run.", devices.forwards, label="kind"
    )
    metrics.watch(
        "retrievals_searches_cancelled_total",
        "Searches that ended early, since whoever asked had left.",
        spared(lambda engine_spared: engine_spared.searches),
    )
    metrics.watch(
        "retrievals_pictures_spared_total",
        "Candidates that no reranker looked at, since whoever asked had left.",
        spared(lambda engine_spared: engine_spared.pictures),
    )
    if cache := service.cache:
        metrics.watch(
            "retrievals_cache_available",
            "Whether the cache of answers can be reached.",
            lambda: float(cache.is_available),
        )
