"""Filters pick exactly the works that they describe, and say what they do not understand."""

import random
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from retrievals_serving.engine import SearchEngine
from retrievals_serving.errors import QueryError
from retrievals_serving.filters import COMPARISONS
from retrievals_serving.metadata import Metadata
from retrievals_serving.release import METADATA
from tests.serving.small_release import WORKS

COMPARE = {
    "gte": lambda value, bound: value >= bound,
    "gt": lambda value, bound: value > bound,
    "lte": lambda value, bound: value <= bound,
    "lt": lambda value, bound: value < bound,
}


@pytest.fixture(scope="module")
def metadata(engine: SearchEngine) -> Iterator[Metadata]:
    with Metadata(engine.release.path(METADATA)) as opened:
        yield opened


def matches(record: Mapping[str, Any], filters: Mapping[str, Any]) -> bool:
    """What the grammar says, in the plainest words."""
    return all(
        not matches(record, condition)
        if field == "not"
        else matches_field(value_of(record, field), condition)
        for field, condition in filters.items()
    )


def value_of(record: Mapping[str, Any], field: str) -> Any:
    """What a record says in a field, or in one that follows from another."""
    if field != "century":
        return record[field]
    year = record["begin_year"]
    return None if year is None else -(-year // 100)


def matches_field(value: Any, condition: Any) -> bool:
    if isinstance(condition, Mapping):
        if "contains" in condition:
            return condition["contains"].lower() in value.lower()
        return value is not None and all(
            COMPARE[operator](value, bound) for operator, bound in condition.items()
        )
    wanted = condition if isinstance(condition, list) else [condition]
    return bool(set(value) & set(wanted)) if isinstance(value, list) else value in wanted


def random_filters(chance: random.Random, depth: int = 0) -> dict[str, Any]:
    """Any filter of the grammar over the values that the release has, and some that it has not."""
    conditions: dict[str, Any] = {
        "classification": chance.choice(["Painting", ["Print", "Drawing"], "Sculpture"]),
        "artist": chance.choice(["O'Keeffe", ["Claude Monet", "Eugène Boudin"]]),
        "century": chance.choice([19, [15, 18], {"gte": 18}, {"lt": 17}]),
        "title": {"contains": chance.choice(["BOAT", "%", "_", "été", "' or 1=1 --", ""])},
        "begin_year": chance.choice(
            [
                1500,
                [1550, 1600],
                {chance.choice(list(COMPARISONS)): 1700},
                {"gt": 1600, "lte": 1800},
            ]
        ),
        "keyword": chance.choice(["boat", ["sky", "boats"], "none"]),
        "theme": chance.choice(["sea", ["sea", "land"]]),
    }
    picked = {name: conditions[name] for name in chance.sample(list(conditions), k=2)}
    if depth < 3 and chance.random() < 0.5:
        picked["not"] = random_filters(chance, depth + 1)
    return picked


@pytest.mark.parametrize("seed", range(60))
def test_a_filter_matches_what_brute_force_matches(
    metadata: Metadata, records: list[dict[str, Any]], seed: int
) -> None:
    filters = random_filters(random.Random(seed))
    expected = [record["row"] for record in records if matches(record, filters)]
    assert metadata.rows_matching(filters).tolist() == expected


def test_a_filter_and_its_not_make_the_whole(metadata: Metadata) -> None:
    years = {"begin_year": {"gte": 1700}}
    some, others = metadata.rows_matching(years), metadata.rows_matching({"not": years})
    assert 0 < len(some) < WORKS
    assert sorted([*some, *others]) == list(range(WORKS))


@pytest.mark.parametrize(
    ("filters", "message"),
    [
        ({"painter": "Monet"}, "no field 'painter'; choose from artist, begin_year, .*, width"),
        ({"row": 1}, "no field 'row'"),
        ({"title": {"like": "boat"}}, "'title' takes the operators contains, not 'like'"),
        ({"title": {"contains": "a", "gte": "b"}}, "not 'gte'"),
        ({"begin_year": {"contains": "1"}}, "takes the operators gte, gt, lte, lt, not 'contains'"),
        ({"begin_year": {}}, "not none"),
        ({"begin_year": "1900"}, "'begin_year' is compared with whole numbers, not with '1900'"),
        ({"begin_year": True}, "not with True"),
        ({"begin_year": float("nan")}, "not with nan"),
        ({"begin_year": {"gte": 10**30}}, "not with 1000000"),
        ({"title": 5}, "'title' is compared with texts, not with 5"),
        ({"title": "\ud800"}, "no valid Unicode"),
        ({"title": None}, "not with None"),
        ({"artist": []}, "a list of 1 to 256 values, got 0"),
        ({"artist": ["a"] * 257}, "got 257"),
        ({"artist": "a" * 513}, "'artist' .* texts of up to 512 characters, got 513"),
        ({"title": {"contains": "a" * 513}}, "got 513"),
        ({"keyword": ["a", "a" * 513]}, "got 513"),
        ({"keyword": ["a"] * 257}, "got 257"),
        ({"century": [18] * 257}, "got 257"),
        ({"keyword": {"contains": "boat"}}, "'keyword' takes no operators"),
        ({"not": "Print"}, "expected an object of fields, got 'Print'"),
        ({"\ud800": 1}, r"no field '\\ud800'"),
    ],
)
def test_a_filter_that_is_not_understood_says_what_would_be(
    metadata: Metadata, filters: dict[str, Any], message: str
) -> None:
    with pytest.raises(QueryError, match=message):
        metadata.rows_matching(filters)


def test_a_filter_nested_without_end_is_refused(metadata: Metadata) -> None:
    filters: dict[str, Any] = {"title": "a"}
    for _ in range(50):
        filters = {"not": filters}
    with pytest.raises(QueryError, match="nested more than 8 times"):
        metadata.rows_matching(filters)
