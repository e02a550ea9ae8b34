"""One switch turns the schedules on; what their runs look at."""

import dagster as dg
import pytest

from retrievals_pipeline.definitions import defs
from retrievals_serving.settings import Settings
from tests.conftest import WORKS, ServedMuseum

pytestmark = [
    pytest.mark.usefixtures("museum_settings"),
    # Dagster's own tester calls what it calls beta.
    pytest.mark.filterwarnings("ignore::dagster_shared.utils.warnings.BetaWarning"),
]


@pytest.mark.parametrize(("switch", "status"), [("true", "RUNNING"), ("", "STOPPED")])
def test_one_switch_turns_all_of_it_on(
    monkeypatch: pytest.MonkeyPatch, switch: str, status: str
) -> None:
    monkeypatch.setenv("RETRIEVALS_AUTOMATION", switch)
    repository = defs().get_repository_def()
    started = {each.name: each.default_status.value for each in repository.schedule_defs}
    started |= {each.name: each.default_status.value for each in repository.sensor_defs}
    # It asks for nothing, but tidies up after builds that were killed.
    assert started.pop("killed_builds") == "RUNNING"
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
