"""`docs/api.md` says what the API does, and its examples run."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from docs.api import document, page
from retrievals_serving import pages
from retrievals_serving.api import create_app
from retrievals_serving.filters import LISTS, NUMBERS, TEXTS, parse_filters
from tests.serving.client import client_of
from tests.serving.fake_reranker import FakeReranker, opened
from tests.serving.small_release import WORKS
from tests.serving.test_search_image import LookingEmbedder

ROOT = Path(__file__).parents[2]
DOCS = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
HEADING_OR_EXAMPLE = re.compile(r"^#+ (.*?)$|```sh\n(.*?)```", re.MULTILINE | re.DOTALL)


def test_the_docs_say_what_the_document_says() -> None:
    assert page() == DOCS, "run python docs/api.py"


def test_every_endpoint_and_every_field_is_explained() -> None:
    described = document()
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            assert f"`{method.upper()} {path}`" in DOCS
            assert operation["description"]
            for parameter in operation.get("parameters", ()):
                assert parameter.get("description"), (path, parameter["name"])
    for name in (
        "SearchRequest",
        "ImageForm",
        "MoreRequest",
        "Page",
        "Result",
        "Metadata",
        "Stats",
    ):
        for field, schema in described["components"]["schemas"][name]["properties"].items():
            assert schema.get("description"), (name, field)


def test_every_reference_of_the_document_leads_somewhere() -> None:
    text = json.dumps(described := document())
    for reference in set(re.findall(r'"\$ref": "#/(.*?)"', text)):
        found: Any = described
        for name in reference.split("/"):
            found = found[name]


def test_every_word_for_what_an_answer_lacks_is_explained() -> None:
    words = {
        *(pages.DEADLINE, pages.PICTURES, pages.RERANKER),
        *(pages.EMBEDDER, pages.CACHE, pages.EXPLANATION),
    }
    table = DOCS.partition("| word | meaning |")[2].partition("\n\n")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == words
    field = document()["components"]["schemas"]["Page"]["properties"]["degraded"]
    assert set(re.findall(r"`(\w+)`", field["description"])) == words


def test_the_grammar_of_filters_is_the_one_that_is_read() -> None:
    search = document()["components"]["schemas"]["SearchRequest"]
    grammar = search["properties"]["filters"]["anyOf"][0]
    assert set(grammar["properties"]) == {*TEXTS, *NUMBERS, *LISTS, "not"}
    examples: dict[str, Any] = {"string": "a", "integer": 1, "object": {}}
    for field, schema in grammar["properties"].items():
        for kind in schema.get("anyOf", [schema]):
            value: Any = examples.get(kind["type"])
            if kind["type"] == "array":
                value = [examples[kind["items"]["type"]]]
            elif operators := kind.get("properties"):
                value = {name: examples[each["type"]] for name, each in operators.items()}
            parse_filters({field: value})


def examples() -> Iterator[tuple[str, str]]:
    """Each example, by the last heading before it."""
    heading = ""
    for match in HEADING_OR_EXAMPLE.finditer(DOCS):
        if match[1]:
            heading = match[1].replace("`", "")
        else:
            yield heading, match[2]


@contextmanager
def shell(home: Path, folder: Path) -> Iterator[Callable[[str], str]]:
    """Run examples as a reader does who has a server, a work's id and a picture of their own."""
    Image.new("RGB", (64, 48), "navy").save(folder / "picture.jpg")
    (folder / ".curlrc").write_text("fail-with-body\n", encoding="utf-8")
    with (
        opened(home, FakeReranker(), embedder=LookingEmbedder(), rerank_deadline=1e9) as engine,
        client_of(create_app(engine=engine)) as client,
    ):

        def run(example: str) -> str:
            lines = example.replace("http://127.0.0.1:8000", str(client.base_url).rstrip("/"))
            done = subprocess.run(
                ["bash", "-ec", lines.replace("nga:46569", "test:1003")],
                cwd=folder,
                env={
                    "HOME": str(folder),
                    "PATH": "/usr/bin:/bin",
                    "URL": str(client.base_url).rstrip("/"),
                    "KEY": "a key",
                },
                capture_output=True,
                text=True,
                check=False,
                timeout=60,
            )
            assert done.returncode == 0, f"{example}\n{done.stdout}\n{done.stderr}"
            return done.stdout

        yield run


def lines(printed: str) -> list[Any]:
    return [json.loads(line) for line in printed.splitlines()]


def ranks(count: int) -> Callable[[str], bool]:
    """What tells whether `count` works were printed, best first."""
    return lambda printed: [each[0] for each in lines(printed)] == list(range(1, count + 1))


# What each example prints, by its heading.
PRINTS: dict[str, Callable[[str], bool]] = {
    "The HTTP API": ranks(8),
    "Pages": lambda printed: lines(printed) == [[9, 10, 11, 12, 13]],
    "Streams": lambda printed: (
        printed.split() == ["event:", "vector", "event:", "reranked", "event:", "done"]
    ),
    "Filters": lambda printed: (
        all(
            kind in {"Painting", "Drawing"} and 1500 <= year < 1900 and "horse" not in title
            for kind, year, title in lines(printed)
        )
        and len(lines(printed)) == 8
    ),
    "GET /facets": lambda printed: json.loads(printed)["values"][0].keys() == {"value", "count"},
    "What shall not be seen": lambda printed: lines(printed) == [["a lonely boat", "people", 8]],
    "Search by picture": ranks(3),
    "GET /artworks/{artwork_id}/similar": ranks(3),
    "Condition by condition": lambda printed: (
        [each[:2] for each in lines(printed)]
        == [["a boat", False], ["night", False], ["people", True]]
    ),
    "In words": lambda printed: lines(printed) == [[None, ["explanation"]]],
    "Works and their pictures": lambda printed: lines(printed)[0][0] == "test:1003",
    "What is kept": lambda printed: printed == "304\n",
    "Who may ask, and how often": lambda printed: lines(printed) == ["test:1003"] * 2,
    "Problems": lambda printed: json.loads(printed)["errors"][0]["field"] == "top_k",
    "The server": lambda printed: [each[0] for each in lines(printed)[:2]] == ["ok", WORKS],
}


def test_the_examples_print_what_they_promise(home: Path, tmp_path: Path) -> None:
    if lacking := [program for program in ("curl", "jq") if shutil.which(program) is None]:
        assert "CI" not in os.environ, f"{lacking} not installed"
        pytest.skip(f"{lacking} not installed")
    ran = set()
    with shell(home, tmp_path) as run:
        for heading, example in examples():
            printed = run(example)
            assert PRINTS[heading](printed), f"{heading}\n{example}\n{printed}"
            ran.add(heading)
    assert ran == PRINTS.keys()
