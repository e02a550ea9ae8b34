"""The checks of `artworks`; that of the share of open pictures is made by the asset itself."""

import dagster as dg
import pyarrow.parquet as pq

from retrievals_pipeline.defs.metadata import check_result, explanation
from retrievals_pipeline.defs.records.assets import artworks
from retrievals_pipeline.defs.records.paths import ARTWORKS
from retrievals_pipeline.defs.records.verification import check_rows, check_size
from retrievals_serving.settings import Settings


@dg.asset_check(asset=artworks, blocking=True, description=explanation(check_rows))
def artworks_are_sound(settings: dg.ResourceParam[Settings]) -> dg.AssetCheckResult:
    """Count the faults that the stages after this one cannot live with."""
    return check_result(check_rows(settings.store))


@dg.asset_check(
    asset=artworks,
    blocking=True,
    description="The museum has not shrunk at once, as after a file cut short, since the served "
    "release: no picture is asked for before somebody has looked.",
)
def artworks_have_not_shrunk(settings: dg.ResourceParam[Settings]) -> dg.AssetCheckResult:
    """Compare the number of works with that of the release being served."""
    works = pq.read_metadata(settings.store.path(ARTWORKS)).num_rows
    return check_result(check_size(settings.store, eligible=works, limit=settings.limit))
