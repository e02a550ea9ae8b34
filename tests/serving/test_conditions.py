"""The conditions of queries, and which pictures meet them."""

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from retrievals_serving.conditions import MAX_CONDITIONS, Condition, conditions_of, verdicts
from retrievals_serving.errors import SearchCancelled
from retrievals_serving.questions import MAX_QUERY, clean_text
from tests.serving.fake_reranker import FakeReranker, opened

# Queries of visitors, and their conditions; "!" is one that must not be met.
QUERIES = """
    a lonely boat in stormy seas under a dark moonlit sky
        = a lonely boat | stormy seas | a dark moonlit sky
    old man reading by candlelight = old man reading | candlelight
    blue and gold, Byzantine, devotional = blue | gold | Byzantine | devotional
    melancholy figure in candlelight = melancholy figure | candlelight
    winter storm, trees = winter storm | trees
    two ships at sunset = two ships | sunset
    horses, riders; a battle = horses | riders | a battle
    people walking in the rain with umbrellas = people walking | the rain | umbrellas
    flowers in a vase on a table by a window = flowers | a vase | a table | a window
    bridge over a river at dawn = bridge | a river | dawn
    girl with a pearl earring = girl | a pearl earring
    A boat in front of a lighthouse. = A boat | a lighthouse
    sunny but cold = sunny | cold
    a man & a woman dancing = a man | a woman dancing
    a storm over the sea as well as a rainbow = a storm | the sea | a rainbow
    SHIPS AND TREES = SHIPS | TREES
    not only boats but also ships = boats | ships
    a dog, but not just a dog: a cat, but also a cow = a dog | a dog: a cat | a cow
    portrait in the style of Rembrandt = portrait | the style of Rembrandt
    Still life with fruit = Still life | fruit
    lemons, still life, dark background = lemons | still life | dark background
    a fight with swords, and in the background a castle
        = a fight | swords | in the background a castle
    trees and trees by a lake = trees | a lake

    portrait of a woman with a dog but no man = portrait of a woman | a dog | ! a man
    red painting but no blue = red painting | ! blue
    church interior, no people = church interior | ! people
    kitchen with no old oven = kitchen | ! an old oven
    meadow, no animals, no fence, flowers = meadow | ! animals | ! a fence | flowers
    no people = ! people
    not a landscape = ! a landscape
    drawing of hands, not paintings = drawing of hands | ! paintings
    the sea without a boat = the sea | ! a boat
    a table without bread and wine, candle = a table | ! bread and wine | candle
    landscape without people and houses, river = landscape | ! people | ! houses | river
    a street without people or cars = a street | ! people or cars
    no man with a hat, beach = ! a man with a hat | beach
    a park with no one in it = a park | no one
    a boat (no people) = a boat | ! people
    a street [at night] (with no man, no dog), rain = a street | night | ! a man | ! a dog | rain

    woman dressed in white beside a piano = woman | dressed in white | a piano
    mountains covered with snow = mountains | covered with snow
    a room, brightly lit by the sun = a room | brightly lit by the sun
    woman looking at the sea = woman | looking at the sea
    black and white photograph of a city at night
        = black and white photograph of a city | night
    Mother and child in a garden = Mother and child | a garden
    man on horseback and two dogs = man on horseback | two dogs
    Samson and Delilah, night scene = Samson and Delilah | night scene
    Saint George and the Dragon by a cave = Saint George and the Dragon | a cave
    "Girl with a Pearl Earring", drawing = Girl with a Pearl Earring | drawing
    "Boats (1890)", drawing = Boats (1890) | drawing
    Symphony in White, No. 1 = Symphony in White | No. 1
    oil on canvas, 1,000 ships = oil on canvas | 1,000 ships
    cat, dog, cow, ox, hen, goat, no sheep = cat | dog | cow | ox | hen | goat
"""
WHOLE = """
    sunflowers
    Adoration of the Magi
    Adam and Eve
    Virgin and Child
    Rest on the Flight into Egypt
    Boats in Venice
    cherry trees in bloom
    castle in the distance
    mother-in-law
    Composition No. 5
    cats or dogs
    In the garden
    not only the sea
    (sunflowers)
    on the, and with
    boat, boat
    the
    !?,
    海と船
    🌊
"""


