"""What `SearchEngine` promises, over real files of a small release."""

import itertools
import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from retrievals_serving import SearchEngine, Settings
from retrievals_serving.errors import QueryError, UnknownArtwork
from retrievals_serving.pages import Page, Result
from tests.serving.small_release import DIMENSION, RELEASE, WORKS, WordEmbedder, unit
from tests.serving.test_filters import matches, random_filters


def walk(engine: SearchEngine, page: Page) -> list[Result]:
    """All results from `page` to the end of its window."""
    results = list(page.results)
    while page.cursor:
        page = engine.search_more(page.query_vector, page.cursor)
        assert page.results
        results += page.results
    return results


def expected_scores(records: list[dict[str, Any]], query: str) -> np.ndarray:
    """The cosine of each work's title with the query, as a plain reading of the contract has it."""
    embedder = WordEmbedder()
    vectors = embedder.embed_texts([query, *(record["title"] for record in records)])
    vectors = unit(vectors[:, :DIMENSION])
    return np.clip(vectors[1:].astype(np.float16).astype(np.float32) @ vectors[0], 0, 1)


def test_the_first_page_says_what_was_found(engine: SearchEngine) -> None:
    page = engine.search("  a stormy boat ")
    assert page.query == "a stormy boat"
    assert [result.rank for result in page.results] == list(range(1, 9))
    assert (page.total, page.window, page.release) == (8, 40, RELEASE)
    assert page.results[0].title == "Stormy boat"
    assert page.results[0].rerank_score is None
    assert (page.rerank_coverage, page.degraded, page.cached) == (None, (), False)
    assert page.timings.keys() == {"embed", "search", "rerank", "metadata"}
    assert page.latency_ms >= sum(page.timings.values())
    assert np.linalg.norm(page.query_vector) == pytest.approx(1)
    assert len(page.query_vector) == DIMENSION


@pytest.mark.parametrize(
    ("query", "relevance"),
    [("Stormy boat", "strong"), ("boat", "weak"), ("quarterly tax return", "nothing")],
)
def test_an_answer_says_whether_its_best_fits(
    engine: SearchEngine, query: str, relevance: str
) -> None:
    page = engine.search(query)
    assert page.relevance == relevance
    assert page.cursor
    assert engine.search_more(page.query_vector, page.cursor).relevance == relevance
    assert engine.similar("test:1001").relevance is None


def test_neither_a_threshold_nor_a_filter_that_keeps_nothing_says_that_nothing_fits(
    engine: SearchEngine,
) -> None:
    cut = engine.search("boat", score_threshold=0.99)
    assert (cut.total, cut.relevance) == (0, "weak")
    assert engine.search("boat", filters={"artist": "nobody"}).relevance is None


def test_a_query_is_embedded_as_a_query(settings: Settings) -> None:
    embedder = WordEmbedder()
    with SearchEngine.open(settings=settings, embedder=embedder) as engine:
        embedder.queries.clear()
        engine.search("boat")
    assert embedder.queries == ["boat"]


def test_a_query_that_was_asked_before_costs_no_forward(settings: Settings) -> None:
    embedder = WordEmbedder()
    with SearchEngine.open(settings=settings, embedder=embedder) as engine:
        embedder.queries.clear()
        first = engine.search("boat")
        again = engine.search("  boat ")
        engine.search("Boat")
    assert embedder.queries == ["boat", "Boat"]
    assert again.query_vector == first.query_vector
    assert again.results == first.results


def test_a_result_is_the_record_of_its_work(
    engine: SearchEngine, records: list[dict[str, Any]]
) -> None:
    by_id = {record["id"]: record for record in records}
    for result in engine.search("calm horse").results:
        record = by_id[result.id]
        metadata = result.metadata
        assert metadata.pop("thumbnail_url").startswith("/thumbnails/")
        assert metadata == {name: record[name] for name in metadata}
        assert engine.artwork(result.id).metadata == result.metadata


@pytest.mark.parametrize("seed", range(20))
def test_walking_the_pages_shows_each_work_of_the_window_once_in_exact_order(
    engine: SearchEngine, records: list[dict[str, Any]], seed: int
) -> None:
    chance = random.Random(seed)
    query = chance.choice(["boat", "lonely portrait", "stormy sea", "calm tree"])
    filters = random_filters(chance) if chance.random() < 0.7 else None
    threshold = chance.choice([0.0, 0.0, 0.2])
    page = engine.search(
        query, top_k=chance.randint(1, 20), filters=filters, score_threshold=threshold
    )
    results = walk(engine, page)

    scores = expected_scores(records, query)
    cosines = dict(zip((record["id"] for record in records), scores, strict=True))
    wanted = [
        record["id"]
        for record, score in zip(records, scores, strict=True)
        if matches(record, filters or {}) and score >= threshold
    ]
    assert len(results) == page.window == min(len(wanted), 40)
    assert [result.rank for result in results] == list(range(1, len(results) + 1))
    assert len({result.id for result in results}) == len(results)
    assert {result.id for result in results} <= set(wanted)
    assert [result.score for result in results] == pytest.approx(
        sorted((float(cosines[id_]) for id_ in wanted), reverse=True)[:40], abs=1e-5
    )
    for result in results:
        assert result.score == result.vector_score == pytest.approx(cosines[result.id], abs=1e-5)
    for one, following in itertools.pairwise(results):
        assert one.score != following.score or one.score == 0 or one.id < following.id


