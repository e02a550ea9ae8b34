"""`retrievals build` end to end, in process: what it makes, and what a second run does."""

import dataclasses
import re
import resource
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import numpy as np
import pytest

from retrievals_pipeline.build import build
from retrievals_pipeline.definitions import defs
from retrievals_pipeline.defs.embeddings.golden import golden_items
from retrievals_pipeline.defs.failures import BUILD_TAG
from retrievals_pipeline.defs.records.verification import check_size
from retrievals_pipeline.defs.resources import loaded_embedder
from retrievals_pipeline.locks import only_build
from retrievals_pipeline.miniature.museum import MiniatureMuseum
from retrievals_serving import SearchEngine
from retrievals_serving.errors import (
    BuildError,
)
from retrievals_serving.golden import read_golden, write_golden
from retrievals_serving.release import (
    METADATA,
    SCORES,
    Release,
    current_release_id,
    list_releases,
)
from retrievals_serving.settings import Settings
from retrievals_serving.store import picture_name
from retrievals_serving.vectors.faiss_index import open_index
from tests.conftest import WORKS, ServedMuseum
from tests.pipeline.homes import artifacts, latest


def test_a_build_makes_one_checked_release_of_every_work(built: Settings) -> None:
    (release,) = list_releases(built.store)
    manifest = release.manifest
    assert (manifest.works, manifest.eligible, manifest.missing) == (WORKS, WORKS, {})
    assert release.damage() == []
    assert current_release_id(built.store) == release.release_id
    with duckdb.connect(str(release.path(METADATA)), read_only=True) as connection:
        rows = connection.execute("select row, id, title, image_sha256 from artworks").fetchall()
    assert [row[0] for row in rows] == list(range(WORKS))
    assert all(title and built.store.exists(picture_name(sha)) for _, _, title, sha in rows)


def test_the_release_answers(built: Settings) -> None:
    with SearchEngine.open(settings=built) as engine:
        page = engine.search("a boat at sea", top_k=10)
    assert len(page.results) == 10


def test_what_answers_are_judged_by_is_of_its_vectors(built: Settings) -> None:
    (release,) = list_releases(built.store)
    index = open_index(release)
    vectors = np.stack([index.vector(row) for row in range(index.count)])
    mean, *covariance = np.load(release.path(SCORES))
    np.testing.assert_allclose(mean, vectors.mean(axis=0), atol=1e-6)
    np.testing.assert_allclose(covariance, np.cov(vectors.T, bias=True), atol=1e-6)


