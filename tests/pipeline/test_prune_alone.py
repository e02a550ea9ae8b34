"""`retrievals images prune` is alone in the home while it is at work."""

import time
from contextlib import suppress
from threading import Thread

import dagster as dg
import pytest

from retrievals_pipeline import images_prune
from retrievals_pipeline.definitions import defs
from retrievals_pipeline.defs import run_tags
from retrievals_pipeline.images_prune import prune_images
from retrievals_pipeline.locks import only_build
from retrievals_pipeline.partitions import shard_keys
from retrievals_serving.errors import BuildError
from retrievals_serving.settings import Settings


def test_nothing_is_removed_beside_a_build(built: Settings) -> None:
    with only_build(built.store), pytest.raises(BuildError, match="another build"):
        prune_images(built)


@pytest.mark.parametrize("job_name", ["refresh_records", "refresh_embeddings", "publish_release"])
def test_nothing_is_removed_while_a_stage_is_at_work(
    built: Settings, monkeypatch: pytest.MonkeyPatch, job_name: str
) -> None:
    refused = []

    def prune_meanwhile(*_: object, **__: object) -> None:
        with pytest.raises(BuildError, match="a run of Dagster is at work") as caught:
            prune_images(built)
        refused.append(caught)
        raise KeyboardInterrupt

    defs()
    work = {
        "refresh_records": "records.assets.open_source",
        "refresh_embeddings": "embeddings.assets.read_works",
        "publish_release": "index.assets.plan_release",
    }[job_name]
    monkeypatch.setattr(f"retrievals_pipeline.defs.{work}", prune_meanwhile)
    job = defs().get_repository_def().get_job(job_name)
    tags = run_tags.over(shard_keys(built.shards)) if job_name == "refresh_embeddings" else {}
    with suppress(KeyboardInterrupt, dg.DagsterExecutionInterruptedError):
        job.execute_in_process(tags=tags)
    assert refused


def test_a_stage_that_begins_beside_a_prune_waits_for_its_end(
    built: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    job = defs().get_repository_def().get_job("refresh_records")
    order: list[str] = []

    def run_records() -> None:
        assert job.execute_in_process().success
        order.append("records")

    begun = Thread(target=run_records)
    look = images_prune.unreferenced

    def look_meanwhile(settings: Settings, *, superseded: bool) -> images_prune.Unreferenced:
        begun.start()
        while "waiting for it" not in caplog.text:
            assert begun.is_alive()
            time.sleep(0.01)
        order.append("prune")
        return look(settings, superseded=superseded)

    monkeypatch.setattr(images_prune, "unreferenced", look_meanwhile)
    prune_images(built)
    begun.join()
    assert order == ["prune", "records"]


def test_what_a_killed_run_left_marked_as_running_holds_nothing_back(built: Settings) -> None:
    with dg.DagsterInstance.from_config(str(built.store.path("dagster"))) as instance:
        job = defs().get_repository_def().get_job("refresh_records")
        instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED)
    prune_images(built)
