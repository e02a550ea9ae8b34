"""The certificate says what the index finds, for pictures and texts, with and without filters."""

from pathlib import Path

import numpy as np
import pytest

from retrievals_pipeline.defs.index.certify import FILTERS, certify
from retrievals_pipeline.defs.index.choice import choose
from retrievals_pipeline.defs.index.kinds import recipes
from retrievals_pipeline.defs.index.recall import (
    DEPTHS,
    Queries,
    picture_queries,
    probes,
    text_queries,
)
from retrievals_pipeline.simulation.vectors import Simulation
from retrievals_serving.vectors.faiss_index import FaissIndex
from tests.index.test_choice import Half, simulated

WIDTHS = [1.0, *FILTERS]


def asked(vectors: np.ndarray) -> list[Queries]:
    dimension = vectors.shape[1]
    (texts,) = Simulation(dimension).texts(40)
    return [picture_queries(vectors), text_queries(texts.astype(np.float16), dimension)]


@pytest.mark.parametrize("count", [1, 2, 300, 3000])
def test_exact_search_finds_all_whatever_a_filter_keeps(tmp_path: Path, count: int) -> None:
    vectors = simulated(16)[:count]
    queries = [probes(each, vectors) for each in asked(vectors)]
    choose(recipes("flat", *vectors.shape), vectors, queries, tmp_path / "index.faiss")
    certificate = certify(FaissIndex(tmp_path / "index.faiss"), vectors, queries)
    assert [(each.queries, each.kept) for each in certificate.measures] == [
        (kind, kept) for kind in ("pictures", "texts") for kept in WIDTHS
    ]
    for measure in certificate.measures:
        assert measure.recall == dict.fromkeys(DEPTHS, 1.0)
        assert 0 < measure.p50_ms <= measure.p99_ms
    assert certificate.measures[-1].name == "texts, 0.1% kept"


def test_what_an_index_overlooks_is_in_its_certificate(tmp_path: Path) -> None:
    vectors = simulated(16)
    queries = [probes(each, vectors) for each in asked(vectors)]
    choose(recipes("flat", *vectors.shape), vectors, queries, tmp_path / "index.faiss")
    certificate = certify(Half(FaissIndex(tmp_path / "index.faiss")), vectors, queries)
    for measure in certificate.measures:
        if measure.kept * len(vectors) > 2 * max(DEPTHS):
            assert measure.recall[80] == pytest.approx(0.5, abs=0.02)


def test_the_best_of_a_filter_are_those_of_its_rows() -> None:
    vectors = simulated(16)
    rows = np.arange(0, len(vectors), 7, dtype=np.int32)
    for queries in asked(vectors):
        found = probes(queries, vectors, rows)
        for query, own, best in zip(queries.vectors, queries.own, found.best, strict=True):
            kept = rows[rows != own]
            products = np.sort(vectors[kept].astype(np.float32) @ query)[::-1]
            np.testing.assert_allclose(best, products[: len(best)], atol=1e-5)


def test_an_index_that_fails_for_texts_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each work's like lie in one list with it; those of a text lie in many."""
    monkeypatch.setattr("retrievals_pipeline.defs.index.choice.ENOUGH", {10: 0.95})
    chance = np.random.default_rng(0)
    heaps = np.repeat(chance.standard_normal((30, 32)), 50, axis=0)
    vectors = heaps + 0.01 * chance.standard_normal(heaps.shape)
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float16)
    between = vectors[::50].astype(np.float32) + vectors[::50].astype(np.float32)[::-1]
    pictures = probes(picture_queries(vectors), vectors)
    texts = probes(text_queries(between, 32), vectors)
    offered = recipes("ivf-flat:lists=8,nprobe=1", *vectors.shape)
    offered += recipes("flat", *vectors.shape)
    path = tmp_path / "index.faiss"
    assert choose(offered, vectors, [pictures], path).kind == "ivf-flat"
    assert choose(offered, vectors, [pictures, texts], path).kind == "flat"