def test_a_second_build_does_nothing_twice_and_loads_no_model(
    built: Settings, served_museum: ServedMuseum, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(*_: object, **__: object) -> None:
        raise AssertionError("a model was loaded")

    monkeypatch.setattr("retrievals_pipeline.defs.resources.load_embedder", load)
    loaded_embedder.cache_clear()
    build()  # after which the size of the release is compared with its own
    files = {path: path.stat().st_mtime_ns for path in artifacts(built)}
    release = build()
    assert list_releases(built.store) == [release]
    assert not served_museum.pictures
    assert {path: path.stat().st_mtime_ns for path in artifacts(built)} == files


def test_another_dimension_makes_another_release_and_embeds_nothing(
    built: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = current_release_id(built.store)
    vectors = vector_files(built)
    monkeypatch.setenv("RETRIEVALS_DIMENSION", "32")
    second = build()
    assert second.release_id != first
    assert second.manifest.embedder.dimension == 32
    assert vector_files(built) == vectors


def vector_files(settings: Settings) -> dict[Path, int]:
    """Every file of vectors, under whatever contract, with the time it was written."""
    parts = settings.store.root.glob("embeddings/*/*/*.parquet")
    return {path: path.stat().st_mtime_ns for path in parts}


@pytest.mark.usefixtures("built")
def test_an_index_that_is_asked_for_is_made_and_embeds_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with SearchEngine.open() as engine:
        before = engine.search("a boat").results
    monkeypatch.setenv("RETRIEVALS_INDEX", "hnsw:m=5,ef_search=50")
    loaded_embedder.cache_clear()
    release = build()
    assert loaded_embedder.cache_info().currsize == 0
    index = release.manifest.index
    assert index.kind == "hnsw"
    assert index.build == {"m": 5, "ef_construction": 200}
    assert index.search.ef_search == 50
    with SearchEngine.open() as engine:
        assert [result.id for result in engine.search("a boat").results] == [
            result.id for result in before
        ]
    assert build().release_id == release.release_id


def test_where_golden_vectors_were_made_is_told_and_no_part_of_the_id(built: Settings) -> None:
    release = Release(built.store, current_release_id(built.store))
    assert (release.manifest.golden.device, release.manifest.golden.dtype) == ("cpu", "float32")
    (kept,) = built.store.names("embeddings/golden/*")
    golden = read_golden(built.store.path(kept))
    elsewhere = golden.made_on.model_copy(update={"device": "cuda:0", "dtype": "bfloat16"})
    write_golden(dataclasses.replace(golden, made_on=elsewhere), built.store.path(kept))
    shutil.rmtree(built.store.path(release.folder))
    rebuilt = build()
    assert rebuilt.release_id == release.release_id
    assert rebuilt.manifest.golden == elsewhere
    assert rebuilt.manifest.files != release.manifest.files


def test_what_dagster_shows(built: Settings) -> None:
    assert latest(built, "artworks")["dagster/row_count"] == WORKS
    assert latest(built, "metadata_db")["dagster/row_count"] == WORKS
    golden = latest(built, "golden_vectors")
    assert golden["dagster/row_count"] == len(golden_items())
    assert (golden["device"], golden["dtype"]) == ("cpu", "float32")
    for asset in ("artwork_images", "image_embeddings"):
        shards = [latest(built, asset, f"{number}-of-3") for number in range(3)]
        assert sum(shard["dagster/row_count"] for shard in shards) == WORKS


def test_what_somebody_interrupts_is_no_failure(
    museum_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: Any, **__: Any) -> None:
        raise dg.DagsterExecutionInterruptedError

    monkeypatch.setattr("retrievals_pipeline.defs.images.assets.download_shard", interrupted)
    with pytest.raises(KeyboardInterrupt):
        build()
    with dg.DagsterInstance.from_config(str(museum_settings.store.path("dagster"))) as instance:
        (run,) = instance.get_runs(limit=1)
    assert (run.job_name, run.status) == ("refresh_images", dg.DagsterRunStatus.CANCELED)


def test_a_limit_that_was_asked_for_is_served_and_costs_nothing_to_lift(
    built: Settings, served_museum: ServedMuseum, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = current_release_id(built.store)
    monkeypatch.setenv("RETRIEVALS_LIMIT", "5")
    assert build().manifest.works == 5
    assert not check_size(built.store, eligible=2, limit=None).passed
    monkeypatch.delenv("RETRIEVALS_LIMIT")
    assert build().release_id == whole
    assert not served_museum.pictures


def test_the_last_line_of_a_failed_build_is_the_message_itself(
    museum_settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    MiniatureMuseum(3).write_records(tmp_path)
    with (tmp_path / "objects.csv").open("a") as file:
        file.write('9,"never closed')
    monkeypatch.setenv("RETRIEVALS_NGA_URL", str(tmp_path))
    with pytest.raises(BuildError) as caught:
        build()
    assert str(caught.value).startswith(
        f"refresh_records failed: {tmp_path}/objects.csv is not a well-formed CSV file"
    )
    assert str(caught.value).endswith("The last good table is kept.")
    assert not museum_settings.store.exists("records/artworks.parquet")


def test_a_mirror_without_pictures_is_named(
    museum_settings: Settings, served_museum: ServedMuseum, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RETRIEVALS_IIIF_MIRROR", f"{served_museum.address}/wrong")
    with pytest.raises(
        BuildError, match=r"24 not_found.*RETRIEVALS_IIIF_MIRROR.*build --revalidate"
    ):
        build()
    assert len(museum_settings.store.names("ledger/*")) == 3


def test_a_build_ends_only_dead_runs_of_its_own_home(built: Settings) -> None:
    with dg.DagsterInstance.from_config(str(built.store.path("dagster"))) as instance:
        job = defs().get_repository_def().get_job("refresh_records")
        dead, alive = (
            instance.create_run_for_job(
                job, status=dg.DagsterRunStatus.STARTED, tags={BUILD_TAG: str(home)}
            ).run_id
            for home in (built.store.root, "/another/home")
        )
        build()
        assert instance.get_run_by_id(dead).status == dg.DagsterRunStatus.FAILURE
        assert instance.get_run_by_id(alive).status == dg.DagsterRunStatus.STARTED


def test_two_builds_in_one_home_are_refused(built: Settings) -> None:
    with only_build(built.store), pytest.raises(BuildError, match="another build"):
        build()


def test_a_disk_that_is_full_for_dagster_is_told_in_a_line(built: Settings) -> None:
    def fill() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (2**15, 2**15))  # SQLite's error is a real one

    result = subprocess.run(
        [Path(sys.executable).with_name("retrievals"), "build"],
        preexec_fn=fill,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1
    told = " ".join(result.stderr.split())
    assert told.startswith(
        f"Error: {built.store.path('dagster')}, where Dagster keeps its history,"
    )
    assert re.search(r"disk I/O error\. [\d.]+ MB are free there: make room", told)
    assert "Traceback" not in told
