"""Every error leaves as `application/problem+json` (RFC 9457), never as a traceback."""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from retrievals_serving.api.leaving import CLIENT_LEFT, ClientLeft
from retrievals_serving.api.schemas import FieldProblem, Problem
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


def install(app: FastAPI) -> None:
    """Let `app` answer every error that is foreseen as a problem; `edge` does the others."""
    app.add_exception_handler(ClientLeft, _nothing)
    for kind in (RetrievalsError, RequestValidationError, HTTPException):
        app.add_exception_handler(kind, answer)


def described(model: type[BaseModel]) -> dict[str, Any]:
    """Return how OpenAPI describes the answers that are problems."""
    return {
        "description": "A problem",
        "content": {MEDIA_TYPE: {"schema": model.model_json_schema()}},
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
