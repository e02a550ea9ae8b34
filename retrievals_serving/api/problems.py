"""Every error leaves as `application/problem+json` (RFC 9457), never as a traceback."""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from retrievals_serving.api.leaving import CLIENT_LEFT, ClientLeft
from retrievals_serving.api.schemas.server import FieldProblem, Problem
from retrievals_serving.errors import (
    CursorExpired,
    CursorRefused,
    ModelError,
    PictureError,
    QueryError,
    ReleaseError,
    RetrievalsError,
    ServerBusy,
    UnknownArtwork,
)

logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
MAX_FIELDS = 8  # that one answer names

# An error has the status of the nearest of its ancestors here.
STATUS: Mapping[type, HTTPStatus] = {
    QueryError: HTTPStatus.UNPROCESSABLE_ENTITY,
    UnknownArtwork: HTTPStatus.NOT_FOUND,
    CursorRefused: HTTPStatus.BAD_REQUEST,
    CursorExpired: HTTPStatus.GONE,
    PictureError: HTTPStatus.UNPROCESSABLE_ENTITY,
    ReleaseError: HTTPStatus.SERVICE_UNAVAILABLE,
    ServerBusy: HTTPStatus.SERVICE_UNAVAILABLE,
    ModelError: HTTPStatus.SERVICE_UNAVAILABLE,
    RetrievalsError: HTTPStatus.INTERNAL_SERVER_ERROR,
}

# What each status means, in the OpenAPI document.
MEANINGS: Mapping[int, str] = {
    400: "The body is malformed, or the cursor is forged or belongs to another search.",
    401: "Keys are set, and the request has none that is known here.",
    404: "There is no such work, picture or address.",
    410: "The release of the cursor is no longer kept: search again.",
    413: "The body is too large.",
    422: "A field is missing, unknown, malformed or out of bounds.",
    429: "The limit of requests is reached.",
    500: "The server failed; its log says why.",
    503: "As many searches are under way as may, or no release or model can answer.",
}
HEADERS: Mapping[str, dict[str, Any]] = {
    name: {"description": description, "schema": {"type": kind}}
    for name, kind, description in (
        ("WWW-Authenticate", "string", "`Bearer`"),
        ("Retry-After", "integer", "Seconds after which to ask again."),
        ("RateLimit-Limit", "integer", "Requests that are allowed in a window."),
        ("RateLimit-Remaining", "integer", "Requests that are left of them."),
        ("RateLimit-Reset", "integer", "Seconds after which one more is allowed."),
    )
}
LIMIT = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")
SENT: Mapping[int, tuple[str, ...]] = {
    401: ("WWW-Authenticate",),
    429: (*LIMIT, "Retry-After"),
    503: ("Retry-After",),
}


def install(app: FastAPI) -> None:
    """Let `app` answer every error that is foreseen as a problem; `edge` does the others."""
    app.add_exception_handler(ClientLeft, _nothing)
    for kind in (RetrievalsError, RequestValidationError, HTTPException):
        app.add_exception_handler(kind, answer)


def described(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return how OpenAPI describes the answers of these statuses, which are problems."""
    return {
        status: {
            "description": MEANINGS[status],
            "headers": {name: HEADERS[name] for name in SENT.get(status, ())},
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status in statuses
    }


async def _nothing(_: Request, __: Exception) -> Response:
    return Response(status_code=CLIENT_LEFT)  # for the log: nobody is there


async def answer(request: Request, error: Exception) -> Response:
    """Return the answer to a request that failed with `error`."""
    problem = problem_of(request, error)
    headers = error.headers if isinstance(error, HTTPException) else None
    if isinstance(error, ServerBusy):
        headers = {"Retry-After": str(error.seconds)}
    return Response(problem.model_dump_json(), problem.status, headers, MEDIA_TYPE)


def problem_of(request: Request, error: Exception) -> Problem:
    """Return what is told of `error`; the log has what is not."""
    if isinstance(error, RequestValidationError):
        fields = [_field_problem(entry) for entry in error.errors()[:MAX_FIELDS]]
        detail = "; ".join(f"{entry.field}: {entry.message}" for entry in fields)
        return _titled(HTTPStatus.UNPROCESSABLE_ENTITY, detail, fields)
    if isinstance(error, HTTPException):
        status = HTTPStatus(error.status_code)
        unsaid = f"{request.method} {request.url.path} is not answered here."
        return _titled(status, unsaid if error.detail == status.phrase else error.detail)
    if isinstance(error, RetrievalsError):
        status = next(STATUS[kind] for kind in type(error).mro() if kind in STATUS)
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            logger.error("%s: %s", type(error).__name__, error)
        return _titled(status, str(error))
    # The server logs the traceback of what nobody foresaw.
    return _titled(HTTPStatus.INTERNAL_SERVER_ERROR, "The server failed; its log says why.")


def _field_problem(error: Mapping[str, Any]) -> FieldProblem:
    _, *path = error["loc"]  # which begins with body, path or query
    if error["type"] == "json_invalid":  # whose path is the place in the text
        return FieldProblem(field="body", message=f"no JSON: {error['ctx']['error']}")
    return FieldProblem(field=".".join(map(str, path)) or "body", message=error["msg"])


def _titled(status: HTTPStatus, detail: str, errors: list[FieldProblem] | None = None) -> Problem:
    return Problem(title=status.phrase, status=status.value, detail=detail, errors=errors or [])
