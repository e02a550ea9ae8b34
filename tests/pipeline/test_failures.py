"""Dagster tries again what time can mend, and nothing else."""

import dagster as dg
import pytest
from pydantic import ValidationError

from retrievals_pipeline.definitions import defs
from retrievals_pipeline.defs.failures import BUILD_TAG, retried_when_unavailable
from retrievals_serving.errors import SourceError, SourceUnavailable


def attempts(error: BaseException, tags: dict[str, str] | None = None) -> tuple[int, str]:
    """How often an asset that raises `error` is tried, and how the last failure is described."""
    count = 0

    @dg.asset(retry_policy=dg.RetryPolicy(max_retries=2))
    def trouble(context: dg.AssetExecutionContext) -> None:
        nonlocal count
        count += 1
        with retried_when_unavailable(context):
            raise error

    result = dg.materialize([trouble], raise_on_error=False, tags=tags)
    (failure,) = (event for event in result.all_events if event.is_step_failure)
    described = failure.step_failure_data.user_failure_data
    return count, described.description if described else ""


def test_a_museum_that_does_not_answer_is_asked_again_later() -> None:
    assert attempts(SourceUnavailable("down"))[0] == 3


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (SourceError("no such column"), "no such column"),
        (OSError("disk full"), "OSError: disk full"),
    ],
)
def test_what_no_retry_can_mend_is_tried_once_and_named(error: Exception, said: str) -> None:
    assert attempts(error) == (1, said)


def test_who_sits_before_a_build_is_not_kept_waiting() -> None:
    assert attempts(SourceUnavailable("down"), {BUILD_TAG: "/home"}) == (1, "down")


def test_what_somebody_ended_is_not_tried_again() -> None:
    assert attempts(KeyboardInterrupt()) == (1, "interrupted")


@pytest.mark.usefixtures("museum_settings")
def test_the_assets_that_ask_a_museum_are_tried_again() -> None:
    for name in ("artworks", "artwork_images"):
        policy = defs().get_assets_def(name).op.retry_policy
        assert policy is not None
        assert policy.max_retries == 3


@pytest.mark.usefixtures("museum_settings")
def test_a_status_that_no_ledger_has_is_refused() -> None:
    defs()
    from retrievals_pipeline.defs.images.assets import ImagesConfig

    with pytest.raises(ValidationError, match="rain: choose from not_found"):
        ImagesConfig(only=["rain"])
