"""The vectors of the last queries are kept, and shared; the queries of a file are read."""

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from retrievals_serving.errors import SettingsError
from retrievals_serving.queries import KEPT, QueryEmbedder, known_queries
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
        vector = queries.embed("a boat")
        assert vector.dtype == np.float32
        np.testing.assert_allclose(vector, expected, rtol=1e-6)
    assert embedder.queries == ["a boat"]


def test_no_one_who_is_given_a_vector_can_change_it_for_others(queries: QueryEmbedder) -> None:
    vector = queries.embed("boat")
    with pytest.raises(ValueError, match="read-only"):
        vector[0] = 1
    with pytest.raises(ValueError, match="cannot set WRITEABLE"):
        vector.setflags(write=True)


def test_the_queries_that_were_asked_last_are_kept(
    queries: QueryEmbedder, embedder: WordEmbedder
) -> None:
    for number in range(KEPT):
        queries.embed(f"boat {number}")
    queries.embed("boat 0")  # now boat 1 is the one that was not asked for longest
    queries.embed("one more")
    assert len(embedder.queries) == KEPT + 1
    queries.embed("boat 0")
    assert len(embedder.queries) == KEPT + 1
    queries.embed("boat 1")
    assert embedder.queries[-1] == "boat 1"


def test_threads_get_the_vectors_of_their_own_queries(
    queries: QueryEmbedder, embedder: WordEmbedder
) -> None:
    texts = [f"boat {number % 50}" for number in range(2000)]
    with ThreadPoolExecutor(8) as pool:
        vectors = list(pool.map(queries.embed, texts))
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
            queries.embed("boat")
    assert np.isfinite(queries.embed("boat")).all()


def test_known_queries_are_the_lines_of_a_file_without_its_comments(tmp_path: Path) -> None:
    file = tmp_path / "queries.txt"
    file.write_text("# asked often\n\na boat\r\n  la mer, été  \n#42\n \nno. #42", encoding="utf-8")
    assert known_queries(file) == ["a boat", "la mer, été", "no. #42"]


@pytest.mark.parametrize("query", ["x" * 512, "x"])
def test_known_queries_are_as_long_as_any(tmp_path: Path, query: str) -> None:
    file = tmp_path / "queries.txt"
    file.write_text(f"{query}\n", encoding="utf-8")
    assert known_queries(file) == [query]


def test_a_known_query_that_is_none_is_named_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "queries.txt"
    file.write_text(f"# one\na boat\n\n{'x' * 513}\n", encoding="utf-8")
    expected = f"RETRIEVALS_WARM_QUERIES: {file}, line 4: query: expected 1 to 512 characters"
    with pytest.raises(SettingsError, match=re.escape(expected)):
        known_queries(file)


@pytest.mark.parametrize("content", [None, b"caf\xe9\n"], ids=["missing", "latin-1"])
def test_a_file_of_known_queries_that_cannot_be_read_is_named(
    tmp_path: Path, content: bytes | None
) -> None:
    file = tmp_path / "queries.txt"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(SettingsError, match=re.escape(f"{file} is no text that can be read")):
        known_queries(file)
