"""What failed is asked for again once a night, until it is made."""

import dagster as dg
import pytest

from tests.pipeline.automation import AFTER_CHECKS, RELEASE, Automation

pytestmark = [
    pytest.mark.usefixtures("museum_settings"),
    # Dagster's own tester calls what it calls beta.
    pytest.mark.filterwarnings("ignore::dagster_shared.utils.warnings.BetaWarning"),
]


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
