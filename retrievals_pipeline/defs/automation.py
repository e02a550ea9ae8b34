"""What starts runs when nobody does: `RETRIEVALS_AUTOMATION` turns all of it on.

Every night the open data are observed; what changed goes through the graph by the conditions of
the assets (`conditions.py`). Once a week the museum is also asked for each picture that is there,
whether it is still the same.
"""

import dagster as dg

from retrievals_pipeline.defs import run_tags
from retrievals_pipeline.defs.jobs import REVALIDATING, observe_open_data, revalidate_images
from retrievals_pipeline.defs.shards import SHARDS
from retrievals_serving.settings import Settings

NIGHTLY = "0 2 * * *"  # UTC
WEEKLY = "0 4 * * 0"
INTERVAL = 30  # seconds between two evaluations of the conditions


@dg.definitions
def automation() -> dg.Definitions:
    """Bind the schedules and the sensor to the switch of the settings."""
    is_on = Settings.load().automation
    schedule_status = (
        dg.DefaultScheduleStatus.RUNNING if is_on else dg.DefaultScheduleStatus.STOPPED
    )
    sensor_status = dg.DefaultSensorStatus.RUNNING if is_on else dg.DefaultSensorStatus.STOPPED

    @dg.schedule(
        job=observe_open_data,
        cron_schedule=NIGHTLY,
        default_status=schedule_status,
        description="Look every night whether the museum has published other records.",
    )
    def nightly_observation() -> dg.RunRequest:
        return dg.RunRequest()

    @dg.schedule(
        job=revalidate_images,
        cron_schedule=WEEKLY,
        default_status=schedule_status,
        description="Ask once a week for every picture by ETag and Last-Modified. What follows "
        "makes a release only if something changed.",
    )
    def weekly_revalidation() -> dg.RunRequest:
        # In one run, so that one release follows when all of them were looked at.
        return dg.RunRequest(
            run_config=REVALIDATING, tags=run_tags.over(SHARDS.get_partition_keys())
        )

    sensor = dg.AutomationConditionSensorDefinition(
        "default_automation_condition_sensor",  # another name would leave this one beside it
        target=dg.AssetSelection.all(),
        default_status=sensor_status,
        minimum_interval_seconds=INTERVAL,
        description="Requests what follows from a change, as the conditions of the assets say.",
    )
    return dg.Definitions(schedules=[nightly_observation, weekly_revalidation], sensors=[sensor])
