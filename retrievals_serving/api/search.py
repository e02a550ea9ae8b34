"""Endpoints of search."""

import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from hashlib import sha256
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Form, Path, Query, Request, Response
from pydantic_core import from_json, to_json

from retrievals_serving.api import problems
from retrievals_serving.api.answers import Answers, Asked
from retrievals_serving.api.etags import NOT_MODIFIED, IfNoneMatch, has_it
from retrievals_serving.api.leaving import EVENTS, Event, EventStream, unless_left
from retrievals_serving.api.metrics import Metrics, MetricsOf
from retrievals_serving.api.schemas import pages
from retrievals_serving.api.schemas.requests import (
    TOP_K,
    ImageForm,
    MoreRequest,
    SearchRequest,
    TopK,
)
from retrievals_serving.api.schemas.server import Facets, FacetValue, Health
from retrievals_serving.api.service import EngineOf, ServiceOf
from retrievals_serving.cancelling import Cancelled
from retrievals_serving.decoding import decode_picture
from retrievals_serving.errors import QueryError, RetrievalsError
from retrievals_serving.filters import FACETS
from retrievals_serving.pages import Page
from retrievals_serving.questions import MAX_QUERY, Question

logger = logging.getLogger(__name__)

router = APIRouter()

STREAMED: dict[int | str, dict[str, Any]] = {200: {"content": {EVENTS: {}}}}
WITH_BODY = problems.described(400, 413)
ArtworkId = Annotated[str, Path(description="As `nga:46569`.")]
FilterText = Annotated[str | None, Query(description="A JSON object, as of `/search`.")]


@router.post("/search", response_model=pages.Page, responses=STREAMED | WITH_BODY)
async def search(request: Request, body: SearchRequest, service: ServiceOf) -> Response:
    """Find the works that show what the query says, best first.

    With `Accept: text/event-stream` the answer comes as events: `vector`, in the order of the
    vector search; `reranked`; `explained`, if that is asked; each a whole answer with its own
    cursor; and `done`. What goes wrong on the way is an `error`, which is a problem. An answer that
    is kept from before comes at once in its last form.
    """
    options = body.model_dump(exclude={"query", "include_explanation"})
    question = Question.ask(service.settings, text=body.query, **options)
    asked = Asked(question, include_explanation=body.include_explanation)
    return await _answered(request, service.answers, asked)


@router.post("/search/image", response_model=pages.Page, responses=STREAMED | WITH_BODY)
async def search_image(
    request: Request,
    form: Annotated[ImageForm, Form(media_type="multipart/form-data")],
    service: ServiceOf,
) -> Response:
    """Find the works that look like a picture, and show what the query says where one is given.

    Answered as `/search` is.
    """
    options = form.model_dump(exclude={"file", "query", "filters", "include_explanation"})
    filters = _parsed(form.filters)

    def looked_at(_: Cancelled) -> Asked:
        content = form.file.file.read()
        image = decode_picture(content, upright=True)
        question = Question.ask(
            service.settings, text=form.query, image=image, filters=filters, **options
        )
        return Asked(question, sha256(content).hexdigest(), form.include_explanation)

    asked = await unless_left(request.receive, service.workers.run(looked_at))
    return await _answered(request, service.answers, asked)


@router.post(
    "/search-more", response_model=pages.Page, responses=WITH_BODY | problems.described(410)
)
async def search_more(
    request: Request, body: MoreRequest, service: ServiceOf, metrics: MetricsOf
) -> Response:
    """Go on from a page to the next, to the end of the window, in the release it came from."""

    def go_on(_: Cancelled) -> Page:
        with service.releases.of_cursor(body.cursor) as engine:
            return engine.search_more(body.query_vector, body.cursor)

    page = await unless_left(request.receive, service.workers.run(go_on))
    return _as_json(page, metrics)


