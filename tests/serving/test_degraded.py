"""What fails on the way is left out of an answer, which says so; the visitor is answered."""

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from retrievals_serving import SearchEngine, Settings
from retrievals_serving.api import create_app
from retrievals_serving.errors import ModelError, ReleaseError
from retrievals_serving.models import Input
from tests.serving.client import client_of
from tests.serving.fake_reranker import FakeReranker, opened
from tests.serving.small_release import WordEmbedder, encoded
from tests.serving.test_api import post, problem


class BrokenEmbedder(WordEmbedder):
    """An embedder whose device is lost when a test says so."""

    is_lost = False

    def embed_queries(self, queries: Sequence[Input]) -> np.ndarray:
        if self.is_lost:
            raise RuntimeError("CUDA error: device is lost")
        return super().embed_queries(queries)


@pytest.fixture
def embedder() -> BrokenEmbedder:
    return BrokenEmbedder()


@pytest.fixture
def engine(home: Path, embedder: BrokenEmbedder) -> Iterator[SearchEngine]:
    with opened(home, None, embedder=embedder) as engine:
        yield engine


def walk(engine: SearchEngine, query: str, **options: Any) -> list[str]:
    """The ids of all pages, in their order."""
    page = engine.search(query, **options)
    ids = [result.id for result in page.results]
    while page.cursor:
        page = engine.search_more(page.query_vector, page.cursor)
        assert page.degraded == ("embedder",)
        ids += [result.id for result in page.results]
    assert len(ids) == page.window
    return ids


def test_without_an_embedder_the_words_are_looked_for_in_the_records(
    engine: SearchEngine, embedder: BrokenEmbedder, caplog: pytest.LogCaptureFixture
) -> None:
    embedder.is_lost = True
    with caplog.at_level(logging.ERROR):
        page = engine.search("horses")
    assert "device is lost" in caplog.text
    assert (page.degraded, page.query_vector, page.relevance) == (("embedder",), [], None)
    assert page.results
    for result in page.results:
        assert "horse" in result.title
        assert (result.vector_score, result.rerank_score) == (0.0, None)
        assert 0 < result.score <= 1


def tracebacks(caplog: pytest.LogCaptureFixture) -> list[bool]:
    """Which of the errors in the log have one."""
    errors = [record for record in caplog.records if record.levelno == logging.ERROR]
    return [record.exc_info is not None for record in errors]


def test_a_failure_has_a_traceback_in_the_log_when_it_is_new(
    home: Path, embedder: BrokenEmbedder, caplog: pytest.LogCaptureFixture
) -> None:
    with opened(home, BrokenReranker(), embedder=embedder, rerank_deadline=1e9) as engine:
        for query in ("boat", "horse", "portrait"):
            engine.search(query)
        embedder.is_lost = True
        for query in ("a boat", "a horse"):
            engine.search(query, rerank=False)
    assert tracebacks(caplog) == [True, False, False, True, False]
    assert caplog.messages[1].endswith("answers keep the vector order: CUDA error: device is lost")


