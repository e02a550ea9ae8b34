"""Queries are answered by the work they were drawn from, and are of the kind that was asked for."""

import random

import pytest

from retrievals_pipeline.miniature.scenes import Subject
from retrievals_pipeline.miniature.truth.asking import QUERY_KINDS, ask, description_of
from retrievals_pipeline.miniature.truth.facts import Fact
from retrievals_pipeline.miniature.truth.relevance import Query, relevance
from tests.miniature.scenes_by_hand import drawn, made

WORKS = list(drawn(150))
OTHERS = [degrees for _, degrees in WORKS]


def queries(kind: str, seed: int = 1) -> list[Query | None]:
    chance = random.Random(seed)
    return [ask(chance, kind, shown, degrees, OTHERS) for shown, degrees in WORKS]


def asked(kind: str) -> list[Query]:
    return [query for query in queries(kind) if query is not None]


@pytest.mark.parametrize("kind", QUERY_KINDS)
def test_a_query_is_answered_by_the_work_it_was_drawn_from(kind: str) -> None:
    found = 0
    for query, (_, degrees) in zip(queries(kind), WORKS, strict=True):
        if query is not None:
            found += 1
            assert relevance(query, degrees) == 3, query
    assert found > len(WORKS) / 2


@pytest.mark.parametrize("kind", QUERY_KINDS)
def test_equal_seeds_ask_the_same_and_others_something_else(kind: str) -> None:
    assert queries(kind) == queries(kind)
    assert queries(kind) != queries(kind, seed=2)


def test_each_kind_asks_what_its_name_says() -> None:
    assert all(len(query.wanted) == 1 for query in asked("attribute"))
    assert all(len(query.wanted) <= 3 for query in asked("attributes"))
    several = [query for query in asked("attributes") if len(query.wanted) > 1]
    assert len(several) > 0.8 * len(WORKS)
    assert all(query.wanted[0].facet == "count" for query in asked("count"))
    for query in asked("mood"):
        assert [fact.facet for fact in query.wanted].count("mood") == 1
    assert all(len(query.wanted) >= 4 for query in asked("description"))


def test_only_negations_rule_something_out_and_some_other_work_has_it() -> None:
    for kind in set(QUERY_KINDS) - {"negation"}:
        assert not any(query.unwanted for query in asked(kind))
    for query in asked("negation"):
        (unwanted,) = query.unwanted
        assert unwanted not in query.wanted
        assert any(
            degrees.get(unwanted, 0) == 1 and relevance(Query(query.wanted), degrees) == 3
            for degrees in OTHERS
        )


def test_nothing_is_asked_twice() -> None:
    for kind in QUERY_KINDS[:-1]:
        for query in asked(kind):
            assert len(set(query.wanted)) == len(query.wanted)


def test_a_plural_is_asked_only_where_there_are_two_or_more() -> None:
    plurals = 0
    for kind in QUERY_KINDS:
        for query, (_, degrees) in zip(queries(kind), WORKS, strict=True):
            for fact in query.wanted if query else ():
                if fact.value == "several":
                    plurals += 1
                    assert degrees[fact] == 1
    assert plurals > 50


def test_no_colour_is_asked_of_a_thing_in_light_that_hides_it() -> None:
    for kind in QUERY_KINDS:
        for query, (shown, _) in zip(queries(kind), WORKS, strict=True):
            if query and (shown.candlelit or shown.time_of_day == "night"):
                assert not [fact for fact in query.wanted if fact.facet == "color" and fact.of]


def test_what_cannot_be_counted_is_no_query_of_count() -> None:
    shown, degrees = next(each for each in WORKS if each[0].setting == "portrait")
    assert ask(random.Random(1), "count", shown, degrees, OTHERS) is None


def test_a_description_says_everything() -> None:
    shown = made(Subject("sailing boat", 3, "red"), Subject("moon"), time_of_day="night")
    said = (
        Fact("count", "3", "sailing boat"),
        Fact("color", "red", "sailing boat"),
        Fact("thing", "moon"),
        Fact("time", "night"),
        Fact("weather", "clear"),
        Fact("mood", "calm"),
        Fact("manner", "oil"),
        Fact("place", "sea"),
    )
    subjects, rest = description_of(shown, dict.fromkeys(said, 1.0))
    assert {*subjects, *rest} == set(said)
    assert subjects[0] == Fact("count", "3", "sailing boat")
