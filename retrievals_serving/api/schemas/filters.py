"""The grammar of filters as JSON Schema; `retrievals_serving.filters` is what reads them."""

from typing import Annotated, Any

from pydantic import WithJsonSchema

from retrievals_serving.filters import COMPARISONS, LISTS, MAX_VALUES, NUMBERS, TEXTS

TEXT = {"type": "string"}
NUMBER = {"type": "integer", "exclusiveMinimum": -(2**31), "exclusiveMaximum": 2**31}


def _any_of(value: dict[str, Any], operators: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return what a field is compared with: a value, a list of values, or operators."""
    values = {"type": "array", "items": value, "minItems": 1, "maxItems": MAX_VALUES}
    kinds = [value, values]
    if operators:
        kinds.append(
            {
                "type": "object",
                "properties": operators,
                "minProperties": 1,
                "additionalProperties": False,
            }
        )
    return {"anyOf": kinds}


def _schema() -> dict[str, Any]:
    """Return the schema of a filter; what stands within `not` is one in its turn."""
    text = _any_of(TEXT, {"contains": TEXT})
    number = _any_of(NUMBER, dict.fromkeys(COMPARISONS, NUMBER))
    fields = dict.fromkeys(TEXTS, text) | dict.fromkeys(NUMBERS, number)
    fields |= dict.fromkeys(LISTS, _any_of(TEXT)) | {"not": {"type": "object"}}
    return {"type": "object", "properties": fields, "additionalProperties": False}


# Parsed by `retrievals_serving.filters`, whose messages list what is known.
Filters = Annotated[dict[str, Any], WithJsonSchema(_schema())]
