"""Automation asks for nothing that a check forbids, in later runs too."""

import pytest

from tests.pipeline.automation import AFTER_CHECKS, RELEASE, Automation

pytestmark = [
    pytest.mark.usefixtures("museum_settings"),
    # Dagster's own tester calls what it calls beta.
    pytest.mark.filterwarnings("ignore::dagster_shared.utils.warnings.BetaWarning"),
]


def test_records_that_a_check_forbids_go_nowhere_in_later_runs_too(released: Automation) -> None:
    released.make("artworks", version="second", passed=False)
    assert released.tick() == {}
    assert released.tick() == {}
    for check in released.checks["artworks"]:
        released.judge("artworks", check, passed=True)
    assert released.tick().keys() == {"artwork_images", "image_embeddings"}


def test_a_verdict_against_all_shards_holds_back_what_follows(released: Automation) -> None:
    released.make("artwork_images", *released.shards, passed=False)
    assert released.tick() == {}
    released.make("image_embeddings", *released.shards, passed=False)
    assert released.tick() == {}


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
