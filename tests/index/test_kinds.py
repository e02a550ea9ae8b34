"""Every kind of index that a release may have answers what it is asked, and filters exactly."""

import hashlib
import re
from pathlib import Path

import faiss
import numpy as np
import pytest

from retrievals_pipeline.defs.index.building import build
from retrievals_pipeline.defs.index.kinds import Recipe, recipes
from retrievals_pipeline.simulation.vectors import Simulation
from retrievals_serving.errors import ReleaseDamaged, SettingsError
from retrievals_serving.vectors.exact import FEW, ExactVectors
from retrievals_serving.vectors.faiss_index import ALWAYS_EXACT, FaissIndex
from retrievals_serving.vectors.kinds import KINDS

COUNT, DIMENSION = 12_000, 16
EXACT = {"flat", "flat-float32"}
OFTEN = slice(0, None, 120)


@pytest.fixture(scope="module")
def vectors() -> np.ndarray:
    """Float16 vectors: every third is there once more, far from the first, and one often."""
    different = np.concatenate(list(Simulation(DIMENSION).pictures(3 * COUNT // 4)))
    again = different[::3]
    vectors = np.concatenate([different, again])[:COUNT].astype(np.float16)
    vectors[OFTEN] = vectors[0]
    return vectors


@pytest.fixture(scope="module")
def queries() -> np.ndarray:
    return np.concatenate(list(Simulation(DIMENSION).texts(20)))


def recipe_of(setting: str, count: int = COUNT) -> Recipe:
    (recipe,) = recipes(setting, count, DIMENSION)
    return recipe


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, vectors: np.ndarray) -> Path:
    """An index file of each kind."""
    folder = tmp_path_factory.mktemp("kinds")
    for kind in KINDS:
        faiss.write_index(build(recipe_of(kind), vectors), str(folder / kind))
    return folder


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def index(folder: Path, kind: str) -> FaissIndex:
    return FaissIndex(folder / kind, recipe_of(kind).search)


def brute_force(vectors: np.ndarray, query: np.ndarray, k: int, rows: np.ndarray) -> list[int]:
    """The `k` best of `rows`, equal scores in the order of their rows."""
    products = vectors[rows].astype(np.float64) @ query
    # The same vector has the same score; what differs in the last bits there may not differ here.
    best: list[int] = rows[np.lexsort((rows, -np.round(products, 6)))][:k].tolist()
    return best


def assert_exact(
    index: FaissIndex, vectors: np.ndarray, queries: np.ndarray, k: int, rows: np.ndarray | None
) -> None:
    searched = np.arange(len(vectors)) if rows is None else rows
    scores, found = index.search(queries, k, rows)
    assert found.shape == scores.shape == (len(queries), min(k, len(searched)))
    for query, best, mine in zip(queries, found.tolist(), scores, strict=True):
        expected = brute_force(vectors, query, k, searched)
        products = vectors.astype(np.float64) @ query
        # Two vectors that differ may score the same but for the last bits, in either order.
        np.testing.assert_allclose(mine, products[expected], atol=2e-6)
        np.testing.assert_allclose(products[best], products[expected], atol=2e-6)
        assert_in_order(mine, best, searched)


def assert_in_order(scores: np.ndarray, found: list[int], searched: np.ndarray) -> None:
    """No row twice, none that was not asked for; best first, equal scores by row."""
    assert len(set(found)) == len(found)
    assert set(found) <= set(searched.tolist())
    assert sorted(zip(-scores, found, strict=True)) == list(zip(-scores, found, strict=True))


@pytest.mark.parametrize("seed", range(8))
def test_a_filter_is_answered_exactly(
    index: FaissIndex, vectors: np.ndarray, queries: np.ndarray, seed: int
) -> None:
    """Whatever kind of index it is, and for rows that are copied, as for those that are not."""
    chance = np.random.default_rng(seed)
    wanted = chance.integers(0, 2 * FEW * COUNT if seed % 2 else ALWAYS_EXACT)
    rows = np.sort(chance.choice(COUNT, wanted, replace=False)).astype(np.int32)
    assert_exact(index, vectors, queries[:3], int(chance.integers(1, 300)), rows)


def test_more_is_found_than_an_index_comes_upon(
    index: FaissIndex, vectors: np.ndarray, queries: np.ndarray
) -> None:
    """Always as many as there are, up to all."""
    for k in (COUNT // 2, COUNT - 1, COUNT, COUNT + 1):
        _, found = index.search(queries[:2], k)
        assert found.shape == (2, min(k, COUNT))
        assert all(len(set(each)) == len(each) for each in found.tolist())
    assert_exact(index, vectors, queries[:2], COUNT, None)


def test_an_answer_is_in_order_with_exact_scores_and_the_same_every_time(
    index: FaissIndex, kind: str, vectors: np.ndarray, queries: np.ndarray
) -> None:
    if kind in EXACT:
        assert_exact(index, vectors, queries, 80, None)
    scores, found = index.search(queries, 80)
    products = queries.astype(np.float64) @ vectors.T.astype(np.float64)
    np.testing.assert_allclose(scores, np.take_along_axis(products, found, axis=1), atol=2e-6)
    for mine, rows in zip(scores, found.tolist(), strict=True):
        assert_in_order(mine, rows, np.arange(COUNT))
    for number in range(len(queries)):
        _, alone = index.search(queries[number : number + 1], 80)
        assert alone[0].tolist() == found[number].tolist()


def test_a_vector_is_given_as_it_was_stored(index: FaissIndex, vectors: np.ndarray) -> None:
    assert (index.count, index.dimension) == (COUNT, DIMENSION)
    for row in (0, 1, COUNT - 1):
        assert index.vector(row).tolist() == vectors[row].astype(np.float32).tolist()


def test_equal_vectors_are_found_together_in_the_order_of_their_rows(
    index: FaissIndex, vectors: np.ndarray
) -> None:
    """Also where the last place is one of them."""
    first, second = 3, 3 * COUNT // 4 + 1
    assert vectors[first].tolist() == vectors[second].tolist()
    query = vectors[first : first + 1].astype(np.float32)
    assert index.search(query, 2)[1].tolist() == [[first, second]]
    assert index.search(query, 1)[1].tolist() == [[first]]


def test_of_many_equal_vectors_the_first_are_found(index: FaissIndex, vectors: np.ndarray) -> None:
    """However many there are behind them."""
    query = vectors[:1].astype(np.float32)
    scores, found = index.search(query, 10)
    assert len(set(scores[0])) == 1
    assert found[0].tolist() == np.arange(COUNT)[OFTEN][:10].tolist()


@pytest.fixture
def no_exact_search(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("all vectors were searched")

    monkeypatch.setattr(ExactVectors, "search", refuse)


@pytest.mark.usefixtures("no_exact_search")
@pytest.mark.parametrize("kind", ["pq4", "ivf-flat:nprobe=300", "ivf-pq4:nprobe=300", "hnsw"])
def test_a_filter_that_keeps_most_is_answered_by_the_index(
    folder: Path, kind: str, vectors: np.ndarray, queries: np.ndarray
) -> None:
    rows = np.setdiff1d(np.arange(COUNT), np.arange(0, COUNT, 7)).astype(np.int32)
    index = FaissIndex(folder / kind.partition(":")[0], recipe_of(kind).search)
    scores, found = index.search(queries, 50, rows)
    assert found.shape == (len(queries), 50)
    expected = [brute_force(vectors, query, 50, rows) for query in queries]
    for mine, ours in zip(scores, found.tolist(), strict=True):
        assert_in_order(mine, ours, rows)
    shares = [
        len({*mine} & {*best}) / 50 for mine, best in zip(found.tolist(), expected, strict=True)
    ]
    assert np.mean(shares) > 0.9


def test_a_filter_that_keeps_most_but_the_best_is_answered_exactly(
    index: FaissIndex, vectors: np.ndarray, queries: np.ndarray
) -> None:
    order = np.argsort(-(vectors.astype(np.float32) @ queries[0]))
    rows = np.sort(order[COUNT // 4 :]).astype(np.int32)
    assert_exact(index, vectors, queries[:1], 60, rows)


def test_an_index_without_whole_vectors_is_refused(tmp_path: Path, vectors: np.ndarray) -> None:
    path = tmp_path / "index.faiss"
    for key in ("SQ8", "HNSW16_SQ8", "SQ8,Refine(SQ8)", "IVF4,SQ8", "IVF4,PQ8x4fs"):
        codes = faiss.index_factory(DIMENSION, key, faiss.METRIC_INNER_PRODUCT)
        codes.train(vectors[:500].astype(np.float32))
        codes.add(vectors[:500].astype(np.float32))
        faiss.write_index(codes, str(path))
        with pytest.raises(ReleaseDamaged, match="keeps no whole vectors"):
            FaissIndex(path)


def test_the_same_vectors_give_the_same_file_on_any_number_of_threads(
    folder: Path, kind: str, vectors: np.ndarray
) -> None:
    usual = faiss.omp_get_max_threads()
    try:
        for threads in (1, 2):
            faiss.omp_set_num_threads(threads)
            again = faiss.serialize_index(build(recipe_of(kind), vectors)).tobytes()
            written = (folder / kind).read_bytes()
            assert hashlib.sha256(again).digest() == hashlib.sha256(written).digest()
    finally:
        faiss.omp_set_num_threads(usual)


@pytest.mark.parametrize(("count", "dimension"), [(600, 16), (COUNT, 17)])
def test_works_or_numbers_that_are_too_few_for_a_kind_are_said(count: int, dimension: int) -> None:
    with pytest.raises(SettingsError, match=f"there are {count} of dimension {dimension}"):
        recipes("pq4", count, dimension)


def test_numbers_that_are_set_are_those_of_the_index(vectors: np.ndarray) -> None:
    (recipe,) = recipes("hnsw:m=5,ef_search=77,k_factor=1.5", COUNT, DIMENSION)
    assert (recipe.search.ef_search, recipe.search.k_factor) == (77, 1.5)
    assert recipe.build == {"m": 5, "ef_construction": 200}
    assert str(recipe) == "hnsw:m=5,ef_construction=200,ef_search=77,k_factor=1.5"
    index = build(recipe, vectors[:300])
    base = faiss.downcast_index(index.base_index)
    assert (base.hnsw.nb_neighbors(1), base.hnsw.efConstruction) == (5, 200)


def test_the_docs_name_every_kind_with_its_numbers() -> None:
    text = Path(__file__).parents[2].joinpath("docs/index.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([\w-]+)` \|.*\| (?:`(.*)` )?\|$", text, re.MULTILINE)
    numbers = {
        kind: ",".join(f"{name}={value}" for name, value in values.items())
        for kind, values in KINDS.items()
    }
    assert dict(rows) == numbers
