"""`retrievals build --revalidate` and `--force`, and going back to an older release."""

import json

import dagster as dg
import pytest
from click.testing import CliRunner

from retrievals_pipeline.build import build
from retrievals_pipeline.cli import main
from retrievals_pipeline.definitions import defs
from retrievals_pipeline.defs.release.candidate import read_candidate
from retrievals_serving.release import INDEX, Release, current_release_id, list_releases
from retrievals_serving.settings import Settings
from tests.conftest import WORKS, ServedMuseum


def run(*arguments: str) -> str:
    result = CliRunner().invoke(main, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def inputs(release_id: str) -> str:
    """The half of a release's id that is of its inputs."""
    return release_id.partition("-")[2]


def test_revalidation_asks_for_every_picture_and_releases_nothing_when_none_changed(
    built: Settings, served_museum: ServedMuseum
) -> None:
    served = current_release_id(built.store)
    assert served in run("build", "--revalidate")
    assert served_museum.pictures.total() == WORKS
    assert [release.release_id for release in list_releases(built.store)] == [served]


def test_a_forced_build_makes_a_release_of_the_same_inputs_from_scratch(
    built: Settings, served_museum: ServedMuseum
) -> None:
    first = current_release_id(built.store)
    assert "24 of 24 works" in run("build", "--force")
    forced = current_release_id(built.store)
    assert forced > first
    assert inputs(forced) == inputs(first)
    before, after = (Release(built.store, release_id) for release_id in (first, forced))
    assert after.manifest.as_of == before.manifest.as_of
    assert after.manifest.created_at > before.manifest.created_at
    assert after.path(INDEX).read_bytes() == before.path(INDEX).read_bytes()
    assert not after.path(INDEX).samefile(before.path(INDEX))
    assert not served_museum.pictures


def test_after_a_forced_release_nothing_changed_is_still_no_new_release(built: Settings) -> None:
    forced = build(force=True)
    assert build().release_id == forced.release_id
    assert len(list_releases(built.store)) == 2


def test_a_release_that_is_due_needs_no_force(
    built: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = current_release_id(built.store)
    monkeypatch.setenv("RETRIEVALS_DIMENSION", "32")
    release = build(force=True)
    assert release.release_id.partition("-")[0] == first.partition("-")[0]
    assert len(list_releases(built.store)) == 2


def test_in_dagster_one_asset_is_told_to_force(built: Settings) -> None:
    job = defs().get_repository_def().get_job("publish_release")
    config = {"ops": {"release_candidate": {"config": {"force": True}}}}
    with dg.DagsterInstance.from_config(str(built.store.path("dagster"))) as instance:
        assert job.execute_in_process(run_config=config, instance=instance).success
    assert len(list_releases(built.store)) == 2


def test_an_older_release_is_served_again_by_its_id(built: Settings) -> None:
    first = current_release_id(built.store)
    second = build(force=True).release_id
    assert first in run("releases", "promote", first)
    assert current_release_id(built.store) == first
    rows = json.loads(run("releases", "list", "--json"))
    assert {row["release"]: row["current"] for row in rows} == {first: True, second: False}


def test_after_a_rollback_builds_make_releases_and_promote_none(
    built: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = current_release_id(built.store)
    second = build(force=True).release_id
    assert f"Release {first} is current" in run("releases", "rollback")
    assert f"holds {first}: what builds make waits" in run("build")
    assert current_release_id(built.store) == first

    # Nor does another release of other inputs take its place, in the UI and by automation either.
    monkeypatch.setenv("RETRIEVALS_DIMENSION", "32")
    job = defs().get_repository_def().get_job("publish_release")
    with dg.DagsterInstance.from_config(str(built.store.path("dagster"))) as instance:
        result = job.execute_in_process(instance=instance)
    (made,) = result.asset_materializations_for_node("search_release")
    assert (made.metadata["release"].value, made.metadata["replaces"].value) == (first, "")
    assert f"holds {first}" in str(made.metadata["held"].value)
    third = read_candidate(built.store).release_id
    assert third not in (first, second)
    assert current_release_id(built.store) == first

    run("releases", "promote", second)
    assert build().release_id == third


def test_a_release_that_is_not_there_is_not_promoted(built: Settings) -> None:
    served = current_release_id(built.store)
    result = CliRunner().invoke(main, ["releases", "promote", "20200101T000000Z-0"])
    assert result.exit_code == 1
    assert "20200101T000000Z-0" in result.stderr
    assert current_release_id(built.store) == served
