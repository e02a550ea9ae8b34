"""`retrievals build`: the whole graph in order, through Dagster, in the instance the UI shows.

Everything runs in this process: the model is loaded once and progress is shown as it happens. A
build that was killed is simply run again; what is complete is not done twice.
"""

import logging
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._core.instance.ref import InstanceRef
from dagster_shared.error import SerializableErrorInfo
from sqlalchemy.exc import SQLAlchemyError

from retrievals_pipeline import project_file
from retrievals_pipeline.defs import run_tags
from retrievals_pipeline.defs.failures import BUILD_TAG
from retrievals_pipeline.defs.killed_builds import end_killed_builds
from retrievals_pipeline.locks import no_stage_at_work, only_build
from retrievals_pipeline.partitions import shard_keys
from retrievals_serving import errors
from retrievals_serving.errors import BuildError, ShardsFailed
from retrievals_serving.release import Release, open_release
from retrievals_serving.settings import Settings

logger = logging.getLogger(__name__)

STAGES = ("refresh_records", "refresh_images", "refresh_embeddings", "publish_release")
SHARDED = frozenset({"refresh_images", "retry_images", "refresh_embeddings"})
WRAPPING = "DagsterExecutionStepExecutionError"  # what Dagster puts around an asset's own error
INTERRUPTION = "DagsterExecutionInterruptedError"  # what Dagster makes of Ctrl-C
OVERRIDES: dict[str, Any] = {
    # What a build prints goes to the terminal, not to files beside its runs.
    "compute_logs": {
        "module": "dagster._core.storage.noop_compute_log_manager",
        "class": "NoOpComputeLogManager",
    },
    # A run by itself then takes no place in a pool: a build is alone in its home.
    "concurrency": {"pools": {"granularity": "run"}},
}
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def build(*, revalidate: bool = False, force: bool = False) -> Release:
    """Run every stage with the settings of the environment, and return the release made current.

    Shards that fail alone are left out of it.

    Args:
        revalidate: Ask the museum also for each picture that is there, whether it is the same.
        force: Make a release even if nothing changed.

    Raises:
        BuildError: A stage failed, or another build is at work in the same home.
    """
    from retrievals_pipeline.definitions import defs
    from retrievals_pipeline.defs.jobs import FORCING, REVALIDATING

    settings = Settings.load()
    repository = defs().get_repository_def()
    configs: dict[str, Mapping[str, Any]] = {}
    if revalidate:
        configs["refresh_images"] = REVALIDATING
    if force:
        configs["publish_release"] = FORCING
    with instance_at_work(settings) as instance:
        for stage in STAGES:
            result = run_job(
                repository.get_job(stage), instance, settings, config=configs.get(stage)
            )
            if not made_in(result, instance):
                raise BuildError(f"{stage} failed: {reason_of(result)}")
    return open_release(settings.store)


@contextmanager
def instance_at_work(settings: Settings) -> Iterator[dg.DagsterInstance]:
    """Open the Dagster instance of the home, in which nobody else is at work meanwhile.

    What the daemon or the UI runs there is waited for; what they begin waits.

    Raises:
        BuildError: Another build is at work, or the storage of the instance fails, as on a full
            disk.
    """
    store, folder = settings.store, instance_home(settings)
    reference = InstanceRef.from_dir(str(folder), overrides=OVERRIDES)
    try:
        with (
            only_build(store),
            dg.DagsterInstance.from_ref(reference) as instance,
            no_stage_at_work(store, waits=True, stages=_at_work(instance)),
        ):
            end_killed_builds(instance, store)
            yield instance
    except SQLAlchemyError as error:
        raise BuildError(
            f"{folder}, where Dagster keeps its history, cannot be read or written: "
            f"{getattr(error, 'orig', error)}. {shutil.disk_usage(folder).free / 1e6:.1f} MB are "
            "free there: make room if that is little, and run it again. What is complete is kept."
        ) from error


def _at_work(instance: dg.DagsterInstance) -> str:
    """Return in words which runs the daemon or the UI have at work."""
    runs = instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED]))
    names = [f"{run.job_name} (run {run.run_id[:8]})" for run in runs if BUILD_TAG not in run.tags]
    return f"a run of Dagster, {' or '.join(names)}," if names else "a run of Dagster"


def instance_home(settings: Settings) -> Path:
    """Return the folder of the Dagster instance: `DAGSTER_HOME`, else `dagster/` in the home.

    The latter is made here, with the project's `dagster.yaml`.
    """
    if home := os.environ.get("DAGSTER_HOME"):
        return Path(home)
    folder = settings.store.path("dagster")
    folder.mkdir(parents=True, exist_ok=True)
    config = project_file("dagster.yaml")
    link = folder / config.name
    if not link.exists():
        link.unlink(missing_ok=True)
        link.symlink_to(config)
    return folder


def run_job(
    job: dg.JobDefinition,
    instance: dg.DagsterInstance,
    settings: Settings,
    *,
    shards: Sequence[str] = (),
    config: Mapping[str, Any] | None = None,
) -> dg.ExecuteInProcessResult:
    """Run one job over all it covers, every shard of a sharded one in the same run.

    It is run inside `instance_at_work`: its stages do not look whether somebody else is at work.

    Shards that fail alone are logged by name, and no error, be it all of them: the others are
    finished.

    `shards` are the shards of this run, in their order and with none between them left out; by
    default it takes all. `config` is the run's, beyond how it logs.

    Raises:
        BuildError: It failed; names the job and the cause.
        KeyboardInterrupt: It was interrupted.
    """
    tags = {BUILD_TAG: str(settings.store.root)}
    if job.name in SHARDED:
        shards = shards or shard_keys(settings.shards)
        tags |= run_tags.over(shards)
    result = job.execute_in_process(
        instance=instance,
        tags=tags,
        run_config={**QUIET, **(config or {})},
        resources={"settings": settings},
        raise_on_error=False,
    )
    if result.success:
        return result
    kinds = {error.cls_name for error in _errors(result)}
    if INTERRUPTION in kinds:
        instance.report_run_canceled(result.dagster_run)
        raise KeyboardInterrupt
    if kinds != {ShardsFailed.__name__}:
        raise BuildError(f"{job.name} failed: {reason_of(result)}")
    logger.warning("%s goes on without some shards: %s", job.name, reason_of(result))
    return result


def made_in(
    result: dg.ExecuteInProcessResult, instance: dg.DagsterInstance
) -> list[dg.AssetMaterialization]:
    """Return what a run made, also where it failed afterwards: its result leaves that out."""
    events = instance.all_logs(result.run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION)
    return [event.asset_materialization for event in events if event.asset_materialization]


def reason_of(result: dg.ExecuteInProcessResult) -> str:
    """Return the check that did not pass, or what the first failed step of a run raised."""
    for evaluation in result.get_asset_check_evaluations():
        if not evaluation.passed and evaluation.blocking:
            details = {name: value.value for name, value in evaluation.metadata.items()}
            return f"the check {evaluation.check_name!r} did not pass: {details}"
    for error in _errors(result):
        # A message of the project's own says all; of others, the kind of error helps.
        return error.message.strip().removeprefix(f"{errors.__name__}.{error.cls_name}: ")
    return f"see run {result.run_id} in the Dagster UI"


def _errors(result: dg.ExecuteInProcessResult) -> Iterator[SerializableErrorInfo]:
    """Yield what each failed step raised, without Dagster's wrapping."""
    for event in result.all_events:
        if event.is_step_failure and (error := event.step_failure_data.error):
            while error.cause is not None and error.cls_name == WRAPPING:
                error = error.cause
            yield error
