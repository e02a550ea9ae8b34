"""Every fact has words, sentences say what is asked, and the bench asks in others than training."""

import random
import re
import tomllib
from collections.abc import Iterator

import pytest

from benchmarks import truth_queries
from retrievals_pipeline.miniature.descriptions import describe
from retrievals_pipeline.miniature.scenes import scene
from retrievals_pipeline.miniature.train.sentences import FORMS as TRAINING
from retrievals_pipeline.miniature.train.sentences import REQUESTS_FILE, sentence
from retrievals_pipeline.miniature.truth.asking import QUERY_KINDS, ask
from retrievals_pipeline.miniature.truth.facts import Fact
from retrievals_pipeline.miniature.truth.phrasing import Forms, phrase_query
from retrievals_pipeline.miniature.truth.relevance import Query
from retrievals_pipeline.miniature.truth.words import Lexicon, held_out, lexicon
from tests.miniature.scenes_by_hand import drawn

WORKS = list(drawn(150))
OTHERS = [degrees for _, degrees in WORKS]
SENTENCES = 20_000
LONG = 5  # words, from which on a phrase is more than a name
MUSEUM = 0  # seed of the museum that ships


def every_fact() -> list[Fact]:
    return sorted({fact for _, degrees in drawn(1500) for fact in degrees})


def asked_often(*wanted: Fact, forms: Forms = TRAINING) -> set[str]:
    return {phrase_query(Query(wanted), random.Random(seed), forms) for seed in range(300)}


def bare(text: str, forms: Forms) -> str:
    """Return a sentence in lower case without the frame around it."""
    text = text.lower()
    ends = [frame.lower().split("{}") for frame in forms.frames]
    return min(
        (text.removeprefix(before).removesuffix(after) for before, after in ends
         if text.startswith(before) and text.endswith(after)),
        key=len, default=text,
    )  # fmt: skip


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


@pytest.mark.parametrize("words", [lexicon(), held_out()], ids=["training", "held out"])
def test_every_phrase_says_one_fact(words: Lexicon) -> None:
    facts: dict[str, set[Fact]] = {}
    for said, fact in (*lexicon().strings(), *words.strings()):
        facts.setdefault(said, set()).add(fact)
    assert {said for said, of in facts.items() if len(of) > 1} == {"orange"}  # colour and fruit


def test_no_phrase_is_that_of_an_acceptance_query() -> None:
    said = {phrase for words in (lexicon(), held_out()) for phrase, _ in words.strings()}
    for phrase in ("in stormy seas", "under a dark moonlit sky", "winter storm"):
        assert phrase not in said


def test_words_held_out_are_in_no_word_of_training_and_can_always_be_said() -> None:
    taught = " / ".join(said for said, _ in lexicon().strings())
    words = held_out()
    assert len({said for said, _ in words.strings()}) > 30
    assert not truth_queries.unseen_words().findall(taught)
    assert set(words.facts) <= set(lexicon().facts)
    assert set(words.things) <= set(lexicon().things)
    assert not words.faces
    assert all(said.nouns or said.pictures for said in words.facts.values())


def test_words_held_out_are_said_where_they_are_asked_for(training: set[str]) -> None:
    unseen = truth_queries.unseen_words()
    assert not [text for text in training if unseen.search(text)]
    for fact in held_out().facts:
        alone = asked_often(fact, forms=truth_queries.UNSEEN_FORMS)
        with_a_thing = asked_often(Fact("thing", "tree"), fact, forms=truth_queries.UNSEEN_FORMS)
        assert all(unseen.search(text) for text in alone | with_a_thing), fact


def test_a_thing_is_in_the_plural_only_where_there_are_several() -> None:
    words = lexicon().things
    for name in ("tree", "ship", "mountain", "sheep", "house"):
        plurals = {*words[name].several, *words[name].together} - {*words[name].one}
        many = re.compile(rf"\b({'|'.join(map(re.escape, plurals))})\b")
        assert not [text for text in asked_often(Fact("thing", name)) if many.search(text)]
        assert all(
            many.search(text) or "sheep" in text
            for text in asked_often(Fact("count", "several", name))
        )


def test_a_query_is_said_with_its_numbers_colours_and_what_is_ruled_out() -> None:
    query = Query(
        (Fact("count", "3", "apple"), Fact("color", "red", "apple"), Fact("genre", "still life")),
        (Fact("thing", "candle"),),
    )
    words = lexicon()
    for seed in range(200):
        text = phrase_query(query, random.Random(seed), truth_queries.FORMS)
        assert "apples" in text
        assert re.search(r"\b(three|trio|3)\b", text)
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


def test_few_long_phrases_of_the_bench_are_ones_of_training() -> None:
    """Show that without their frames too at most 6 % of them could be known by heart.

    It does not show that they are worded otherwise: grammar and words are the same.
    """
    chance = random.Random(5)
    taught = set()
    for number in range(SENTENCES):
        shown, degrees = WORKS[number % len(WORKS)]
        query, _ = sentence(chance, shown, degrees, OTHERS[:48])
        taught.add(phrase_query(query, chance, TRAINING).lower())
    bench = {bare(text, truth_queries.FORMS) for text in bench_sentences()}
    long = {text for text in bench if len(text.split()) >= LONG}
    assert len(long) > 3000
    assert len(long & taught) < 0.06 * len(long)


def test_no_request_of_training_is_one_of_the_bench() -> None:
    words = tomllib.loads(REQUESTS_FILE.read_text("utf-8"))
    requests = {
        " ".join(f"{asking} {of} {{}}{end}".lower().split())
        for asking in words["asking"]
        for of in words["of"]
        for end in words["ends"]
    }
    assert not requests & {frame.lower() for frame in truth_queries.FORMS.frames}
    for part in ("without", "not_so", "beside", "tones", "heads"):
        assert not set(getattr(TRAINING, part)) & set(getattr(truth_queries.FORMS, part))


def test_no_query_of_a_visitor_is_a_sentence_of_training(training: set[str]) -> None:
    assert not {asked.text.lower() for asked in truth_queries.visitors()} & training


def test_no_sentence_of_the_museum_is_one_of_training_or_of_the_bench(training: set[str]) -> None:
    museum = set().union(*(parts(describe(scene(MUSEUM, number))) for number in range(1200)))
    assert len(museum) > 1000
    assert not museum & set().union(*map(parts, training))
    assert not museum & {text.lower() for text in bench_sentences()}
