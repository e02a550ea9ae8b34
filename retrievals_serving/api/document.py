"""The OpenAPI document, which `/openapi.json` gives and `docs/api.md` is made of."""

from typing import Any

from fastapi import FastAPI

from retrievals_serving.api.access import OPEN, is_counted
from retrievals_serving.api.schemas.server import Problem
from retrievals_serving.api.visitors import COOKIE

SECURITY_SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "An API key."},
    "key": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "An API key."},
    "visitor": {
        "type": "apiKey",
        "in": "cookie",
        "name": COOKIE,
        "description": "What the page gives its visitors.",
    },
}


class DescribedAPI(FastAPI):
    """FastAPI whose document also has what its middleware does: problems, and who may ask."""

    def openapi(self) -> dict[str, Any]:
        """Return the document, made when it is first asked for."""
        if self.openapi_schema is None:
            document = super().openapi()
            problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
            components = document["components"]
            components["schemas"] |= problem.pop("$defs") | {"Problem": problem}
            components["securitySchemes"] = SECURITY_SCHEMES
            # The empty one: where no keys are set, everyone may ask.
            document["security"] = [{}, *({name: []} for name in SECURITY_SCHEMES)]
            for path, operations in document["paths"].items():
                for operation in operations.values():
                    _leave_out(path, operation)
        return self.openapi_schema or {}


def _leave_out(path: str, operation: dict[str, Any]) -> None:
    """Take out of the description of an operation the problems that it cannot have."""
    if OPEN.fullmatch(path):
        operation["security"] = []
        del operation["responses"]["401"]
    if not is_counted(path):
        del operation["responses"]["429"]
    if not operation.keys() & {"parameters", "requestBody"}:
        del operation["responses"]["422"]
