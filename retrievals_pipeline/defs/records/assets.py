"""Records: the museum's open tables, and the works among them that may be shown."""

import dagster as dg

from retrievals_pipeline.defs.conditions import FOLLOWS
from retrievals_pipeline.defs.failures import retried_when_unavailable
from retrievals_pipeline.defs.metadata import (
    ASKS_A_MUSEUM,
    OWNERS,
    column_schema,
    counts,
    file_metadata,
)
from retrievals_pipeline.defs.records.artworks import build_artworks
from retrievals_pipeline.defs.records.paths import ARTWORKS
from retrievals_pipeline.defs.records.tables import table_versions
from retrievals_pipeline.museum import open_museum
from retrievals_serving.settings import Settings


@dg.observable_source_asset(
    group_name="records",
    tags={**ASKS_A_MUSEUM, "dagster/kind/csv": ""},
    description="The museum's CSV files: `objects`, `published_images`, `objects_terms`. "
    "Their version is their ETags, or their hashes where the server gives none.",
)
def nga_open_data(
    context: dg.OpExecutionContext, settings: dg.ResourceParam[Settings]
) -> dg.ObserveResult:
    """Observe which version of the open data the museum publishes."""
    with retried_when_unavailable(context), open_museum(settings) as museum:
        versions = table_versions(museum.tables)
    return dg.ObserveResult(
        data_version=dg.DataVersion(" ".join(versions.values())),
        metadata={"location": settings.nga_url, **versions},
    )


@dg.asset(
    group_name="records",
    deps=[nga_open_data],
    automation_condition=FOLLOWS,
    owners=OWNERS,
    tags=ASKS_A_MUSEUM,
    kinds={"duckdb", "parquet"},
    description="The works that may be shown: one row each, with the address of its picture. "
    "A file that cannot be used fails the asset by name and leaves the last good table.",
)
def artworks(
    context: dg.AssetExecutionContext, settings: dg.ResourceParam[Settings]
) -> dg.MaterializeResult[None]:
    """Write `records/artworks.parquet` from the museum's records."""
    with retried_when_unavailable(context), open_museum(settings) as museum:
        summary = build_artworks(
            museum, settings.store, box=settings.image_box, limit=settings.limit
        )
    return dg.MaterializeResult(
        data_version=dg.DataVersion(summary.sha256),
        metadata={
            **file_metadata(settings.store.path(ARTWORKS), summary.works),
            **column_schema(summary.columns),
            "dropped": counts(summary.dropped, "reason"),
        },
    )
