"""Endpoints of search. They are plain functions, which FastAPI runs in its thread pool."""

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from retrievals_serving.api import schemas
from retrievals_serving.api.service import EngineOf, ServiceOf

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


@router.get("/health", responses={503: {"model": schemas.Health}})
def health(service: ServiceOf, response: Response) -> schemas.Health:
    """Tell whether queries are answered now: 200, or 503 while they are not."""
    answer = service.health()
    if answer.status != "ok":
        response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
    return answer
