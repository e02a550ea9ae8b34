"""Write docs/api.md of what the API says of itself: `python docs/api.py`.

The prose is that of docs/api.in.md. Of its comments `<!-- POST /search -->` becomes what the
operation takes, `<!-- Page -->` the fields of the schema, `<!-- filters -->` those of filters, and
`<!-- statuses -->` the problems.
"""

import json
import re
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

from retrievals_serving.api import create_app
from retrievals_serving.api.problems import MEANINGS
from retrievals_serving.filters import COMPARISONS, FACETS, LISTS, NUMBERS, TEXTS
from retrievals_serving.settings import Settings

DOCS = Path(__file__).parent
PLACE = re.compile(r"<!-- (.+?) -->")
HEADING = re.compile(r"^#+ (\w+)$", re.MULTILINE)
OPERATION = re.compile(r"(GET|POST) (/\S+)")
EVERYWHERE = {"401", "429", "500", "503"}  # problems that are told once, for all operations


def main() -> None:
    """Write it."""
    (DOCS / "api.md").write_text(page(), encoding="utf-8")


def document() -> dict[str, Any]:
    """Return the OpenAPI document, which hangs on no setting."""
    return create_app(Settings.model_construct(home=Path())).openapi()


def page() -> str:
    """Return `docs/api.md`."""
    prose = (DOCS / "api.in.md").read_text(encoding="utf-8")
    api = Api(document(), headed=HEADING.findall(prose))
    return PLACE.sub(lambda place: api.at(place[1]), prose)


class Api:
    """The tables of an OpenAPI document; `headed` are the schemas that have a heading."""

    def __init__(self, document: dict[str, Any], headed: Collection[str]) -> None:
        self._headed = headed
        self._paths = document["paths"]
        self._schemas = document["components"]["schemas"]

    def at(self, place: str) -> str:
        """Return what stands where the prose has `<!-- place -->`."""
        if match := OPERATION.fullmatch(place):
            return self._operation(match[2], self._paths[match[2]][match[1].lower()])
        if place == "filters":
            return filters()
        if place == "statuses":
            lines = [row([f"`{status}`", said]) for status, said in MEANINGS.items()]
            return "\n".join([row(["status", "when"]), row(["---"] * 2), *lines])
        return self._fields(self._schemas[place])

    def _operation(self, path: str, operation: dict[str, Any]) -> str:
        """Return what an operation takes, and what else than an answer it may say."""
        parts = []
        if parameters := operation.get("parameters"):
            lines = [
                row(
                    [
                        f"`{each['name']}`",
                        each["in"],
                        self._kind(each["schema"]),
                        self._default(each["schema"], is_required=each["required"]),
                        each.get("description", ""),
                    ]
                )
                for each in parameters
            ]
            head = [row(["parameter", "in", "type", "default", "what it is"]), row(["---"] * 5)]
            parts.append("\n".join([*head, *lines]))
        if body := operation.get("requestBody"):
            ((media_type, content),) = body["content"].items()
            parts.append(f"The body is `{media_type}`:")
            parts.append(self._fields(self._schemas[name_of(content["schema"])]))
        special = sorted(set(operation["responses"]) - EVERYWHERE - {"200"})
        if special:
            parts.append(f"It may also answer {', '.join(f'`{status}`' for status in special)}.")
        return "\n\n".join(parts) or f"`{path}` takes nothing."

    def _fields(self, schema: dict[str, Any]) -> str:
        """Return a table of the fields of a schema; with defaults where it has any."""
        required = schema.get("required", [])
        fields = schema["properties"].items()
        is_asked = any("default" in field for _, field in fields)
        head = ["field", "type", *(["default"] if is_asked else []), "what it is"]
        lines = [row(head), row("---" for _ in head)]
        for name, field in fields:
            default = self._default(field, is_required=name in required)
            said = field.get("description", "")
            cells = [f"`{name}`", self._kind(field), *([default] if is_asked else []), said]
            lines.append(row(cells))
        return "\n".join(lines)

    def _default(self, schema: dict[str, Any], *, is_required: bool) -> str:
        return "*required*" if is_required else code(schema.get("default"))

    def _kind(self, schema: dict[str, Any]) -> str:
        """Return in words what values a schema allows."""
        if "$ref" in schema:
            name = name_of(schema)
            return f"[{name}](#{name.lower()})" if name in self._headed else "object"
        if kinds := schema.get("anyOf"):
            return " or ".join(self._kind(each) for each in kinds)
        if "enum" in schema or "const" in schema:
            return " or ".join(code(value) for value in values_of(schema))
        if schema["type"] == "array":
            return f"list of {self._kind(schema['items'])}"
        if schema["type"] == "object":
            values = schema.get("additionalProperties")
            return f"object of {self._kind(values)}" if values else "object"
        return bounded(schema)


def bounded(schema: dict[str, Any]) -> str:
    """Return in words what single values a schema allows."""
    if schema.get("contentMediaType") or schema.get("format") == "binary":
        return "file"
    if "maximum" in schema:
        return f"{schema['type']}, {schema['minimum']:g} to {schema['maximum']:g}"
    if "maxLength" in schema:
        return f"string, {schema['minLength']} to {schema['maxLength']} characters"
    if "pattern" in schema:
        return f"string, `{schema['pattern']}`"
    return str(schema["type"])


def values_of(schema: dict[str, Any]) -> list[Any]:
    """Return the only values that a schema allows."""
    return schema["enum"] if "enum" in schema else [schema["const"]]


def name_of(schema: dict[str, Any]) -> str:
    """Return the name of the schema that another refers to."""
    return str(schema["$ref"]).rpartition("/")[2]


def filters() -> str:
    """Return which fields filters may name, and what each may be compared with."""
    lines = [
        row(["fields", "compared with"]),
        row(["---"] * 2),
        row([listed(TEXTS), 'a text, a list of which any may be it, or `{"contains": "boat"}`']),
        row([listed(NUMBERS), f"a whole number, a list, or bounds: {listed(COMPARISONS)}"]),
        row([listed(LISTS), "a text, or a list: any of the work's own terms is any of them"]),
        row(["`not`", "a filter that the work must not match"]),
    ]
    counted = f"The values of {listed(sorted(FACETS))} can be counted with `GET /facets`."
    return "\n".join([*lines, "", counted])


def code(value: object) -> str:
    """Return a value as JSON has it, as code."""
    return f"`{json.dumps(value)}`"


def row(cells: Iterable[str]) -> str:
    """Return a row of a Markdown table."""
    return f"| {' | '.join(cells)} |"


def listed(names: Iterable[str]) -> str:
    """Return names as code."""
    return ", ".join(f"`{name}`" for name in names)


if __name__ == "__main__":
    main()
