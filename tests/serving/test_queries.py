"""The vectors of the last queries are kept, and shared by all who ask the same."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from retrievals_serving.models import Input
from retrievals_serving.models.devices import turns_of
from retrievals_serving.queries import KEPT, QueryEmbedder
from retrievals_serving.release import open_release
from retrievals_serving.settings import Settings
from tests.serving.small_release import DIMENSION, WordEmbedder, unit


@pytest.fixture
def embedder() -> WordEmbedder:
    return WordEmbedder()


@pytest.fixture
def queries(settings: Settings, embedder: WordEmbedder) -> QueryEmbedder:
    made = QueryEmbedder(open_release(settings.store), settings, embedder)
    embedder.queries.clear()
    return made


def test_a_vector_that_was_kept_is_the_one_that_was_made(
    queries: QueryEmbedder, embedder: WordEmbedder
) -> None:
    expected = unit(WordEmbedder().embed_texts(["a boat"])[:, :DIMENSION])[0]
    for _ in range(3):
        vector = queries.embed(Input(text="a boat"))
        assert vector.dtype == np.float32
        np.testing.assert_allclose(vector, expected, rtol=1e-6)
    assert embedder.queries == ["a boat"]


def test_no_one_who_is_given_a_vector_can_change_it_for_others(queries: QueryEmbedder) -> None:
    vector = queries.embed(Input(text="boat"))
    with pytest.raises(ValueError, match="read-only"):
        vector[0] = 1
    with pytest.raises(ValueError, match="cannot set WRITEABLE"):
        vector.setflags(write=True)


def test_the_queries_that_were_asked_last_are_kept(
    queries: QueryEmbedder, embedder: WordEmbedder
) -> None:
    for number in range(KEPT):
        queries.embed(Input(text=f"boat {number}"))
    queries.embed(Input(text="boat 0"))  # now boat 1 is the one that was not asked for longest
    queries.embed(Input(text="one more"))
    assert len(embedder.queries) == KEPT + 1
    queries.embed(Input(text="boat 0"))
    assert len(embedder.queries) == KEPT + 1
    queries.embed(Input(text="boat 1"))
    assert embedder.queries[-1] == "boat 1"


def test_threads_get_the_vectors_of_their_own_queries(
    queries: QueryEmbedder, embedder: WordEmbedder
) -> None:
    texts = [f"boat {number % 50}" for number in range(2000)]
    with ThreadPoolExecutor(8) as pool:
        vectors = list(pool.map(queries.embed, [Input(text=text) for text in texts]))
    expected = unit(WordEmbedder().embed_texts(texts)[:, :DIMENSION])
    np.testing.assert_allclose(np.stack(vectors), expected, rtol=1e-5)
    assert set(embedder.queries) == set(texts)


def test_a_query_that_fails_is_not_kept(
    queries: QueryEmbedder, embedder: WordEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> np.ndarray:
        raise RuntimeError("out of memory")

    with monkeypatch.context() as patch:
        patch.setattr(embedder, "embed_queries", fail)
        with pytest.raises(RuntimeError, match="out of memory"):
            queries.embed(Input(text="boat"))
    assert np.isfinite(queries.embed(Input(text="boat"))).all()


def test_a_text_that_fails_fails_alone(
    queries: QueryEmbedder, embedder: WordEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    embed_queries = embedder.embed_queries

    def fail(asked: Sequence[Input]) -> np.ndarray:
        if any(each.text == "bad" for each in asked):
            raise RuntimeError("out of memory")
        return embed_queries(asked)

    monkeypatch.setattr(embedder, "embed_queries", fail)
    with ThreadPoolExecutor(3) as pool, turns_of("cpu").take("rerank"):
        asked = [pool.submit(queries.embed, Input(text=text)) for text in ("a", "bad", "b")]
        while len(queries._waiting) < len(asked):
            threading.Event().wait(0.001)
    assert isinstance(asked[1].exception(), RuntimeError)
    assert all(np.isfinite(asked[place].result()).all() for place in (0, 2))
