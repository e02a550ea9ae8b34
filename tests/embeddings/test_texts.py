"""Texts of the collection are embedded once, and again only where they are others."""

import logging

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from retrievals_pipeline.defs.embeddings import texts
from retrievals_pipeline.defs.embeddings.texts import (
    keep_texts,
    read_texts,
    texts_from_elsewhere,
    texts_name,
    wanted_texts,
)
from retrievals_pipeline.defs.records.paths import ARTWORKS
from retrievals_serving.errors import BuildError, SourceError
from retrievals_serving.models import Description, Embedder, Input, describe_checkpoint
from retrievals_serving.models import load_embedder as load
from retrievals_serving.questions import MAX_QUERY
from retrievals_serving.settings import Settings


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return load("miniature", max_pixels=65_536)


def described(settings: Settings) -> Description:
    return describe_checkpoint("miniature", max_pixels=settings.max_pixels)


def everything(settings: Settings) -> list[str]:
    """What a build embeds: of the collection, then from elsewhere."""
    return [*wanted_texts(settings.store), *texts_from_elsewhere()]


def every_text(settings: Settings) -> np.ndarray:
    return np.concatenate(read_texts(settings.store, described(settings)))


def edit(settings: Settings, column: str, change: dict[str, str]) -> None:
    path = settings.store.path(ARTWORKS)
    table = pq.read_table(path)
    values = [change.get(value, value) for value in table[column].to_pylist()]
    index = table.schema.get_field_index(column)
    pq.write_table(table.set_column(index, column, pa.array(values, pa.string())), path)


def test_they_are_titles_descriptions_and_terms_as_long_as_a_query_may_be(built: Settings) -> None:
    records = pq.read_table(built.store.path(ARTWORKS))
    long = "a very long story " * 100
    edit(built, "description", {records["description"][0].as_py(): long})
    wanted = wanted_texts(built.store)
    assert wanted == sorted(set(wanted))
    assert set(records["title"].to_pylist()) < set(wanted)
    assert long[:MAX_QUERY] in wanted
    assert {term for terms in records["theme"].to_pylist() for term in terms} < set(wanted)
    assert max(map(len, wanted)) == MAX_QUERY


def test_of_many_works_some_are_taken_and_stay_those_when_others_come(
    built: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(texts, "WORKS", 10)
    before = set(wanted_texts(built.store))
    path = built.store.path(ARTWORKS)
    table = pq.read_table(path)
    pq.write_table(table.slice(0, table.num_rows - 5), path)
    assert len(before) <= 30
    assert len(before & set(wanted_texts(built.store))) > len(before) / 2


def test_an_edited_title_embeds_that_title_and_no_other(
    built: Settings, embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str | None] = []
    embed = type(embedder).embed_queries

    def count(self: Embedder, queries: list[Input]) -> np.ndarray:
        asked.extend(query.text for query in queries)
        return embed(self, queries)

    monkeypatch.setattr(type(embedder), "embed_queries", count)
    description = described(built)
    wanted = everything(built)
    assert keep_texts(built.store, description, lambda: embedder) == (len(wanted), 0)
    assert asked == []  # the build made them
    before = dict(zip(wanted, every_text(built), strict=True))
    title = pq.read_table(built.store.path(ARTWORKS))["title"][0].as_py()
    edit(built, "title", {title: "Quite another title"})
    assert keep_texts(built.store, description, lambda: embedder) == (len(wanted), 1)
    assert asked[-1] == "Quite another title"
    after = dict(zip(everything(built), every_text(built), strict=True))
    for text in before.keys() & after.keys():
        assert before[text].tolist() == after[text].tolist()
    assert title not in after


def test_what_cannot_be_read_is_made_again(
    built: Settings, embedder: Embedder, caplog: pytest.LogCaptureFixture
) -> None:
    description = described(built)
    before = every_text(built)
    built.store.write_bytes(texts_name(description), b"no parquet")
    with caplog.at_level(logging.WARNING, logger=texts.__name__):
        assert keep_texts(built.store, description, lambda: embedder) == (len(before),) * 2
    assert "is made again" in caplog.text
    after = every_text(built)
    np.testing.assert_allclose(after.astype(np.float32), before.astype(np.float32), atol=1e-3)


def test_a_text_without_a_unit_vector_is_left_out_and_the_others_stay(
    built: Settings,
    embedder: Embedder,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    description = described(built)
    built.store.remove(texts_name(description))
    embed = type(embedder).embed_queries

    def first_broken(self: Embedder, queries: list[Input]) -> np.ndarray:
        vectors = embed(self, queries)
        if len(queries) > 12:  # not the golden texts
            vectors[0] = np.nan
        return vectors

    monkeypatch.setattr(type(embedder), "embed_queries", first_broken)
    wanted = everything(built)
    texts_and_embedded = keep_texts(built.store, description, lambda: embedder)
    assert texts_and_embedded == (len(wanted) - 1, len(wanted))
    assert f"of the text {wanted[0]!r}" in caplog.text
    vectors = every_text(built)
    assert len(vectors) == len(wanted) - 1
    assert np.isfinite(vectors).all()


def test_what_the_collection_says_itself_is_not_from_elsewhere(
    built: Settings, embedder: Embedder
) -> None:
    title = pq.read_table(built.store.path(ARTWORKS))["title"][0].as_py()
    edit(built, "title", {title: texts_from_elsewhere()[0]})
    keep_texts(built.store, described(built), lambda: embedder)
    own, elsewhere = read_texts(built.store, described(built))
    assert len(own) == len(wanted_texts(built.store))
    assert len(elsewhere) == len(texts_from_elsewhere()) - 1


def test_without_them_it_is_said_which_asset_makes_them(built: Settings) -> None:
    description = described(built)
    built.store.remove(texts_name(description))
    with pytest.raises(SourceError, match="materialize `text_embeddings`"):
        read_texts(built.store, description)


def test_a_model_that_makes_no_vector_at_all_is_refused(
    built: Settings, embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    description = described(built)
    built.store.remove(texts_name(description))
    embed = type(embedder).embed_queries

    def broken(self: Embedder, queries: list[Input]) -> np.ndarray:
        vectors = embed(self, queries)
        return vectors if len(queries) <= 12 else np.full_like(vectors, np.nan)

    monkeypatch.setattr(type(embedder), "embed_queries", broken)
    with pytest.raises(BuildError, match="miniature makes a vector of length 1 of none of"):
        keep_texts(built.store, description, lambda: embedder)
    assert not built.store.exists(texts_name(description))
