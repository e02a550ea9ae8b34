"""The index answers exactly, in one order, whatever is asked of it."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import faiss
import numpy as np
import pytest

from retrievals_serving.errors import ReleaseDamaged
from retrievals_serving.release import INDEX, MANIFEST, Release
from retrievals_serving.store import Store
from retrievals_serving.vectors import SearchParameters
from retrievals_serving.vectors.faiss_index import FaissIndex, open_index
from tests.serving.small_release import RELEASE

COUNT, DIMENSION = 500, 16


@pytest.fixture(scope="module")
def stored() -> np.ndarray:
    """Vectors among which each is there several times, in places far from each other."""
    chance = np.random.default_rng(0)
    different = chance.standard_normal((COUNT // 5, DIMENSION)).astype(np.float32)
    different /= np.linalg.norm(different, axis=1, keepdims=True)
    return different[chance.permutation(COUNT) % len(different)]


@pytest.fixture(scope="module")
def index(stored: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> FaissIndex:
    path = tmp_path_factory.mktemp("index") / "index.faiss"
    built = faiss.IndexScalarQuantizer(
        DIMENSION, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT
    )
    built.add(stored)
    faiss.write_index(built, str(path))
    return FaissIndex(path)


@pytest.fixture
def queries() -> np.ndarray:
    return np.random.default_rng(1).standard_normal((4, DIMENSION)).astype(np.float32)


def brute_force(stored: np.ndarray, query: np.ndarray, k: int, rows: np.ndarray) -> np.ndarray:
    """The `k` best of `rows`, equal scores in the order of their rows."""
    # The same vector has the same score here as there; which is that, to the last bit, may differ.
    scores = np.round(stored[rows].astype(np.float16).astype(np.float64) @ query, 5)
    return rows[np.lexsort((rows, -scores))][:k]


@pytest.mark.parametrize("k", [1, 7, 64, COUNT, COUNT + 1])
def test_the_answer_is_exact_and_ties_come_in_the_order_of_rows(
    index: FaissIndex, stored: np.ndarray, queries: np.ndarray, k: int
) -> None:
    scores, rows = index.search(queries, k)
    assert scores.dtype == np.float32
    assert rows.dtype == np.int64
    assert (np.diff(scores) <= 0).all()
    for query, found in zip(queries, rows, strict=True):
        assert found.tolist() == brute_force(stored, query, k, np.arange(COUNT)).tolist()


@pytest.mark.parametrize("share", [0.01, 0.2, 1.0])
def test_a_search_of_some_rows_is_exact_over_them(
    index: FaissIndex, stored: np.ndarray, queries: np.ndarray, share: float
) -> None:
    wanted = np.flatnonzero(np.random.default_rng(2).random(COUNT) < share).astype(np.int32)
    _, rows = index.search(queries, 50, wanted)
    assert rows.shape == (len(queries), min(50, len(wanted)))
    for query, found in zip(queries, rows, strict=True):
        assert found.tolist() == brute_force(stored, query, 50, wanted).tolist()


def test_a_search_of_no_rows_finds_none(index: FaissIndex, queries: np.ndarray) -> None:
    scores, rows = index.search(queries, 5, np.array([], dtype=np.int32))
    assert scores.shape == rows.shape == (len(queries), 0)


def test_a_vector_is_given_as_it_was_stored(index: FaissIndex, stored: np.ndarray) -> None:
    assert (index.count, index.dimension) == (COUNT, DIMENSION)
    assert index.vector(7).tolist() == stored[7].astype(np.float16).astype(np.float32).tolist()


def test_threads_get_the_answers_that_one_gets(index: FaissIndex, queries: np.ndarray) -> None:
    wanted = np.arange(0, COUNT, 3, dtype=np.int32)

    def ask(turn: int) -> list[list[int]]:
        answer: list[list[int]] = index.search(queries, 40, wanted[turn % 2 :])[1].tolist()
        return answer

    expected = [ask(turn) for turn in range(64)]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, range(64))) == expected


def test_a_release_is_searched_as_its_manifest_says(own_home: Path, queries: np.ndarray) -> None:
    """And not as the file happens to say: half of the lists miss what all of them find."""
    vectors = np.random.default_rng(2).standard_normal((2000, DIMENSION)).astype(np.float16)
    lists = faiss.index_factory(DIMENSION, "IVF16,SQfp16", faiss.METRIC_INNER_PRODUCT)
    lists.by_residual = False
    lists.train(vectors.astype(np.float32))
    lists.add(vectors.astype(np.float32))
    release = Release(Store(own_home), RELEASE)
    faiss.write_index(lists, str(release.path(INDEX)))
    exact = [brute_force(vectors, query, 30, np.arange(len(vectors))).tolist() for query in queries]
    for nprobe, is_exact in ((8, False), (16, True)):
        entry = release.manifest.index.model_copy(
            update={"kind": "ivf-flat", "search": SearchParameters(nprobe=nprobe)}
        )
        manifest = release.manifest.model_copy(update={"index": entry})
        release.path(MANIFEST).write_text(manifest.model_dump_json())
        _, rows = open_index(Release(release.store, RELEASE)).search(queries, 30)
        assert (rows.tolist() == exact) is is_exact


def test_a_file_that_is_no_index_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "index.faiss"
    path.write_bytes(b"no index at all" * 10)
    with pytest.raises(ReleaseDamaged, match=r"index\.faiss cannot be read as a FAISS index"):
        FaissIndex(path)


def test_an_index_of_another_metric_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "index.faiss"
    faiss.write_index(faiss.IndexFlatL2(DIMENSION), str(path))
    with pytest.raises(ReleaseDamaged, match="not of inner products"):
        FaissIndex(path)
