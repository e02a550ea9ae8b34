"""The second stage of a search: what is reranked, and in what order it comes."""

import itertools
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from retrievals_serving import SearchEngine
from retrievals_serving.pages import Page, Result
from retrievals_serving.promotion import promote
from retrievals_serving.store import Store, picture_name
from tests.serving.fake_reranker import CANDIDATES, WINDOW, FakeReranker, opened, opinion, picture
from tests.serving.small_release import make_release
from tests.serving.test_engine import walk
from tests.serving.test_filters import random_filters


@pytest.fixture
def engine(home: Path, reranker: FakeReranker) -> Iterator[SearchEngine]:
    with opened(home, reranker) as engine:
        yield engine


def expected(window: list[Result], alpha: float, judged: set[str]) -> list[tuple[str, float]]:
    """Ids and scores as a plain reading of the contract has them; `judged` are pictures."""
    first = []
    for result in window:
        if picture(result) in judged:
            thought = float(np.float32(opinion("boat", picture(result))))
            score = alpha * thought + (1 - alpha) * result.vector_score
            first.append((-score, result.id))
    others = [result for result in window if picture(result) not in judged]
    return [
        *((id_, -score) for score, id_ in sorted(first)),
        *((result.id, result.vector_score) for result in others),
    ]


@pytest.mark.parametrize("seed", range(25))
def test_walking_the_pages_shows_the_judged_by_score_and_then_the_others_by_vector(
    own_home: Path, reranker: FakeReranker, seed: int
) -> None:
    chance = random.Random(seed)
    alpha = chance.choice([0.0, 0.25, 0.6, 1.0])
    candidates = chance.choice([1, 7, CANDIDATES, WINDOW, 99])
    reranker.seconds = chance.choice([0.0, 0.0, 0.125, 0.5])
    asked: dict[str, Any] = {
        "filters": random_filters(chance) if chance.random() < 0.5 else None,
        "score_threshold": chance.choice([0.0, 0.2]),
    }
    with opened(own_home, reranker, candidates=candidates) as engine:
        window = walk(engine, engine.search("boat", rerank=False, **asked))
        shown = [picture(result) for result in window[:candidates]]
        for sha256 in chance.sample(shown, k=min(len(shown), chance.choice([0, 0, 2]))):
            engine.release.store.remove(picture_name(sha256))
        reached = {0.0: candidates, 0.125: 12, 0.5: 3}[reranker.seconds]  # in 1.5 s
        judged = {
            sha256
            for sha256 in shown[:reached]
            if engine.release.store.exists(picture_name(sha256))
        }
        page = engine.search("boat", top_k=chance.randint(1, 30), alpha=alpha, **asked)
        results = walk(engine, page)

    ids_and_scores = expected(window, alpha, judged)
    assert [(result.id, result.score) for result in results] == ids_and_scores
    assert [result.rank for result in results] == list(range(1, len(window) + 1))
    vector_scores = {result.id: result.vector_score for result in window}
    for result in results:
        assert result.vector_score == vector_scores[result.id]
        assert (result.rerank_score is not None) == (picture(result) in judged)
    assert page.rerank_coverage == (len(judged) / len(shown) if shown else None)
    assert bool(page.degraded) == (len(judged) < len(shown))


def test_the_first_works_of_the_window_are_shown_to_the_reranker_best_first(
    engine: SearchEngine, reranker: FakeReranker
) -> None:
    window = walk(engine, engine.search("stormy boat", rerank=False))
    assert reranker.asked == []
    page = engine.search(" stormy boat ")
    assert reranker.asked == [("stormy boat", [picture(one) for one in window[:CANDIDATES]])]
    assert (page.rerank_coverage, page.degraded) == (1.0, ())
    assert page.timings["rerank"] > 0
    assert page.window == WINDOW


def test_every_picture_that_is_shown_to_the_reranker_is_that_of_its_work(
    engine: SearchEngine,
) -> None:
    for result in engine.search("boat").results:
        assert result.rerank_score == pytest.approx(opinion("boat", picture(result)))


def test_the_weight_of_the_reranker_is_the_one_asked_for_or_the_setting(
    engine: SearchEngine,
) -> None:
    for alpha, weight in ((None, 0.6), (0.25, 0.25)):
        for result in engine.search("boat", alpha=alpha).results:
            assert result.rerank_score is not None
            blended = weight * result.rerank_score + (1 - weight) * result.vector_score
            assert result.score == blended


def test_without_weight_the_reranker_changes_no_order_and_is_still_heard(
    engine: SearchEngine,
) -> None:
    vectors, blended = engine.search("boat", rerank=False), engine.search("boat", alpha=0.0)
    assert [one.id for one in blended.results] == [one.id for one in vectors.results]
    assert [one.score for one in blended.results] == [one.score for one in vectors.results]
    assert all(result.rerank_score is not None for result in blended.results)


