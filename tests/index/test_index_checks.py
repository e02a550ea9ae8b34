"""The check of the staged files refuses an index and records that are not of the same works."""

import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb
import faiss
import numpy as np
import pytest

from retrievals_pipeline.defs.index.collection_map import build_map
from retrievals_pipeline.defs.index.faiss_index import build_index, nearest_cosines
from retrievals_pipeline.defs.index.metadata_db import build_metadata
from retrievals_pipeline.defs.index.plan import ReleasePlan
from retrievals_pipeline.defs.index.verification import check_rows
from retrievals_serving.collection_map import CollectionMap, read_map, write_map
from retrievals_serving.settings import Settings
from retrievals_serving.vectors.faiss_index import FaissIndex
from tests.conftest import WORKS
from tests.index.test_plan import plan

Staged = tuple[ReleasePlan, Path, Path, Path]


@pytest.fixture
def staged(built: Settings) -> Staged:
    """A plan whose files are staged and not sealed yet."""
    shutil.rmtree(built.store.path("releases"))
    planned = plan(built)
    files = [build(built.store, planned) for build in (build_index, build_metadata, build_map)]
    return planned, *files


def test_files_of_the_same_works_pass(built: Settings, staged: Staged) -> None:
    verdict = check_rows(built.store, *staged)
    assert verdict.passed, verdict.details
    assert {verdict.details[name] for name in ("records", "vectors", "places")} == {WORKS}


def edit_records(sql: str) -> Callable[[Path, Path, Path], None]:
    def edit(_: Path, metadata: Path, __: Path) -> None:
        with duckdb.connect(str(metadata)) as connection:
            connection.execute("drop index artworks_id")
            connection.execute(sql)

    return edit


def edit_index(change: Callable[[np.ndarray], np.ndarray]) -> Callable[[Path, Path, Path], None]:
    def edit(path: Path, _: Path, __: Path) -> None:
        read = faiss.read_index(str(path))
        vectors = change(read.reconstruct_n(0, read.ntotal))
        index = faiss.IndexScalarQuantizer(
            vectors.shape[1], faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT
        )
        index.add(np.ascontiguousarray(vectors))
        faiss.write_index(index, str(path))

    return edit


def edit_map(change: Callable[[list[str]], list[str]]) -> Callable[[Path, Path, Path], None]:
    def edit(_: Path, __: Path, path: Path) -> None:
        ids = change(read_map(path).ids)
        write_map(CollectionMap(ids, np.zeros((len(ids), 2), np.int16), {}), path)

    return edit


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(edit_records(f"update artworks set row = (row + 1) % {WORKS}"), id="shifted"),
        pytest.param(edit_records("delete from artworks where row = 7"), id="a record lacks"),
        pytest.param(
            edit_records("insert into artworks from artworks where row = 7"), id="a record twice"
        ),
        pytest.param(
            edit_records("update artworks set image_sha256 = 'another' where row = 7"),
            id="another picture",
        ),
        pytest.param(edit_index(lambda vectors: vectors[::-1]), id="vectors in another order"),
        pytest.param(edit_index(lambda vectors: vectors[:-1]), id="a vector lacks"),
        pytest.param(edit_index(lambda vectors: vectors[:, :64]), id="narrower vectors"),
        pytest.param(edit_map(lambda ids: [*ids[1:], ids[0]]), id="places in another order"),
        pytest.param(edit_map(lambda ids: ids[:-1]), id="a place lacks"),
    ],
)
def test_files_of_other_works_are_refused(
    built: Settings, staged: Staged, spoil: Callable[[Path, Path, Path], None]
) -> None:
    planned, *files = staged
    spoil(*files)
    assert not check_rows(built.store, planned, *files).passed


def test_the_nearest_other_work_is_never_the_work_itself(staged: Staged) -> None:
    _, path, *_ = staged
    index = faiss.read_index(str(path))
    vectors = index.reconstruct_n(0, index.ntotal)
    cosines = vectors @ vectors.T
    np.fill_diagonal(cosines, -1)
    assert nearest_cosines(FaissIndex(path)) == pytest.approx(cosines.max(axis=1), abs=1e-3)


def test_a_single_work_has_no_nearest(staged: Staged) -> None:
    _, path, *others = staged
    edit_index(lambda vectors: vectors[:1])(path, *others)
    assert nearest_cosines(FaissIndex(path)).shape == (0,)
