"""Facets count what there is, over the collection, what a filter keeps, and what a query finds."""

import json
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import httpx
import pytest

from retrievals_serving import SearchEngine, Settings
from retrievals_serving.engine import MAX_FACET_VALUES
from retrievals_serving.errors import QueryError
from retrievals_serving.filters import FACETS
from tests.serving.test_api import problem
from tests.serving.test_filters import matches, random_filters, value_of


def counted(records: Sequence[Mapping[str, Any]], field: str) -> list[tuple[str, int]]:
    """In the plainest words."""
    counts: Counter[str] = Counter()
    for record in records:
        value = value_of(record, field)
        counts.update(set(value) if isinstance(value, list) else [str(value)] if value else [])
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


@pytest.mark.parametrize("field", FACETS)
def test_facets_of_the_collection(
    engine: SearchEngine, records: list[dict[str, Any]], field: str
) -> None:
    assert list(engine.facets(field).items()) == counted(records, field)[:MAX_FACET_VALUES]


@pytest.mark.parametrize("seed", range(20))
def test_facets_of_what_a_filter_keeps(
    engine: SearchEngine, records: list[dict[str, Any]], seed: int
) -> None:
    chance = random.Random(seed)
    filters, field = random_filters(chance), chance.choice(FACETS)
    kept = [record for record in records if matches(record, filters)]
    assert (
        list(engine.facets(field, filters=filters).items())
        == counted(kept, field)[:MAX_FACET_VALUES]
    )


@pytest.mark.parametrize("filters", [None, {"classification": "Painting"}])
def test_facets_of_what_a_query_finds(
    engine: SearchEngine, records: list[dict[str, Any]], filters: dict[str, Any] | None
) -> None:
    by_id = {record["id"]: record for record in records}
    page = engine.search("stormy boat", top_k=100, filters=filters)
    found = [by_id[result.id] for result in page.results]
    assert 0 < len(found) == page.window
    facets = engine.facets("artist", query=" stormy boat ", filters=filters)
    assert list(facets.items()) == counted(found, "artist")


def test_facets_have_an_address(client: httpx.Client, engine: SearchEngine) -> None:
    asked = {
        "field": "classification",
        "query": "stormy boat",
        "filters": json.dumps({"begin_year": {"gte": 1600}}),
    }
    body = client.get("/facets", params=asked).json()
    expected = engine.facets(
        "classification", query="stormy boat", filters={"begin_year": {"gte": 1600}}
    )
    assert {each["value"]: each["count"] for each in body["values"]} == expected
    assert body["field"] == "classification"


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        ({"field": "title"}, "choose from artist, century, classification"),
        ({"field": "artist; drop table artworks"}, "choose from artist, century, classification"),
        ({"field": "artist", "filters": "{"}, "filters: no JSON"),
        ({"field": "artist", "filters": "[1]"}, "expected an object of fields"),
        ({"field": "artist", "filters": '{"no": 1}'}, "there is no field"),
        ({"field": "artist", "query": " "}, "query: expected 1 to 512"),
        ({}, "field"),
    ],
)
def test_what_cannot_be_counted_is_said(
    client: httpx.Client, asked: dict[str, str], named: str
) -> None:
    response = client.get("/facets", params=asked)
    assert response.status_code == 422
    assert named in json.dumps(problem(response), ensure_ascii=False)


def test_a_facet_of_nothing_is_empty(engine: SearchEngine) -> None:
    assert engine.facets("artist", filters={"title": {"contains": "no such title"}}) == {}
    with pytest.raises(QueryError, match="choose from"):
        engine.facets("credit")


def test_each_work_of_an_answer_can_have_a_value_of_its_own() -> None:
    assert Settings.model_fields["window"].default <= MAX_FACET_VALUES
