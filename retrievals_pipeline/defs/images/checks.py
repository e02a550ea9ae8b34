"""The checks of `artwork_images`. Each looks at every shard, in whichever run it is made."""

from datetime import UTC, datetime

import dagster as dg

from retrievals_pipeline.defs.conditions import WITH_THE_INDEX
from retrievals_pipeline.defs.images.assets import artwork_images
from retrievals_pipeline.defs.images.verification import (
    check_age,
    check_coverage,
    check_pictures,
)
from retrievals_pipeline.defs.metadata import check_result, explanation
from retrievals_pipeline.partitions import shard_keys
from retrievals_serving.settings import Settings


@dg.asset_check(
    asset=artwork_images,
    description=f"{explanation(check_coverage)} Only a warning: a release has its own.",
)
def pictures_are_there(settings: dg.ResourceParam[Settings]) -> dg.AssetCheckResult:
    """Count the works by what became of their picture."""
    shards = shard_keys(settings.shards)
    verdict = check_coverage(settings.store, shards, minimum=settings.min_coverage)
    return check_result(verdict, severity=dg.AssetCheckSeverity.WARN)


@dg.asset_check(asset=artwork_images, description=f"{explanation(check_age)} Only a warning.")
def pictures_are_looked_at(settings: dg.ResourceParam[Settings]) -> dg.AssetCheckResult:
    """Find what the weekly looks did not come to: records that change hide that from freshness."""
    verdict = check_age(settings.store, shard_keys(settings.shards), now=datetime.now(UTC))
    return check_result(verdict, severity=dg.AssetCheckSeverity.WARN)


@dg.asset_check(
    asset=artwork_images,
    blocking=True,
    automation_condition=WITH_THE_INDEX,
    description=explanation(check_pictures),
)
def pictures_are_plausible(settings: dg.ResourceParam[Settings]) -> dg.AssetCheckResult:
    """Measure the pictures before a model looks at them."""
    shards = shard_keys(settings.shards)
    return check_result(check_pictures(settings.store, shards, box=settings.image_box))