def read(condition: str) -> Condition:
    text = condition.strip()
    return Condition(text.removeprefix("! "), is_negative=text.startswith("! "))


def table() -> list[tuple[str, list[Condition]]]:
    lines = QUERIES.replace("\n        =", " =").splitlines()
    rows = [line.split(" = ") for line in lines if line.strip()]
    rows += [[line, line] for line in WHOLE.splitlines() if line.strip()]
    return [(query.strip(), [read(one) for one in told.split(" | ")]) for query, told in rows]


@pytest.mark.parametrize(("query", "expected"), table())
def test_the_conditions_of_a_query_are_what_its_visitor_asks_for(
    query: str, expected: list[Condition]
) -> None:
    assert conditions_of(query) == expected


@pytest.mark.parametrize("seed", range(50))
def test_any_query_has_a_few_conditions_that_are_parts_of_it_in_its_order(seed: int) -> None:
    query = random_query(random.Random(seed))
    conditions = conditions_of(query)
    assert conditions == conditions_of(query)
    assert 1 <= len(conditions) <= MAX_CONDITIONS
    assert len(set(conditions)) == len(conditions)
    place = 0
    for condition in conditions:
        assert condition.text.strip()
        text = condition.text
        if text not in query[place:]:
            assert condition.is_negative
            text = text.removeprefix("an ").removeprefix("a ")
        place = query.index(text, place) + len(text)


def random_query(chance: random.Random) -> str:
    """Up to 512 characters: words that separate, others, and any that Unicode has."""
    words = (
        "and with no without not but also only in on at covered looking the a Eve still life "
        ', ; " “ ” ( ] . -'
    )
    query = ""
    while len(query) < chance.randrange(1, 2 * MAX_QUERY):
        word = chance.choice([*words.split(" "), "boat", "\n", any_text(chance)])
        query += word + chance.choice([" ", " ", " ", "", ", "])
    return clean_text("query", query[:MAX_QUERY].strip() or "boat")


def any_text(chance: random.Random) -> str:
    codes = (chance.randrange(chance.choice([0x80, 0x3000, 0x110000])) for _ in range(3))
    return "".join(chr(code) for code in codes if not 0xD800 <= code < 0xE000)


def test_a_work_meets_a_condition_from_a_score_of_a_half_and_a_negative_one_below() -> None:
    conditions = [Condition("boat"), Condition("man", is_negative=True)]
    scores: Any = [[0.0, 0.49, 0.5, 1.0, np.nan], [0.0, 0.49, 0.5, 1.0, np.nan]]
    judged = verdicts(conditions, np.array(scores, dtype=np.float32))
    assert [[each.met for each in work] for work in judged] == [
        *([False, True], [False, True], [True, False], [True, False], [None, None])
    ]
    assert [each.score for each in judged[3]] == [1.0, 1.0]
    assert [(each.condition, each.negative, each.score) for each in judged[4]] == [
        *(("boat", False, None), ("man", True, None))
    ]


def test_of_no_works_there_are_no_verdicts() -> None:
    assert verdicts([Condition("boat")], np.empty((1, 0), dtype=np.float32)) == []


def test_no_more_conditions_are_judged_for_whoever_has_left(home: Path) -> None:
    reranker = FakeReranker()
    with opened(home, reranker, rerank_deadline=1e9) as engine:
        with pytest.raises(SearchCancelled):
            engine.search(
                "a boat, a horse, the sea",
                explain="conditions",
                cancelled=lambda: len(reranker.asked) == 2,  # the query, and its first condition
            )
        assert engine.spared.searches == 1
    assert [query for query, _ in reranker.asked] == ["a boat, a horse, the sea", "a boat"]
