"""`retrievals build` end to end, in process: what it makes, and what a second run does."""

import dataclasses
import re
import shutil
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest

from retrievals_pipeline.build import build, instance_at_work
from retrievals_pipeline.definitions import defs
from retrievals_pipeline.defs.embeddings.golden import golden_items
from retrievals_pipeline.defs.failures import BUILD_TAG
from retrievals_pipeline.defs.images.works import read_works
from retrievals_pipeline.defs.index.plan import plan_release
from retrievals_pipeline.defs.records.verification import check_size
from retrievals_pipeline.defs.release.candidate import seal_candidate
from retrievals_pipeline.defs.resources import loaded_embedder
from retrievals_pipeline.locks import only_build
from retrievals_pipeline.miniature.museum import MiniatureMuseum
from retrievals_serving import SearchEngine
from retrievals_serving.errors import (
    BuildError,
    PromotionRefused,
    ReleaseError,
    ReleaseNotFound,
)
from retrievals_serving.golden import read_golden, write_golden
from retrievals_serving.models import describe_checkpoint
from retrievals_serving.release import (
    METADATA,
    Release,
    current_release_id,
    list_releases,
    open_release,
    promote,
)
from retrievals_serving.settings import Settings
from retrievals_serving.store import picture_name
from tests.conftest import WORKS, ServedMuseum, serve_museum


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


def artifacts(settings: Settings) -> list[Path]:
    """All that is in the home beside Dagster's own: what a rebuild of the same must not touch."""
    home = settings.store.root
    return [
        path
        for path in home.rglob("*")
        if path.is_file() and path.relative_to(home).parts[0] != "dagster"
    ]


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


def test_a_candidate_without_golden_vectors_is_not_sealed(built: Settings) -> None:
    release = Release(built.store, current_release_id(built.store))
    built.store.path(f"{release.folder}/index.faiss").unlink()
    for kept in built.store.names("embeddings/golden/*"):
        built.store.remove(kept)
    plan = plan_release(
        built.store,
        shards=built.shards,
        description=describe_checkpoint(built.embedder, max_pixels=built.max_pixels),
        dimension=built.dimension,
        index=built.index,
    )
    with pytest.raises(ReleaseError, match="materialize `golden_vectors`"):
        seal_candidate(built.store, plan, limit=None)


def test_what_dagster_shows(built: Settings) -> None:
    assert latest(built, "artworks")["dagster/row_count"] == WORKS
    assert latest(built, "metadata_db")["dagster/row_count"] == WORKS
    golden = latest(built, "golden_vectors")
    assert golden["dagster/row_count"] == len(golden_items())
    assert (golden["device"], golden["dtype"]) == ("cpu", "float32")
    for asset in ("artwork_images", "image_embeddings"):
        shards = [latest(built, asset, f"{number}-of-3") for number in range(3)]
        assert sum(shard["dagster/row_count"] for shard in shards) == WORKS


def shown(settings: Settings, asset: str, shard: str | None = None) -> dict[str, Any]:
    """The metadata of the asset's latest materialization."""
    with dg.DagsterInstance.from_config(str(settings.store.path("dagster"))) as instance:
        (record,) = instance.fetch_materializations(
            dg.AssetRecordsFilter(
                asset_key=dg.AssetKey(asset), asset_partitions=[shard] if shard else None
            ),
            limit=1,
        ).records
    assert record.asset_materialization is not None
    return dict(record.asset_materialization.metadata)


def latest(settings: Settings, asset: str, shard: str | None = None) -> dict[str, Any]:
    """The same as plain values."""
    return {name: value.value for name, value in shown(settings, asset, shard).items()}


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


