"""Checks of the records: what a reader of `artworks` may rely on."""

import dagster as dg
import duckdb

from retrievals_pipeline.defs.records.assets import artworks
from retrievals_pipeline.defs.records.paths import ARTWORKS, FOLDER
from retrievals_serving.settings import Settings

FAULTS = """
    select
        count(*) - count(distinct id) as repeated_ids,
        count(*) filter (
            image_url is null
            or image_url = ''
            or (not regexp_matches(image_url, '^https?://') and not starts_with(id, $folder))
        ) as without_image_url,
        count(*) filter (begin_year > end_year) as years_reversed
    from read_parquet($artworks)
"""


@dg.asset_check(
    asset=artworks,
    blocking=True,
    description="Every id once, and every work with the web address of its picture, or its file.",
)
def artworks_are_sound(settings: dg.ResourceParam[Settings]) -> dg.AssetCheckResult:
    """Count the faults that the stages after this one cannot live with."""
    with duckdb.connect() as connection:
        result = connection.execute(
            FAULTS, {"artworks": str(settings.store.path(ARTWORKS)), "folder": f"{FOLDER}:"}
        )
        names = [column[0] for column in result.description or ()]
        faults = dict(zip(names, result.fetchall()[0], strict=True))
    return dg.AssetCheckResult(
        passed=faults["repeated_ids"] == 0 and faults["without_image_url"] == 0,
        metadata=faults,
    )