@router.get(
    "/artworks/{artwork_id}",
    response_model=pages.Artwork,
    responses=NOT_MODIFIED | problems.described(404),
)
def artwork(artwork_id: ArtworkId, engine: EngineOf, if_none_match: IfNoneMatch = None) -> Response:
    """Give the record of a work, which stays as it is while its release is served."""
    work = engine.artwork(artwork_id)
    etag = f'"{engine.release.release_id}"'
    headers = {"ETag": etag, "Cache-Control": "no-cache"}
    if has_it(if_none_match, etag):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    content = to_json({"id": work.id, "metadata": work.metadata})
    return Response(content, headers=headers, media_type="application/json")


@router.get(
    "/artworks/{artwork_id}/similar",
    response_model=pages.Page,
    responses=problems.described(404),
)
def similar(
    artwork_id: ArtworkId,
    engine: EngineOf,
    metrics: MetricsOf,
    top_k: Annotated[TopK | None, Query(description=TOP_K)] = None,
    filters: FilterText = None,
) -> Response:
    """Find the works that look like a work, without the work itself."""
    page = engine.similar(artwork_id, top_k=top_k, filters=_parsed(filters))
    return _as_json(page, metrics)


@router.get("/facets")
async def facets(
    request: Request,
    service: ServiceOf,
    field: Annotated[
        str, Query(description="Whose values.", json_schema_extra={"enum": sorted(FACETS)})
    ],
    query: Annotated[
        str | None,
        Query(min_length=1, max_length=MAX_QUERY, description="Count the works that it finds."),
    ] = None,
    filters: FilterText = None,
) -> Facets:
    """Count the works that have each value of a field: of all, or of those that are found."""
    only = _parsed(filters)

    def count(cancelled: Cancelled) -> dict[str, int]:
        with service.releases.current() as engine:
            return engine.facets(field, query=query, filters=only, cancelled=cancelled)

    counts = await unless_left(request.receive, service.workers.run(count))
    values = [FacetValue(value=value, count=many) for value, many in counts.items()]
    return Facets(field=field, values=values)


def _parsed(filters: str | None) -> Any:
    """Return the JSON that a query parameter is, None where there is none."""
    try:
        return None if filters is None else from_json(filters, allow_inf_nan=False)
    except ValueError as error:
        raise QueryError(f"filters: no JSON: {error}.") from error


@router.get("/health", responses={503: {"model": Health, "description": "Not now."}})
def health(service: ServiceOf, response: Response) -> Health:
    """Tell whether queries are answered now: 200, or 503 while they are not."""
    answer = service.health()
    if answer.status != "ok":
        response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
    return answer


async def _answered(request: Request, answers: Answers, asked: Asked) -> Response:
    """Answer as the client wishes, whole or in events, unless it leaves."""
    if EVENTS not in request.headers.get("accept", ""):
        body = await unless_left(request.receive, answers.answer(asked))
        return Response(body, media_type="application/json")
    events = answers.events(asked)
    # What cannot be answered at all is no stream, and has its own status.
    first = await unless_left(request.receive, anext(events))
    return EventStream(_stream(request, first, events))


async def _stream(
    request: Request, first: Event, others: AsyncGenerator[Event]
) -> AsyncGenerator[Event]:
    """Yield the events of an answer that has begun, to its end."""
    async with aclosing(others):
        yield first
        try:
            async for event in others:
                yield event
        except Exception as error:  # the status was sent; this says what happened
            if not isinstance(error, RetrievalsError):
                logger.exception("an answer that had begun failed")
            yield "error", problems.problem_of(request, error).model_dump_json().encode()
        else:
            yield "done", b"{}"


def _as_json(page: Page, metrics: Metrics) -> Response:
    """Return and count an answer that needs no model."""
    metrics.answered(latency_ms=page.latency_ms, timings=page.timings, degraded=page.degraded)
    # A model of the answer would only check again, work by work, what the engine has made.
    return Response(to_json(page.to_dict()), media_type="application/json")
