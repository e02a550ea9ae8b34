"""The checks of `artworks`.

None is made by the asset itself: a run that automation requests would then make that one alone.
"""

import dagster as dg
import pyarrow.parquet as pq

from retrievals_pipeline.defs.metadata import check_result, explanation
from retrievals_pipeline.defs.records.assets import artworks
from retrievals_pipeline.defs.records.paths import ARTWORKS
from retrievals_pipeline.defs.records.verification import (
    check_open_share,
    check_rows,
    check_size,
)
from retrievals_serving.errors import BuildError
from retrievals_serving.settings import Settings


@dg.asset_check(asset=artworks, blocking=True, description=explanation(check_rows))
def artworks_are_sound(settings: dg.ResourceParam[Settings]) -> dg.AssetCheckResult:
    """Count the faults that the stages after this one cannot live with."""
    return check_result(check_rows(settings.store))


@dg.asset_check(
    asset=artworks,
    blocking=True,
    description="The collection has not shrunk at once, as with a file cut short, since the "
    "served release: no picture is asked for before somebody has looked.",
)
def artworks_have_not_shrunk(settings: dg.ResourceParam[Settings]) -> dg.AssetCheckResult:
    """Compare the number of works with that of the release being served."""
    works = pq.read_metadata(settings.store.path(ARTWORKS)).num_rows
    return check_result(check_size(settings.store, eligible=works, limit=settings.limit))


@dg.asset_check(asset=artworks, description=f"{explanation(check_open_share)} Only a warning.")
def open_share(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
    """Compare what the asset counted while it read the records.

    Raises:
        BuildError: It did so in no run that this instance knows.
    """
    event = context.instance.get_latest_materialization_event(artworks.key)
    if event is None or event.asset_materialization is None:
        raise BuildError(
            "this Dagster instance has no materialization of `artworks`, whose counts are "
            "compared: materialize `artworks`, then run the check again."
        )
    shown = event.asset_materialization.metadata
    objects, open_objects = (int(str(shown[name].value)) for name in ("objects", "open_objects"))
    verdict = check_open_share(objects=objects, open_objects=open_objects)
    return check_result(verdict, severity=dg.AssetCheckSeverity.WARN)
