"""Automation asks for what follows from a change, and once."""

import dagster as dg
import pytest
from dagster._core.definitions.automation_tick_evaluation_context import (
    build_run_requests_with_backfill_policies,
)
from dagster._core.definitions.events import AssetKeyPartitionKey

from tests.pipeline.automation import AFTER_CHECKS, RELEASE, Automation

pytestmark = [
    pytest.mark.usefixtures("museum_settings"),
    # Dagster's own tester calls what it calls beta.
    pytest.mark.filterwarnings("ignore::dagster_shared.utils.warnings.BetaWarning"),
]


def test_nothing_is_asked_for_while_nothing_changes(released: Automation) -> None:
    assert released.tick() == {}
    released.observe("monday")
    assert released.tick() == {}


def test_other_open_data_ask_for_the_records_once(released: Automation) -> None:
    released.observe("tuesday")
    assert released.tick() == {"artworks": {None}}
    assert released.tick() == {}


def test_changed_records_ask_for_every_shard_and_nothing_further_yet(released: Automation) -> None:
    released.make("artworks", version="second")
    every = released.shards
    assert released.tick() == {"artwork_images": every, "image_embeddings": every}
    assert released.tick() == {}


def test_records_that_were_read_again_and_are_the_same_ask_for_nothing(
    released: Automation,
) -> None:
    released.make("artworks", version="first")
    assert released.tick() == {}


def test_pictures_that_were_looked_at_ask_for_their_vectors(released: Automation) -> None:
    shard = min(released.shards)
    released.make("artwork_images", shard)
    assert released.tick() == {"image_embeddings": {shard}}


def test_good_shards_go_on_though_their_run_ended_before_its_checks(released: Automation) -> None:
    good = released.shards - {min(released.shards)}
    released.make("artwork_images", *good, passed=None)
    assert released.tick() == {"image_embeddings": good}
    released.make("image_embeddings", *good, passed=None)
    assert released.tick().keys() == RELEASE | AFTER_CHECKS


def test_a_shard_that_was_never_made_holds_no_release_back(automation: Automation) -> None:
    good = automation.shards - {min(automation.shards)}
    automation.observe("monday")
    automation.make("artworks", version="first")
    automation.make("artwork_images", *good)
    automation.make("image_embeddings", *good)
    for asset in [*sorted(RELEASE), *sorted(AFTER_CHECKS)]:
        automation.make(asset)
    automation.tick()
    automation.make("image_embeddings", *good)
    assert automation.tick().keys() >= RELEASE


def test_the_run_of_a_release_makes_every_check_of_what_it_is_made_of(
    released: Automation,
) -> None:
    good = released.shards - {min(released.shards)}
    for asset in ("artwork_images", "image_embeddings"):
        released.make(asset, *good, passed=None)
    released.tick()
    (run,) = released.runs
    assert run.asset_check_keys is not None
    made = {check.name for check in run.asset_check_keys}
    before = {*released.checks["artwork_images"], *released.checks["image_embeddings"]}
    assert len(before) == 3
    assert made == before.union(*(released.checks[asset] for asset in RELEASE))


def test_the_runs_of_all_shards_make_their_checks(released: Automation) -> None:
    released.make("artworks", version="second")
    asked = released.tick()
    (backfill,) = released.runs
    assert backfill.requires_backfill_daemon()
    runs = build_run_requests_with_backfill_policies(
        [
            AssetKeyPartitionKey(dg.AssetKey(asset), shard)
            for asset, shards in asked.items()
            for shard in shards
        ],
        released.defs.get_repository_def().asset_graph,
        released.instance,
    )
    made = {check.name for run in runs for check in run.asset_check_keys or ()}
    assert made >= {*released.checks["artwork_images"], *released.checks["image_embeddings"]}


def test_vectors_ask_for_one_release_of_them_all(released: Automation) -> None:
    released.make("image_embeddings", *released.shards)
    asked = released.tick()
    assert asked == {asset: {None} for asset in RELEASE | AFTER_CHECKS}
    assert released.tick() == {}


@pytest.mark.parametrize("job_name", ["refresh_records", "refresh_images", "refresh_embeddings"])
def test_no_part_of_a_release_is_begun_while_anything_before_it_is_being_made(
    released: Automation, job_name: str
) -> None:
    released.make("image_embeddings", min(released.shards))
    shard = {} if job_name == "refresh_records" else {"dagster/partition": max(released.shards)}
    run = released.instance.create_run_for_job(
        released.defs.get_repository_def().get_job(job_name),
        status=dg.DagsterRunStatus.STARTED,
        tags=shard,
    )
    assert released.tick() == {}
    released.instance.report_run_failed(run)
    if job_name == "refresh_records":  # their check went with the run
        released.make("artworks", version="first")
    assert released.tick().keys() == RELEASE | AFTER_CHECKS
