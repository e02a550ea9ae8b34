"""Endpoints that tell of the server itself: for people, and for Prometheus."""

from collections.abc import Mapping

from fastapi import APIRouter, Request, Response
from prometheus_client.exposition import choose_encoder

from retrievals_serving.api import schemas
from retrievals_serving.api.metrics import Metrics, MetricsOf
from retrievals_serving.api.service import EngineOf, Service
from retrievals_serving.errors import ReleaseError

router = APIRouter()


@router.get("/stats")
def stats(engine: EngineOf, metrics: MetricsOf) -> schemas.Stats:
    """Tell what is searched, what its index was measured to find, and how answers come along."""
    manifest = engine.release.manifest
    answers = metrics.answers()
    return schemas.Stats(
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
        counts=schemas.Counts(
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


def watch_release(metrics: Metrics, service: Service) -> None:
    """Let `metrics` show which release `service` serves, and how many works it holds."""

    def served() -> Mapping[str, int]:
        try:
            with service.releases.current() as engine:
                manifest = engine.release.manifest
                return {manifest.release_id: manifest.works}
        except ReleaseError:  # which `/health` tells
            return {}

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
