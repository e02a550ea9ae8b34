"""Dagster tries again what time can mend, and nothing else."""

from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import dagster as dg
import pytest
from pydantic import ValidationError

from retrievals_pipeline.definitions import defs
from retrievals_pipeline.defs import failures
from retrievals_pipeline.defs.failures import BUILD_TAG, retried_when_unavailable
from retrievals_pipeline.partitions import shard_keys
from retrievals_serving.errors import SourceError, SourceUnavailable
from retrievals_serving.settings import Settings


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let Dagster wait no minutes."""
    monkeypatch.setattr(failures, "LATER", dg.RetryPolicy(max_retries=2, delay=0))


def run_of(raised: BaseException, tags: dict[str, str] | None = None) -> tuple[int, dg.DagsterRun]:
    """How often an asset that raises this is tried, and its run."""
    count = 0

    @dg.asset
    def trouble(context: dg.AssetExecutionContext) -> None:
        nonlocal count
        count += 1
        with retried_when_unavailable(context):
            if not isinstance(raised, Exception):
                context.instance.report_run_canceling(context.run)  # as the UI does before
            raise raised

    with dg.DagsterInstance.ephemeral() as instance:
        with suppress(dg.DagsterExecutionInterruptedError, KeyboardInterrupt):
            dg.materialize([trouble], raise_on_error=False, tags=tags, instance=instance)
        (run,) = instance.get_runs()
    return count, run


def test_a_museum_that_does_not_answer_is_asked_again_later() -> None:
    count, run = run_of(SourceUnavailable("down"))
    assert (count, run.status) == (3, dg.DagsterRunStatus.FAILURE)


def test_a_museum_is_asked_again_no_sooner_than_it_wishes() -> None:
    context: Any = SimpleNamespace(run=SimpleNamespace(tags={}), retry_number=0)
    with pytest.raises(dg.RetryRequested) as caught, retried_when_unavailable(context):
        raise SourceUnavailable("down", wish=400)
    assert caught.value.seconds_to_wait == 400


@pytest.mark.parametrize("error", [SourceError("no such column"), OSError("disk full")])
def test_what_no_retry_can_mend_is_tried_once(error: Exception) -> None:
    count, run = run_of(error)
    assert (count, run.status) == (1, dg.DagsterRunStatus.FAILURE)


def test_who_sits_before_a_build_is_not_kept_waiting() -> None:
    assert run_of(SourceUnavailable("down"), {BUILD_TAG: "/home"})[0] == 1


@pytest.mark.parametrize(
    "interruption", [KeyboardInterrupt(), dg.DagsterExecutionInterruptedError()]
)
def test_what_somebody_ended_is_not_tried_again_and_was_no_failure(
    interruption: BaseException,
) -> None:
    count, run = run_of(interruption)
    assert (count, run.status) == (1, dg.DagsterRunStatus.CANCELED)


@pytest.mark.parametrize(
    ("job_name", "work"),
    [
        ("observe_open_data", "museum.table_versions"),
        ("refresh_records", "museum.build_artworks"),
        ("refresh_images", "defs.images.assets.download_shard"),
    ],
)
def test_the_assets_that_ask_a_museum_are_tried_again(
    museum_settings: Settings, monkeypatch: pytest.MonkeyPatch, job_name: str, work: str
) -> None:
    repository = defs().get_repository_def()
    if job_name == "refresh_images":
        assert repository.get_job("refresh_records").execute_in_process().success
    tried = 0

    def down(*_: object, **__: object) -> None:
        nonlocal tried
        tried += 1
        raise SourceUnavailable("down")

    monkeypatch.setattr(f"retrievals_pipeline.{work}", down)
    job = repository.get_job(job_name)
    shard = shard_keys(museum_settings.shards)[0] if job_name == "refresh_images" else None
    assert not job.execute_in_process(partition_key=shard, raise_on_error=False).success
    assert tried == 3


@pytest.mark.usefixtures("museum_settings")
def test_a_status_that_no_ledger_has_is_refused() -> None:
    defs()
    from retrievals_pipeline.defs.images.assets import ImagesConfig

    with pytest.raises(ValidationError, match="rain: choose from not_found"):
        ImagesConfig(only=["rain"])
