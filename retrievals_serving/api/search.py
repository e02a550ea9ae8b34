"""Endpoints of search. They are plain functions, which FastAPI runs in its thread pool."""

import json
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from retrievals_serving.api import schemas
from retrievals_serving.api.metrics import Metrics, MetricsOf
from retrievals_serving.api.service import EngineOf, ServiceOf
from retrievals_serving.errors import QueryError
from retrievals_serving.pages import Page
from retrievals_serving.queries import MAX_QUERY

router = APIRouter()


@router.post("/search", response_model=schemas.Page)
def search(request: schemas.SearchRequest, engine: EngineOf, metrics: MetricsOf) -> dict[str, Any]:
    """Find the works that show what the query says, best first."""
    page = engine.search(
        request.query,
        top_k=request.top_k,
        filters=request.filters,
        score_threshold=request.score_threshold,
        rerank=request.rerank,
        alpha=request.alpha,
    )
    return _counted(page, metrics)


@router.post("/search-more", response_model=schemas.Page)
def search_more(
    request: schemas.MoreRequest, service: ServiceOf, metrics: MetricsOf
) -> dict[str, Any]:
    """Go on from a page to the next, to the end of the window, in the release it came from."""
    with service.releases.of_cursor(request.cursor) as engine:
        page = engine.search_more(request.query_vector, request.cursor)
    return _counted(page, metrics)


@router.get("/artworks/{artwork_id}", response_model=schemas.Artwork)
def artwork(artwork_id: str, engine: EngineOf) -> dict[str, Any]:
    """Give the record of a work."""
    work = engine.artwork(artwork_id)
    return {"id": work.id, "metadata": work.metadata}


@router.get("/artworks/{artwork_id}/similar", response_model=schemas.Page)
def similar(
    artwork_id: str,
    engine: EngineOf,
    metrics: MetricsOf,
    top_k: Annotated[schemas.TopK | None, Query()] = None,
) -> dict[str, Any]:
    """Find the works that look like a work, without the work itself."""
    page = engine.similar(artwork_id, top_k=top_k)
    return _counted(page, metrics)


@router.get("/facets")
def facets(
    engine: EngineOf,
    field: str,
    query: Annotated[str | None, Query(max_length=MAX_QUERY)] = None,
    filters: Annotated[str | None, Query(description="A JSON object, as of `/search`.")] = None,
) -> schemas.Facets:
    """Count the works that have each value of a field: of all, or of those that are found."""
    counts = engine.facets(field, query=query, filters=_parsed(filters))
    values = [schemas.FacetValue(value=value, count=count) for value, count in counts.items()]
    return schemas.Facets(field=field, values=values)


def _counted(page: Page, metrics: Metrics) -> dict[str, Any]:
    """Return an answer as JSON has it, once it is counted."""
    metrics.answered(
        latency_ms=page.latency_ms,
        timings=page.timings,
        cached=page.cached,
        degraded=page.degraded,
    )
    return page.to_dict()


def _parsed(filters: str | None) -> Any:
    """Return the JSON that a query parameter is, None where there is none."""
    try:
        return None if filters is None else json.loads(filters)
    except ValueError as error:
        raise QueryError(f"filters: no JSON: {error}.") from error


@router.get("/health", responses={503: {"model": schemas.Health}})
def health(service: ServiceOf, response: Response) -> schemas.Health:
    """Tell whether queries are answered now: 200, or 503 while they are not."""
    answer = service.health()
    if answer.status != "ok":
        response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
    return answer
