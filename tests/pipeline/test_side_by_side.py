"""Builds and runs of a daemon beside each other: who must wait does, and says for whom."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import dagster as dg
import pytest

from retrievals_pipeline.build import build, instance_at_work
from retrievals_pipeline.definitions import defs
from retrievals_pipeline.defs.failures import BUILD_TAG
from retrievals_pipeline.defs.images.shard import ShardSummary, download_shard
from retrievals_pipeline.locks import stage_at_work
from retrievals_pipeline.partitions import shard_keys
from retrievals_serving.settings import Settings
from tests.processes import bound

POOLS = ("iiif", "gpu", "release")


@pytest.fixture
def instance(built: Settings) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.from_config(str(built.store.path("dagster"))) as instance:
        yield instance


def started(instance: dg.DagsterInstance, job: str, tags: dict[str, str] | None = None) -> str:
    """A run that is marked as at work, whether a process is or not."""
    return instance.create_run_for_job(
        defs().get_repository_def().get_job(job), status=dg.DagsterRunStatus.STARTED, tags=tags
    ).run_id


def claim(instance: dg.DagsterInstance, run_id: str, *pools: str) -> None:
    """Give a run the one place in each of these pools."""
    for pool in pools:
        instance.event_log_storage.initialize_concurrency_limit_to_default(pool)
        assert instance.event_log_storage.claim_concurrency_slot(pool, run_id, pool).is_claimed


def in_pool(instance: dg.DagsterInstance, pool: str) -> set[str]:
    """The runs that have a place in a pool or wait for one."""
    info = instance.event_log_storage.get_concurrency_info(pool)
    return info.active_run_ids | {step.run_id for step in info.pending_steps}


def test_places_in_pools_that_a_dead_run_holds_keep_no_build_waiting(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead = started(instance, "revalidate_images")
    claim(instance, dead, *POOLS)
    monkeypatch.setenv("RETRIEVALS_DIMENSION", "32")
    build()
    assert [in_pool(instance, pool) for pool in POOLS] == [{dead}] * 3


@pytest.mark.parametrize(
    ("sign", "status"), [(signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)]
)
def test_a_build_waits_for_a_run_at_work_by_name_and_leaves_nothing_when_it_is_ended(
    built: Settings, instance: dg.DagsterInstance, sign: signal.Signals, status: int
) -> None:
    alive = started(instance, "revalidate_images")
    claim(instance, alive, "iiif")
    with stage_at_work(built.store):
        waiting = subprocess.Popen(
            bound([Path(sys.executable).with_name("retrievals"), "build"]),
            env=os.environ | {"COLUMNS": "1000"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert waiting.stderr is not None
        with waiting:
            try:
                told = next((line for line in waiting.stderr if "waiting for it" in line), "")
            finally:
                waiting.send_signal(sign)
            rest = waiting.stderr.read()
    assert f"a run of Dagster, revalidate_images (run {alive[:8]}), is at work in " in told
    assert waiting.returncode == status, rest
    assert "Traceback" not in rest
    assert in_pool(instance, "iiif") == {alive}
    assert not instance.get_runs(dg.RunsFilter(tags={BUILD_TAG: str(built.store.root)}))


def test_a_stage_that_begins_beside_a_build_waits_for_its_end(
    built: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    job = defs().get_repository_def().get_job("refresh_records")
    order: list[str] = []

    def run_records() -> None:
        assert job.execute_in_process().success
        order.append("stage")

    stage = Thread(target=run_records)
    with instance_at_work(built):
        stage.start()
        while "waiting for it" not in caplog.text:
            assert stage.is_alive()
            time.sleep(0.01)
        order.append("build")
    stage.join()
    assert order == ["build", "stage"]


def test_the_daemon_ends_the_runs_of_killed_builds_and_no_others(
    built: Settings, instance: dg.DagsterInstance
) -> None:
    sensor = defs().get_repository_def().get_sensor_def("killed_builds")
    assert sensor.default_status == dg.DefaultSensorStatus.RUNNING
    run, elsewhere, launched = (
        started(instance, "refresh_images", tags)
        for tags in ({BUILD_TAG: str(built.store.root)}, {BUILD_TAG: "/another/home"}, None)
    )

    def look() -> set[str]:
        with dg.build_sensor_context(instance=instance) as context:
            sensor.evaluate_tick(context)
        filters = dg.RunsFilter(
            run_ids=[run, elsewhere, launched], statuses=[dg.DagsterRunStatus.STARTED]
        )
        return {run.run_id for run in instance.get_runs(filters)}

    with instance_at_work(built):
        # One that began meanwhile is this build's own.
        mine = started(instance, "refresh_images", {BUILD_TAG: str(built.store.root)})
        look()
        alive = instance.get_run_by_id(mine)
        assert alive is not None
        assert alive.status == dg.DagsterRunStatus.STARTED
    assert look() == {elsewhere, launched}


def test_one_run_at_a_time_downloads_also_in_an_instance_without_pools(
    built: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    job = defs().get_repository_def().get_job("refresh_images")
    order: list[str] = []

    def run() -> None:
        assert job.execute_in_process(partition_key=shard_keys(built.shards)[0]).success

    second = Thread(target=run)

    def download(*arguments: Any, **options: Any) -> ShardSummary:
        if not order:
            order.append("the first begins")
            second.start()
            while "waiting for it" not in caplog.text:
                assert second.is_alive()
                time.sleep(0.01)
            order.append("the first ends")
        else:
            order.append("the second")
        return download_shard(*arguments, **options)

    monkeypatch.setattr("retrievals_pipeline.defs.images.assets.download_shard", download)
    run()
    second.join()
    assert order == ["the first begins", "the first ends", "the second"]
