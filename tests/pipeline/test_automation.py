"""Automation asks for what follows from a change, once, and for nothing that a check forbids."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import pytest
from dagster._core.definitions.asset_checks.asset_check_evaluation import (
    AssetCheckEvaluationTargetMaterializationData,
)
from dagster._core.definitions.automation_tick_evaluation_context import (
    build_run_requests,
    build_run_requests_with_backfill_policies,
)
from dagster._core.definitions.events import AssetKeyPartitionKey

from retrievals_pipeline.definitions import defs
from retrievals_pipeline.defs import run_tags
from retrievals_serving.settings import Settings
from tests.conftest import WORKS, ServedMuseum

pytestmark = [
    pytest.mark.usefixtures("museum_settings"),
    # Dagster's own tester calls what it calls beta.
    pytest.mark.filterwarnings("ignore::dagster_shared.utils.warnings.BetaWarning"),
]
RELEASE = {
    "golden_vectors", "faiss_index", "metadata_db", "collection_map", "release_candidate",
}  # fmt: skip
AFTER_CHECKS = {"retrieval_report", "search_release"}


class Automation:
    """The conditions of the real definitions, evaluated by hand on events that a test reports."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self.instance = instance
        self.defs = defs()
        graph = self.defs.get_repository_def().asset_graph
        shards = graph.get(dg.AssetKey("artwork_images")).partitions_def
        assert shards is not None
        self.shards = set(shards.get_partition_keys())
        self.checks = {
            asset: [
                key.name
                for key in graph.asset_check_keys
                if key.asset_key.path == [asset] and graph.get(key).blocking
            ]
            for asset in ("artworks", "artwork_images", "image_embeddings", *RELEASE)
        }
        self.cursor: Any = None
        self.clock = datetime.now(UTC)
        self.runs: Sequence[dg.RunRequest] = ()

    def tick(self) -> dict[str, set[str | None]]:
        """The partitions that one evaluation asks for, by asset."""
        result = dg.evaluate_automation_conditions(
            self.defs, self.instance, cursor=self.cursor, evaluation_time=self.clock
        )
        self.cursor = result.cursor
        self.runs = build_run_requests(
            list(result._requested_subsets),
            self.defs.get_repository_def().asset_graph,
            run_tags=None,
            emit_backfills=True,
        )
        keys = self.defs.get_repository_def().asset_graph.get_all_asset_keys()
        asked = {key.to_user_string(): set(result.get_requested_partitions(key)) for key in keys}
        return {asset: partitions for asset, partitions in asked.items() if partitions}

    def night(self) -> dict[str, set[str | None]]:
        """The same, of the first evaluation of another day."""
        self.clock += timedelta(days=1)
        return self.tick()

    def fail(self, job_name: str, *shards: str) -> None:
        """Report that a run failed before it made anything."""
        job = self.defs.get_repository_def().get_job(job_name)
        run = self.instance.create_run_for_job(
            job,
            status=dg.DagsterRunStatus.STARTED,
            tags=run_tags.over(shards) if shards else None,
        )
        self.instance.report_run_failed(run)

    def observe(self, version: str) -> None:
        self.instance.report_runless_asset_event(
            dg.AssetObservation("nga_open_data", tags={"dagster/data_version": version})
        )

    def make(self, asset: str, *shards: str, version: str = "", passed: bool | None = True) -> None:
        """Report that an asset was made, with a verdict of each of its blocking checks, or none."""
        tags = {"dagster/data_version": version} if version else None
        for shard in shards or (None,):
            self.instance.report_runless_asset_event(
                dg.AssetMaterialization(asset, partition=shard, tags=tags)
            )
        for check in self.checks.get(asset, ()) if passed is not None else ():
            self.judge(asset, check, passed=passed)

    def judge(self, asset: str, check: str, *, passed: bool) -> None:
        (latest,) = self.instance.fetch_materializations(dg.AssetKey(asset), limit=1).records
        self.instance.report_runless_asset_event(
            dg.AssetCheckEvaluation(
                asset_key=dg.AssetKey(asset),
                check_name=check,
                passed=passed,
                metadata={},
                blocking=True,
                target_materialization_data=AssetCheckEvaluationTargetMaterializationData(
                    storage_id=latest.storage_id,
                    run_id=latest.run_id,
                    timestamp=latest.timestamp,
                ),
            )
        )


@pytest.fixture
def automation(museum_settings: Settings) -> Iterator[Automation]:
    with dg.DagsterInstance.ephemeral() as instance:
        automation = Automation(instance)
        assert len(automation.shards) == museum_settings.shards
        yield automation


@pytest.fixture
def released(automation: Automation) -> Automation:
    """After a first build, and the first evaluation of the conditions."""
    automation.observe("monday")
    automation.make("artworks", version="first")
    automation.make("artwork_images", *automation.shards)
    automation.make("image_embeddings", *automation.shards)
    for asset in [*sorted(RELEASE), *sorted(AFTER_CHECKS)]:
        automation.make(asset)
    assert automation.tick() == {}
    return automation


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


def test_records_that_a_check_forbids_go_nowhere_in_later_runs_too(released: Automation) -> None:
    released.make("artworks", version="second", passed=False)
    assert released.tick() == {}
    assert released.tick() == {}
    for check in released.checks["artworks"]:
        released.judge("artworks", check, passed=True)
    assert released.tick().keys() == {"artwork_images", "image_embeddings"}