def test_a_museum_that_shrinks_at_once_is_not_served(
    built: Settings, served_museum: ServedMuseum, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = current_release_id(built.store)
    with serve_museum(WORKS // 2) as smaller:
        for name, value in smaller.environment(built.home).items():
            monkeypatch.setenv(name, value)
        with pytest.raises(BuildError, match="'artworks_have_not_shrunk' did not pass"):
            build()
    assert current_release_id(built.store) == served

    for name, value in served_museum.environment(built.home).items():
        monkeypatch.setenv(name, value)
    served_museum.pictures.clear()
    build()
    assert not served_museum.pictures


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


def test_a_damaged_release_is_set_aside_and_built_again(built: Settings) -> None:
    release_id = current_release_id(built.store)
    path = Release(built.store, release_id).path("index.faiss")
    path.write_bytes(path.read_bytes()[:-10])
    release = build()
    assert release.release_id == release_id
    assert release.damage() == []


@pytest.mark.parametrize("lost", ["index.faiss", "manifest.json"])
def test_a_damaged_served_release_does_not_stop_the_next_one(
    built: Settings, monkeypatch: pytest.MonkeyPatch, lost: str
) -> None:
    served = current_release_id(built.store)
    Release(built.store, served).path(lost).write_bytes(b"{}")
    monkeypatch.setenv("RETRIEVALS_DIMENSION", "32")
    release = build()
    assert release.release_id != served
    assert current_release_id(built.store) == release.release_id


def test_what_a_killed_build_left_behind_is_not_sealed(built: Settings) -> None:
    staging = built.store.path("releases/.staging/other")
    release = Release(built.store, current_release_id(built.store))
    shutil.rmtree(built.store.path(release.folder))
    left = built.store.path(f"releases/.staging/{release.release_id}/.index.faiss.0.partial")
    for path in (left, staging / "index.faiss"):
        path.parent.mkdir(parents=True)
        path.write_bytes(b"half")
    build()
    names = {path.name for path in built.store.path(release.folder).iterdir()}
    assert names == {"manifest.json", "index.faiss", "artworks.duckdb", "golden.parquet"}
    assert not built.store.exists("releases/.staging")


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
    with pytest.raises(BuildError, match=r"24 not_found.*RETRIEVALS_IIIF_MIRROR"):
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


def test_a_refused_candidate_is_not_served_now_or_later(
    built: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = current_release_id(built.store)
    lost = len(read_works(built.store, built.shards)["1-of-3"])
    poison(built, "ledger/1-of-3.parquet")
    share = re.escape(str(1 - lost / WORKS))
    with pytest.raises(BuildError, match=rf"'coverage' did not pass.*{share}.*'minimum': 0\.9"):
        build()
    assert current_release_id(built.store) == served
    candidate = list_releases(built.store)[0]
    assert candidate.release_id != served
    with pytest.raises(PromotionRefused, match="coverage failed"):
        promote(built.store, candidate.release_id)
    repository = defs().get_repository_def()
    with instance_at_work(built) as instance:
        promotion = repository.get_job("publish_release").execute_in_process(
            instance=instance, asset_selection=[dg.AssetKey("search_release")], raise_on_error=False
        )
    (refusal,) = promotion.get_step_failure_events()
    assert "coverage failed" in str(refusal.step_failure_data)
    assert current_release_id(built.store) == served

    monkeypatch.setenv("RETRIEVALS_MIN_COVERAGE", "0.5")
    assert build().release_id == candidate.release_id


def poison(settings: Settings, pattern: str) -> None:
    """Replace the one file of this name by garbage."""
    (name,) = settings.store.names(pattern)
    settings.store.path(name).write_bytes(b"garbage")


def test_a_release_that_was_never_checked_is_not_served(built: Settings) -> None:
    release_id = current_release_id(built.store)
    for name in built.store.names(f"reports/{release_id}/checks/*"):
        built.store.remove(name)
    with pytest.raises(PromotionRefused, match="files has not been run"):
        promote(built.store, release_id)


def test_nothing_is_served_before_the_first_release(museum_settings: Settings) -> None:
    with pytest.raises(ReleaseNotFound, match="`retrievals build` makes one"):
        open_release(museum_settings.store)


def test_two_builds_in_one_home_are_refused(built: Settings) -> None:
    with only_build(built.store), pytest.raises(BuildError, match="another build"):
        build()
