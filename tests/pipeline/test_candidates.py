"""What is damaged, refused, half-written or was never checked is not served."""

import re
import shutil

import dagster as dg
import pytest

from retrievals_pipeline.build import build
from retrievals_pipeline.definitions import defs
from retrievals_pipeline.defs.images.works import read_works
from retrievals_pipeline.defs.index.plan import plan_release
from retrievals_pipeline.defs.release.candidate import seal_candidate
from retrievals_serving.errors import (
    BuildError,
    PromotionRefused,
    ReleaseError,
    ReleaseNotFound,
)
from retrievals_serving.models import describe_checkpoint
from retrievals_serving.promotion import promote
from retrievals_serving.release import (
    Release,
    current_release_id,
    list_releases,
    open_release,
    read_checks,
    record_check,
)
from retrievals_serving.settings import Settings
from tests.conftest import WORKS, ServedMuseum, serve_museum


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


def test_a_damaged_release_is_set_aside_and_built_again(built: Settings) -> None:
    release_id = current_release_id(built.store)
    path = Release(built.store, release_id).path("index.faiss")
    path.write_bytes(path.read_bytes()[:-10])
    record_check(built.store, release_id, "search", passed=True, details={"probes": "of before"})
    release = build()
    assert release.release_id == release_id
    assert release.damage() == []
    verdict = read_checks(built.store, release_id)["search"]
    assert verdict is not None
    assert verdict["details"]["probes"] == WORKS


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
    assert names == {
        "manifest.json",
        "index.faiss",
        "artworks.duckdb",
        "records.arrow",
        "scores.npy",
        "map.parquet",
        "golden.parquet",
    }
    assert not built.store.exists("releases/.staging")


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
    with dg.DagsterInstance.from_config(str(built.store.path("dagster"))) as instance:
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
