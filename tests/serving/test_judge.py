"""The second stage of a search: what is left out of it, and how its model is loaded."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from retrievals_serving import SearchEngine
from retrievals_serving.errors import ModelError
from retrievals_serving.reranking import left_out
from retrievals_serving.store import picture_name
from tests.serving.fake_reranker import CANDIDATES, FakeReranker, opened, picture
from tests.serving.test_engine import walk


@pytest.fixture
def engine(home: Path, reranker: FakeReranker) -> Iterator[SearchEngine]:
    with opened(home, reranker) as engine:
        yield engine


def test_what_the_deadline_leaves_out_comes_after_what_was_scored_in_the_vectors_order(
    home: Path, reranker: FakeReranker
) -> None:
    reranker.seconds = 0.25
    with opened(home, reranker, rerank_deadline=1.0) as engine:
        window = walk(engine, engine.search("boat", rerank=False))
        page = engine.search("boat")
        results = walk(engine, page)
    assert (page.degraded, page.rerank_coverage) == (("deadline",), 4 / CANDIDATES)
    assert {result.id for result in results[:4]} == {result.id for result in window[:4]}
    assert [result.id for result in results[4:]] == [result.id for result in window[4:]]
    for result in results[4:]:
        assert (result.rerank_score, result.score) == (None, result.vector_score)


def test_when_the_deadline_leaves_out_all_the_answer_is_that_of_the_vectors(
    engine: SearchEngine, reranker: FakeReranker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_slow(_: str, images: list[Path], *, deadline: float, cancelled: Any) -> np.ndarray:  # noqa: ARG001
        reranker.now = deadline
        return np.full(len(images), np.nan, dtype=np.float32)

    monkeypatch.setattr(reranker, "score", too_slow)
    page = engine.search("boat")
    assert page.results == engine.search("boat", rerank=False).results
    assert (page.degraded, page.rerank_coverage) == (("deadline",), 0.0)


def test_works_whose_picture_is_lost_come_after_those_that_were_scored(
    own_home: Path, reranker: FakeReranker
) -> None:
    with opened(own_home, reranker) as engine:
        window = walk(engine, engine.search("boat", rerank=False))
        for result in (window[0], window[CANDIDATES - 1]):
            engine.release.store.remove(picture_name(picture(result)))
        page = engine.search("boat")
        results = walk(engine, page)
    lost = [window[0].id, window[CANDIDATES - 1].id]
    assert [one.id for one in results[CANDIDATES - 2 : CANDIDATES]] == lost
    assert [one.rerank_score for one in results[CANDIDATES - 2 : CANDIDATES]] == [None, None]
    assert (page.degraded, page.rerank_coverage) == (("pictures",), 1 - 2 / CANDIDATES)


@pytest.mark.parametrize(
    ("is_judged", "is_late", "words"),
    [
        ([True, True], True, ()),
        ([], True, ()),
        ([False, True], False, ("pictures",)),
        ([True, False], False, ("pictures",)),
        ([False, True], True, ("pictures",)),
        ([True, False], True, ("deadline",)),
        ([False, False], True, ("deadline",)),
        ([False, True, False], True, ("deadline", "pictures")),
    ],
)
def test_what_was_left_out_has_its_reason(
    is_judged: list[bool], is_late: bool, words: tuple[str, ...]
) -> None:
    assert left_out(np.array(is_judged, dtype=bool), is_late=is_late) == words


def test_without_a_reranker_there_is_none_to_ask(home: Path) -> None:
    with opened(home, None) as engine:
        assert engine.reranker_name is None
        assert engine.search("boat").results == engine.search("boat", rerank=False).results


def test_the_reranker_of_the_settings_is_loaded_once_and_not_on_the_deadlines_time(
    home: Path, reranker: FakeReranker, monkeypatch: pytest.MonkeyPatch
) -> None:
    loads = []

    def load(checkpoint: str, **options: object) -> FakeReranker:
        loads.append((checkpoint, options))
        reranker.now += 60
        return reranker

    monkeypatch.setattr("retrievals_serving.reranking.load_reranker", load)
    named = {"reranker": "some/reranker@1", "dtype": "float16", "max_pixels": 4096}
    with opened(home, None, **named) as engine, ThreadPoolExecutor(8) as pool:
        assert (engine.reranker_name, loads) == ("some/reranker@1", [])
        engine.search("boat", rerank=False)
        engine.similar("test:1007")
        assert loads == []
        pages = list(pool.map(engine.search, ["boat"] * 8))
        engine.warm()
    assert {page.rerank_coverage for page in pages} == {1.0}
    options = {"device": "auto", "dtype": "float16", "max_pixels": 4096}
    assert loads == [("some/reranker@1", options)]


def test_a_reranker_that_cannot_be_loaded_is_named_and_what_needs_none_answers(
    home: Path, tmp_path: Path
) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "clip"}')
    with opened(home, None, reranker=str(tmp_path)) as engine:
        with pytest.raises(ModelError, match=f"{tmp_path} .* which has no rerankers"):
            engine.warm()
        assert not engine.is_warm
        vectors = engine.search("boat", rerank=False)
        assert vectors.total == 8
        page = engine.search("boat")
        assert page.results == vectors.results
        assert (page.degraded, page.rerank_coverage) == (("reranker",), 0.0)


def test_the_model_that_ships_reranks_the_pictures_of_a_release(home: Path) -> None:
    options = {"reranker": "miniature", "max_pixels": 65536, "rerank_deadline": 60}
    with opened(home, None, **options) as engine:
        engine.warm()
        assert engine.is_warm
        page = engine.search("a boat")
        results = walk(engine, page)
        alone = engine.search("a boat", top_k=1, filters={"title": results[0].title})
    assert (page.rerank_coverage, page.degraded) == (1.0, ())
    thoughts = [result.rerank_score for result in results if result.rerank_score is not None]
    assert len(thoughts) == CANDIDATES
    assert all(0 < thought < 1 for thought in thoughts)
    assert len(set(thoughts)) > 1
    same = next(one for one in results if one.id == alone.results[0].id)
    assert alone.results[0].rerank_score == pytest.approx(same.rerank_score, abs=1e-5)