def test_pictures_that_were_looked_at_ask_for_their_vectors(released: Automation) -> None:
    shard = min(released.shards)
    released.make("artwork_images", shard)
    assert released.tick() == {"image_embeddings": {shard}}


def test_a_verdict_against_all_shards_holds_back_what_follows(released: Automation) -> None:
    released.make("artwork_images", *released.shards, passed=False)
    assert released.tick() == {}
    released.make("image_embeddings", *released.shards, passed=False)
    assert released.tick() == {}


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


def test_what_failed_is_asked_for_once_every_night_until_it_is_made(released: Automation) -> None:
    released.observe("tuesday")
    assert released.tick() == {"artworks": {None}}
    for _ in range(2):
        released.fail("refresh_records")
        assert released.tick() == {}
        assert released.night() == {"artworks": {None}}
        assert released.tick() == {}
    released.make("artworks", version="first")
    assert released.night() == {}


def test_shards_that_failed_are_asked_for_at_night_and_no_others(released: Automation) -> None:
    first, second, third = sorted(released.shards)
    released.fail("refresh_images", first, second)
    released.make("artwork_images", second)
    released.make("image_embeddings", second)
    released.tick()
    released.fail("refresh_embeddings", second, third)
    assert released.tick() == {}
    assert released.night() == {
        "artwork_images": {first},
        "image_embeddings": {first, second, third},
    }


def test_a_release_that_failed_is_made_again_at_night_as_a_whole(released: Automation) -> None:
    released.make("image_embeddings", *released.shards)
    released.tick()
    released.fail("publish_release")
    released.make("golden_vectors")
    released.make("faiss_index")
    assert released.tick() == {}
    assert released.night().keys() == RELEASE
    assert released.tick() == {}
    for asset in RELEASE:
        released.make(asset)
    assert released.tick() == {asset: {None} for asset in AFTER_CHECKS}


def test_what_a_check_forbids_is_not_asked_for_at_night_either(released: Automation) -> None:
    released.fail("publish_release")
    for asset in RELEASE - {"release_candidate"}:
        released.make(asset)
    released.make("release_candidate", passed=False)
    assert released.night() == {}


def test_what_somebody_cancelled_is_not_asked_for_at_night(released: Automation) -> None:
    job = released.defs.get_repository_def().get_job("refresh_records")
    run = released.instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED)
    released.instance.report_run_canceled(run)
    assert released.night() == {}


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


def test_no_part_of_a_release_is_made_of_records_that_a_check_forbids(
    released: Automation,
) -> None:
    released.make("artworks", version="second", passed=False)
    released.make("image_embeddings", *released.shards)
    assert released.tick() == {}


def test_a_candidate_that_a_check_forbids_is_not_promoted_in_later_runs(
    released: Automation,
) -> None:
    released.make("release_candidate", passed=False)
    assert released.tick() == {}
    # It is built again, as vectors came: the verdict of yesterday does not stop that.
    released.make("image_embeddings", *released.shards)
    assert released.tick().keys() == RELEASE
    for asset in RELEASE - {"release_candidate"}:
        released.make(asset)
    released.make("release_candidate", passed=False)
    assert released.tick() == {}


def test_a_candidate_is_promoted_when_its_checks_have_passed(released: Automation) -> None:
    released.make("release_candidate", passed=False)
    assert released.tick() == {}
    for check in released.checks["release_candidate"]:
        assert released.tick() == {}
        released.judge("release_candidate", check, passed=True)
    assert released.tick() == {asset: {None} for asset in AFTER_CHECKS}


@pytest.mark.parametrize(("switch", "status"), [("true", "RUNNING"), ("", "STOPPED")])
def test_one_switch_turns_all_of_it_on(
    monkeypatch: pytest.MonkeyPatch, switch: str, status: str
) -> None:
    monkeypatch.setenv("RETRIEVALS_AUTOMATION", switch)
    repository = defs().get_repository_def()
    started = {each.name: each.default_status.value for each in repository.schedule_defs}
    started |= {each.name: each.default_status.value for each in repository.sensor_defs}
    assert started == dict.fromkeys(
        ["nightly_observation", "weekly_revalidation", "default_automation_condition_sensor"],
        status,
    )


def test_the_run_of_the_week_asks_for_every_picture_that_is_there(
    built: Settings, served_museum: ServedMuseum
) -> None:
    repository = defs().get_repository_def()
    schedule = repository.get_schedule_def("weekly_revalidation")
    with dg.build_schedule_context() as context:
        (request,) = schedule.evaluate_tick(context).run_requests or ()
    result = repository.get_job(schedule.job_name).execute_in_process(
        run_config=request.run_config, tags=dict(request.tags)
    )
    shown = result.asset_materializations_for_node("artwork_images")
    assert len(shown) == built.shards
    asked = sum(int(str(event.metadata["asked"].value)) for event in shown)
    unchanged = sum(int(str(event.metadata["unchanged"].value)) for event in shown)
    assert asked == unchanged == served_museum.pictures.total() == WORKS


def test_the_run_of_the_night_sees_whether_the_museum_published_other_records() -> None:
    repository = defs().get_repository_def()
    schedule = repository.get_schedule_def("nightly_observation")
    job = repository.get_job(schedule.job_name)
    with dg.DagsterInstance.ephemeral() as instance:
        assert job.execute_in_process(instance=instance).success
        (observed,) = instance.fetch_observations(dg.AssetKey("nga_open_data"), limit=1).records
        assert observed.asset_observation is not None
        assert observed.asset_observation.data_version