def test_equal_scores_are_in_the_order_of_ids(engine: SearchEngine) -> None:
    results = walk(engine, engine.search("lonely boat"))
    tied = [result.id for result in results if result.score == results[0].score]
    assert len(tied) > 1
    assert tied == sorted(tied)


def test_a_threshold_leaves_out_what_is_below_it(engine: SearchEngine) -> None:
    everything = walk(engine, engine.search("boat"))
    middle = everything[len(everything) // 2].vector_score
    kept = walk(engine, engine.search("boat", score_threshold=middle))
    assert [result.id for result in kept] == [
        result.id for result in everything if result.vector_score >= middle
    ]


def test_a_search_that_matches_nothing_is_an_empty_page(engine: SearchEngine) -> None:
    page = engine.search("boat", filters={"classification": "Sculpture"})
    assert (page.results, page.total, page.window, page.cursor) == ([], 0, 0, None)
    assert list(page.to_pandas().columns)[:2] == ["id", "title"]


def test_the_first_page_is_no_longer_than_the_window(engine: SearchEngine) -> None:
    page = engine.search("boat", top_k=100)
    assert (page.total, page.window, page.cursor) == (40, 40, None)


def test_similar_works_leave_out_the_work_itself(engine: SearchEngine) -> None:
    page = engine.similar("test:1007", top_k=10)
    assert page.query is None
    results = walk(engine, page)
    assert len(results) == page.window == 40
    assert "test:1007" not in {result.id for result in results}
    twin = engine.artwork("test:1007").title
    assert results[0].title == twin
    assert results[0].vector_score == pytest.approx(1, abs=1e-3)
    assert results[0].vector_score <= 1


def test_similar_works_can_be_filtered(engine: SearchEngine) -> None:
    page = engine.similar("test:1007", filters={"classification": "Print"})
    assert {result.classification for result in page.results} == {"Print"}


def test_an_unknown_work_is_named(engine: SearchEngine) -> None:
    for ask in (engine.artwork, engine.similar):
        with pytest.raises(UnknownArtwork, match="'nga:1'"):
            ask("nga:1")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"query": " "}, "query: expected 1 to 512 characters, got 0"),
        ({"query": "a" * 513}, "got 513"),
        ({"query": "\ud800"}, "no valid Unicode"),
        ({"query": "a", "top_k": 0}, "top_k: expected 1 to 100, got 0"),
        ({"query": "a", "top_k": 101}, "got 101"),
        ({"query": "a", "score_threshold": 1.1}, "score_threshold: .* got 1.1"),
        ({"query": "a", "score_threshold": float("nan")}, "got nan"),
        ({"query": "a", "alpha": -1}, "alpha: expected a number from 0 to 1, got -1"),
        ({"query": "a", "filters": ["a"]}, "filters: expected an object"),
        ({"query": "a", "filters": {"year": 1}}, "no field 'year'"),
    ],
)
def test_a_question_out_of_bounds_is_refused_before_a_model_is_loaded(
    settings: Settings, arguments: dict[str, Any], message: str
) -> None:
    with SearchEngine.open(settings=settings) as cold:
        with pytest.raises(QueryError, match=message):
            cold.search(**arguments)
        assert cold.embedder is None


def test_a_page_is_a_table(engine: SearchEngine) -> None:
    page = engine.search("boat", top_k=5)
    table = page.to_pandas()
    assert table["id"].tolist() == [result.id for result in page.results]
    assert {"rank", "score", "title", "artwork_url"} <= set(table.columns)


def test_threads_get_the_answers_that_one_gets(engine: SearchEngine) -> None:
    def ask(turn: int) -> list[tuple[str, float]]:
        filters = {"classification": "Print"} if turn % 2 else None
        page = engine.search(["boat", "horse", "portrait"][turn % 3], filters=filters)
        return [(result.id, result.score) for result in walk(engine, page)]

    expected = [ask(turn) for turn in range(48)]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, range(48))) == expected


def test_the_window_of_a_release_smaller_than_it_is_the_release(home: Path) -> None:
    settings = Settings.load(home=home, window=256, reranker="none")
    with SearchEngine.open(settings=settings, embedder=WordEmbedder()) as engine:
        assert engine.search("boat").window == WORKS
