"""Every fact has words, sentences say what is asked, and bench and training share none of them."""

import random
import re
from collections.abc import Iterator

import pytest

from benchmarks import truth_queries
from retrievals_pipeline.miniature.descriptions import describe
from retrievals_pipeline.miniature.scenes import scene
from retrievals_pipeline.miniature.train.sentences import FORMS as TRAINING
from retrievals_pipeline.miniature.train.sentences import sentence
from retrievals_pipeline.miniature.truth.asking import QUERY_KINDS, ask
from retrievals_pipeline.miniature.truth.facts import Fact
from retrievals_pipeline.miniature.truth.phrasing import Forms, phrase_query
from retrievals_pipeline.miniature.truth.relevance import Query
from retrievals_pipeline.miniature.truth.words import lexicon
from tests.miniature.scenes_by_hand import drawn

WORKS = list(drawn(150))
OTHERS = [degrees for _, degrees in WORKS]
SENTENCES = 20_000
MUSEUM = 0  # seed of the museum that ships


def every_fact() -> list[Fact]:
    return sorted({fact for _, degrees in drawn(1500) for fact in degrees})


def bench_sentences() -> Iterator[str]:
    chance = random.Random(3)
    for _ in range(10):
        for shown, degrees in WORKS:
            for kind in QUERY_KINDS:
                query = ask(chance, kind, shown, degrees, OTHERS)
                if query is not None:
                    yield phrase_query(query, chance, truth_queries.FORMS)


@pytest.fixture(scope="module")
def training() -> set[str]:
    chance = random.Random(5)
    others = OTHERS[:48]
    said = set()
    for number in range(SENTENCES):
        shown, degrees = WORKS[number % len(WORKS)]
        said.add(sentence(chance, shown, degrees, others)[1].lower())
    return said


def parts(text: str) -> set[str]:
    return {part.strip().lower() for part in re.split(r"(?<=[.?!])\s", text)}


@pytest.mark.parametrize("forms", [TRAINING, truth_queries.FORMS], ids=["training", "bench"])
def test_every_fact_that_can_be_true_can_be_said_and_ruled_out(forms: Forms) -> None:
    chance = random.Random(1)
    for fact in every_fact():
        for query in (Query((fact,)), Query((Fact("thing", "tree"),), (fact,))):
            if fact.facet == "count" and query.unwanted:
                continue
            text = phrase_query(query, chance, forms)
            assert text
            assert "{" not in text
            assert "  " not in text


def test_every_word_is_of_a_fact_that_can_be_true() -> None:
    facts = set(every_fact())
    assert set(lexicon().facts) <= facts
    assert set(lexicon().faces) <= facts
    assert {Fact("thing", name) for name in lexicon().things} <= facts


def test_a_query_is_said_with_its_numbers_colours_and_what_is_ruled_out() -> None:
    query = Query(
        (Fact("count", "3", "apple"), Fact("color", "red", "apple"), Fact("genre", "still life")),
        (Fact("thing", "candle"),),
    )
    words = lexicon()
    for seed in range(200):
        text = phrase_query(query, random.Random(seed), truth_queries.FORMS)
        assert "apples" in text
        assert re.search(r"\b(three|3)\b", text)
        assert any(color in text for color in words.colors["red"])
        assert any(name in text for name in (*words.things["candle"].one, "candles"))
        assert re.search(r"\b(no|not|without|nothing)\b", text)


def test_what_only_a_picture_can_be_is_said_of_no_thing() -> None:
    query = Query((Fact("thing", "horse"), Fact("time", "dawn"), Fact("weather", "cloudy")))
    for seed in range(200):
        text = phrase_query(query, random.Random(seed), truth_queries.FORMS)
        assert not re.search(r"\b(dawn|early-morning|overcast|cloudy) (horse|pony|mare)", text)


def test_only_a_face_smiles() -> None:
    cheerful = Fact("mood", "cheerful")

    def said(thing: str) -> str:
        query = Query((Fact("thing", thing), cheerful))
        return " ".join(phrase_query(query, random.Random(seed), TRAINING) for seed in range(300))

    assert "smil" in said("old woman")
    assert "smil" not in said("ship")


def test_equal_seeds_say_the_same() -> None:
    one, two = list(bench_sentences()), list(bench_sentences())
    assert one == two
    assert len(set(one)) > len(one) / 2


def test_no_sentence_of_the_bench_is_one_of_training(training: set[str]) -> None:
    bench = {text.lower() for text in bench_sentences()}
    assert len(bench) > 3000
    assert not bench & training


def test_no_query_of_a_visitor_is_a_sentence_of_training(training: set[str]) -> None:
    assert not {asked.text.lower() for asked in truth_queries.visitors()} & training


def test_no_sentence_of_the_museum_is_one_of_training_or_of_the_bench(training: set[str]) -> None:
    museum = set().union(*(parts(describe(scene(MUSEUM, number))) for number in range(1200)))
    assert len(museum) > 1000
    assert not museum & set().union(*map(parts, training))
    assert not museum & {text.lower() for text in bench_sentences()}