def test_a_model_that_cannot_be_loaded_has_one_traceback_in_the_log(
    home: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Its failure stands for a while, for all threads, each of which raises an error of its own."""
    settings = Settings.load(home=home, reranker="none", embedder=str(tmp_path))
    with SearchEngine.open(settings=settings) as engine:
        pages = [engine.search(query) for query in ("boat", "horse")]
        assert [page.degraded for page in pages] == [("embedder",)] * 2
        raised = [failure(engine, Image.new("RGB", (9, 9))) for _ in range(2)]
    assert tracebacks(caplog) == [True, False]
    assert raised[0] is not raised[1]
    assert str(raised[0]) == str(raised[1])


def failure(engine: SearchEngine, image: Image.Image) -> ModelError:
    with pytest.raises(ModelError) as raised:
        engine.search_image(image)
    return raised.value


def test_words_are_paged_filtered_and_excluded_as_vectors_are(
    engine: SearchEngine, embedder: BrokenEmbedder
) -> None:
    embedder.is_lost = True
    ids = walk(engine, "boat")
    assert len(ids) == len(set(ids)) > 8
    prints = walk(engine, "boat", filters={"classification": "Print"})
    assert 0 < len(prints) < len(ids)
    assert set(prints) < set(ids)
    not_lonely = walk(engine, "boat", negative="lonely")
    assert 0 < len(not_lonely) < len(ids)
    assert all("lonely" not in engine.artwork(each).title.lower() for each in not_lonely)


def test_a_query_that_was_embedded_before_needs_no_embedder(
    engine: SearchEngine, embedder: BrokenEmbedder
) -> None:
    before = engine.search("stormy boat")
    embedder.is_lost = True
    page = engine.search("stormy boat")
    assert page.degraded == ()
    assert page.results == before.results


def test_what_the_words_find_is_reranked(home: Path, embedder: BrokenEmbedder) -> None:
    with opened(home, FakeReranker(), embedder=embedder, rerank_deadline=1e9) as engine:
        embedder.is_lost = True
        page = engine.search("boat")
        assert (page.degraded, page.rerank_coverage) == (("embedder",), 1.0)
        assert page.results[0].rerank_score is not None


def test_the_embedder_is_tried_again_with_the_next_query(
    engine: SearchEngine, embedder: BrokenEmbedder
) -> None:
    embedder.is_lost = True
    engine.search("boat")
    embedder.is_lost = False
    assert engine.search("boat").degraded == ()


def test_a_release_that_cannot_be_searched_at_all_is_an_error(engine: SearchEngine) -> None:
    engine.close()
    with pytest.raises(ReleaseError, match="the engine was closed"):
        engine.search("boat")


class BrokenReranker(FakeReranker):
    """A reranker whose device is lost."""

    def score(self, *_: Any, **__: Any) -> np.ndarray:
        raise RuntimeError("CUDA error: device is lost")


def test_without_a_reranker_the_order_is_that_of_the_vectors(home: Path) -> None:
    with opened(home, BrokenReranker(), rerank_deadline=1e9) as engine:
        page = engine.search("boat")
        assert (page.degraded, page.rerank_coverage) == (("reranker",), 0.0)
        assert page.results == engine.search("boat", rerank=False).results
        assert page.cursor
        more = engine.search_more(page.query_vector, page.cursor)
        assert more.degraded == ("reranker",)


def test_degraded_answers_are_answers_over_http(home: Path, embedder: BrokenEmbedder) -> None:
    with (
        opened(home, BrokenReranker(), embedder=embedder, rerank_deadline=1e9) as engine,
        client_of(create_app(engine=engine)) as client,
    ):
        embedder.is_lost = True
        page = post(client, "/search", query="boat")
        assert page["degraded"] == ["embedder", "reranker"]
        more = {"query_vector": page["query_vector"], "cursor": page["cursor"]}
        assert post(client, "/search-more", **more)["degraded"] == ["embedder", "reranker"]
        embedder.is_lost = False
        assert post(client, "/search", query="boat")["degraded"] == ["reranker"]


def test_an_explanation_that_cannot_be_had_is_said_to_be_missing(
    home: Path,
) -> None:
    with opened(home, None) as engine, client_of(create_app(engine=engine)) as client:
        page = post(client, "/search", query="boat", include_explanation=True)
        assert (page["explanation"], page["degraded"]) == (None, ["explanation"])


def test_a_picture_without_an_embedder_is_a_problem(home: Path, embedder: BrokenEmbedder) -> None:
    with (
        opened(home, None, embedder=embedder) as engine,
        client_of(create_app(engine=engine)) as client,
    ):
        embedder.is_lost = True
        response = client.post(
            "/search/image", files={"file": encoded(Image.new("RGB", (9, 9)), "PNG")}
        )
        assert response.status_code == 500
        assert "its log says why" in problem(response)["detail"]
