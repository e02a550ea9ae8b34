"""`auto` takes the first index that finds what exact search finds, judged by the vectors alone."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from retrievals_pipeline.defs.index import choice, kinds
from retrievals_pipeline.defs.index.building import build
from retrievals_pipeline.defs.index.choice import ENOUGH, choose
from retrievals_pipeline.defs.index.kinds import Recipe, recipes
from retrievals_pipeline.defs.index.recall import DEPTHS, Probes, picture_queries, probes
from retrievals_pipeline.simulation.vectors import Simulation
from retrievals_serving.vectors import Int32
from retrievals_serving.vectors.faiss_index import FaissIndex
from retrievals_serving.vectors.kinds import AUTO

COUNT = 3000


def simulated(dimension: int) -> np.ndarray:
    return np.concatenate(list(Simulation(dimension).pictures(COUNT))).astype(np.float16)


def recall(index: FaissIndex, vectors: np.ndarray, depth: int) -> float:
    """The share of the best works of every third work, without itself, in the plainest words."""
    shares = []
    for row in range(0, len(vectors), 3):
        query = vectors[row].astype(np.float32)
        products = vectors.astype(np.float32) @ query
        best = [other for other in np.argsort(-products).tolist() if other != row][:depth]
        _, found = index.search(query[np.newaxis], depth + 1)
        mine = [other for other in found[0].tolist() if other != row][:depth]
        shares.append(len({*best} & {*mine}) / depth)
    return float(np.mean(shares))


def asked(vectors: np.ndarray) -> list[Probes]:
    return [probes(picture_queries(vectors), vectors)]


@pytest.mark.parametrize(
    ("settings", "taken"),
    [
        (["pq4:k_factor=1", "pq4:k_factor=4", "sq8", "flat"], "pq4:k_factor=4"),
        (["pq4:k_factor=1", "ivf-flat:nprobe=1", "sq8", "flat"], "sq8:k_factor=1.2"),
    ],
)
def test_the_first_that_finds_enough_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: list[str], taken: str
) -> None:
    vectors = simulated(64)
    offered = [recipe for each in settings for recipe in recipes(each, *vectors.shape)]
    path = tmp_path / "index.faiss"
    built: list[str] = []

    def count(recipe: Recipe, vectors: np.ndarray) -> Any:
        built.append(recipe.kind)
        return build(recipe, vectors)

    monkeypatch.setattr(choice, "build", count)
    recipe = choose(offered, vectors, asked(vectors), path)
    assert str(recipe) == taken
    assert len(set(built)) == len(built)  # other numbers of a search need no other file
    index = FaissIndex(path, recipe.search)
    for depth, least in ENOUGH.items():
        assert recall(index, vectors, depth) >= least
    for other in offered[: offered.index(recipe)]:
        choose([other], vectors, [], path)
        index = FaissIndex(path, other.search)
        assert any(recall(index, vectors, depth) < least for depth, least in ENOUGH.items())


def test_what_finds_nothing_enough_ends_with_exact_search(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kinds, "FLAT_BELOW", 1000)
    monkeypatch.setattr(choice, "ENOUGH", {80: 1.1})
    vectors = simulated(8)
    recipe = choose(
        recipes(AUTO, *vectors.shape), vectors, asked(vectors), tmp_path / "index.faiss"
    )
    assert recipe.kind == "flat"
    index = FaissIndex(tmp_path / "index.faiss", recipe.search)
    assert index.vector(7).tolist() == vectors[7].tolist()
    assert recall(index, vectors, 80) == 1


@pytest.mark.parametrize("count", [1, 1200, 10_000, 10_001, 68_816, 1_000_000, 20_000_000])
@pytest.mark.parametrize("dimension", [1, 33, 128, 1024])
def test_there_is_always_an_exact_one_to_end_with(count: int, dimension: int) -> None:
    *others, last = recipes(AUTO, count, dimension)
    assert str(last) == "flat"
    assert bool(others) is (count > 10_000)


@pytest.mark.parametrize("count", [1, 2, 50, 300])
def test_recall_is_the_share_of_the_best_that_are_found(tmp_path: Path, count: int) -> None:
    """Of as many as there are, the work itself not among them; equal ones are as good."""
    vectors = np.repeat(simulated(8)[: -(-count // 2)], 2, axis=0)[:count]
    choose(recipes("flat", *vectors.shape), vectors, [], tmp_path / "index.faiss")
    index = FaissIndex(tmp_path / "index.faiss")
    (searched,) = asked(vectors)
    assert searched.recall(index) == dict.fromkeys(DEPTHS, 1.0)
    if count > 10:
        half = Half(index)
        assert searched.recall(half)[10] == pytest.approx(0.5, abs=0.051)


class Half:
    """An index that finds every other of the best works."""

    def __init__(self, index: FaissIndex) -> None:
        self.index, self.count, self.dimension = index, index.count, index.dimension

    def search(
        self, queries: np.ndarray, k: int, rows: Int32 | None = None
    ) -> tuple[np.ndarray, ...]:
        scores, found = self.index.search(queries, 2 * k - 1, rows)
        # The first is the work itself, or as good as it.
        return scores[:, ::2], found[:, ::2]

    def vector(self, row: int) -> np.ndarray:
        return self.index.vector(row)
