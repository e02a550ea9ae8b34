"""The runs of builds that were killed: Dagster does not see that their process is gone."""

import dagster as dg

from retrievals_pipeline.defs.failures import BUILD_TAG
from retrievals_pipeline.locks import stage_at_work
from retrievals_serving.errors import BuildError
from retrievals_serving.settings import Settings
from retrievals_serving.store import Store

INTERVAL = 30  # seconds between two looks


def end_killed_builds(instance: dg.DagsterInstance, store: Store) -> list[str]:
    """Mark the runs of the home's builds as failed, and return their ids.

    No build may be at work meanwhile: then every run of one that is marked as running is dead.
    """
    filters = dg.RunsFilter(
        statuses=[dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.STARTING],
        tags={BUILD_TAG: str(store.root)},
    )
    runs = instance.get_runs(filters)
    for run in runs:
        instance.report_run_failed(run, "The process of this build was killed.")
    return [run.run_id for run in runs]


@dg.definitions
def killed_builds_sensor() -> dg.Definitions:
    """Bind the sensor to the home of the settings; it runs with or without automation."""
    store = Settings.load().store

    @dg.sensor(
        minimum_interval_seconds=INTERVAL,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Marks the runs of `retrievals build` as failed when its process was killed: "
        "while they count as running, automation waits for them.",
    )
    def killed_builds(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        try:
            with stage_at_work(store, waits=False):
                ended = end_killed_builds(context.instance, store)
        except BuildError as error:
            return dg.SkipReason(str(error))
        return dg.SkipReason(f"Marked as failed: {', '.join(ended) or 'none'}.")

    return dg.Definitions(sensors=[killed_builds])
