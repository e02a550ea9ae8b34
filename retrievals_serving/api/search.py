"""Endpoints of search. They are plain functions, which FastAPI runs in its thread pool."""

import json
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from retrievals_serving.api import schemas
from retrievals_serving.api.service import EngineOf, ServiceOf
from retrievals_serving.errors import QueryError
from retrievals_serving.queries import MAX_QUERY

router = APIRouter()


@router.post("/search", response_model=schemas.Page)
def search(request: schemas.SearchRequest, engine: EngineOf) -> dict[str, Any]:
    """Find the works that show what the query says, best first."""
    page = engine.search(
        request.query,
        top_k=request.top_k,
        filters=request.filters,
        score_threshold=request.score_threshold,
        rerank=request.rerank,
        alpha=request.alpha,
    )
    return page.to_dict()


@router.post("/search-more", response_model=schemas.Page)
def search_more(request: schemas.MoreRequest, service: ServiceOf) -> dict[str, Any]:
    """Go on from a page to the next, to the end of the window, in the release it came from."""
    with service.releases.of_cursor(request.cursor) as engine:
        return engine.search_more(request.query_vector, request.cursor).to_dict()


@router.get("/artworks/{artwork_id}", response_model=schemas.Artwork)
def artwork(artwork_id: str, engine: EngineOf) -> dict[str, Any]:
    """Give the record of a work."""
    work = engine.artwork(artwork_id)
    return {"id": work.id, "metadata": work.metadata}


@router.get("/artworks/{artwork_id}/similar", response_model=schemas.Page)
def similar(
    artwork_id: str, engine: EngineOf, top_k: Annotated[schemas.TopK | None, Query()] = None
) -> dict[str, Any]:
    """Find the works that look like a work, without the work itself."""
    return engine.similar(artwork_id, top_k=top_k).to_dict()


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


def _parsed(filters: str | None) -> Any:
    """Return the JSON that a query parameter is, None where there is none."""
    try:
        return None if filters is None else json.loads(filters)
    except ValueError as error:
        raise QueryError(f"filters: no JSON: {error}.") from error


@router.get("/stats")
def stats(engine: EngineOf) -> schemas.Stats:
    """Tell what is searched, and what its index was measured to find."""
    manifest = engine.release.manifest
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
    )


@router.get("/health", responses={503: {"model": schemas.Health}})
def health(service: ServiceOf, response: Response) -> schemas.Health:
    """Tell whether queries are answered now: 200, or 503 while they are not."""
    answer = service.health()
    if answer.status != "ok":
        response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
    return answer