def test_with_all_the_weight_the_order_is_the_rerankers_own(engine: SearchEngine) -> None:
    results = walk(engine, engine.search("boat", alpha=1.0))[:CANDIDATES]
    assert [result.score for result in results] == [result.rerank_score for result in results]
    assert all(one.score >= other.score for one, other in itertools.pairwise(results))


def test_equal_scores_are_in_the_order_of_ids(home: Path) -> None:
    with opened(home, FakeReranker(lambda *_: 0.5)) as engine:
        window = walk(engine, engine.search("boat", rerank=False))
        results = walk(engine, engine.search("boat", alpha=1.0))
    ids = [result.id for result in results]
    candidates = [result.id for result in window[:CANDIDATES]]
    assert candidates != sorted(candidates)
    assert ids == sorted(candidates) + [result.id for result in window[CANDIDATES:]]


def test_the_threshold_is_tested_on_the_vectors_before_reranking(home: Path) -> None:
    with opened(home, reranker := FakeReranker(lambda *_: 0.0)) as engine:
        window = walk(engine, engine.search("boat", rerank=False))
        threshold = window[11].vector_score
        results = walk(engine, engine.search("boat", score_threshold=threshold))
    kept = [result for result in window if result.vector_score >= threshold]
    assert {result.id for result in results} == {result.id for result in kept}
    assert {sha256 for _, shown in reranker.asked for sha256 in shown} == {
        picture(result) for result in kept
    }
    assert min(result.score for result in results) < threshold


def test_only_works_that_match_the_filters_are_reranked(
    engine: SearchEngine, reranker: FakeReranker
) -> None:
    filters = {"classification": "Print"}
    window = walk(engine, engine.search("boat", rerank=False, filters=filters))
    engine.search("boat", filters=filters)
    assert reranker.asked == [("boat", [picture(one) for one in window[:CANDIDATES]])]
    assert {result.classification for result in window} == {"Print"}


def test_a_search_that_matches_nothing_is_an_empty_page(engine: SearchEngine) -> None:
    page = engine.search("boat", filters={"classification": "Sculpture"})
    assert (page.results, page.cursor, page.rerank_coverage, page.degraded) == ([], None, None, ())


def test_sixty_four_candidates_become_twenty_four_results_by_settings_alone(
    tmp_path: Path,
) -> None:
    store = Store(tmp_path)
    promote(store, make_release(store, works=70).release_id)
    sizes = {"window": 70, "candidates": 64, "page": 24}
    with opened(tmp_path, reranker := FakeReranker(), **sizes, alpha=1.0) as engine:
        page = engine.search("boat")
    ((_, shown),) = reranker.asked
    assert (page.total, len(shown), page.window) == (24, 64, 70)
    best = sorted((opinion("boat", sha256) for sha256 in shown), reverse=True)[:24]
    assert [result.score for result in page.results] == pytest.approx(best)


def test_the_pages_of_an_answer_say_the_same_of_it_wherever_they_are_made(
    home: Path, engine: SearchEngine, reranker: FakeReranker
) -> None:
    """A replica whose own settings and deadline would have come to another order."""
    reranker.seconds = 0.125
    first = engine.search("boat", alpha=0.9)
    assert first.cursor
    with opened(home, FakeReranker(lambda *_: 0.0), candidates=3, alpha=0.1) as replica:
        pages = list(walk_pages(replica, first))
    results = [result for page in pages for result in page.results]
    again = engine.search("boat", alpha=0.9, top_k=WINDOW)
    assert results == again.results
    for page in pages:
        assert (page.degraded, page.rerank_coverage) == (("deadline",), 12 / CANDIDATES)


def walk_pages(engine: SearchEngine, page: Page) -> Iterator[Page]:
    yield page
    while page.cursor:
        page = engine.search_more(page.query_vector, page.cursor)
        yield page


def test_only_a_search_asks_the_reranker(engine: SearchEngine, reranker: FakeReranker) -> None:
    walk(engine, engine.search("boat"))
    walk(engine, engine.similar("test:1007"))
    assert len(reranker.asked) == 1
    page = engine.similar("test:1007")
    assert (page.rerank_coverage, page.timings["rerank"]) == (None, 0.0)


def test_threads_get_the_answers_that_one_gets(home: Path) -> None:
    def ask(turn: int) -> list[tuple[str, float]]:
        page = engine.search(["boat", "horse", "portrait"][turn % 3], alpha=turn % 5 / 4)
        return [(result.id, result.score) for result in walk(engine, page)]

    with opened(home, FakeReranker()) as engine:
        expected = [ask(turn) for turn in range(30)]
        with ThreadPoolExecutor(8) as pool:
            assert list(pool.map(ask, range(30))) == expected
