"""Records: what the source publishes, and the works among it that may be shown."""

import dagster as dg

from retrievals_pipeline.defs.failures import retried_when_unavailable
from retrievals_pipeline.defs.metadata import column_schema, counts, file_metadata
from retrievals_pipeline.defs.records.paths import ARTWORKS
from retrievals_pipeline.source import open_source, remember
from retrievals_serving.settings import Settings


@dg.observable_source_asset(
    group_name="records",
    description="The museum's CSV files: `objects`, `published_images`, `objects_terms`. "
    "Their version is their ETags, or their hashes where the server gives none. Of a folder of "
    "pictures, its files: their version is their names, sizes and times.",
)
def nga_open_data(settings: dg.ResourceParam[Settings]) -> dg.ObserveResult:
    """Observe which version of the open data there is."""
    with open_source(settings) as source:
        versions = source.versions()
    return dg.ObserveResult(
        data_version=dg.DataVersion(" ".join(versions.values())),
        metadata={"location": source.location, **versions},
    )


@dg.asset(
    group_name="records",
    deps=[nga_open_data],
    kinds={"duckdb", "parquet"},
    description="The works that may be shown: one row each, with the address of its picture. "
    "A file that cannot be used fails the asset by name and leaves the last good table.",
)
def artworks(
    context: dg.AssetExecutionContext, settings: dg.ResourceParam[Settings]
) -> dg.MaterializeResult[None]:
    """Write `records/artworks.parquet` from the records of the source."""
    with retried_when_unavailable(context), open_source(settings) as source:
        summary = source.write_records()
        remember(source, settings)
    return dg.MaterializeResult(
        data_version=dg.DataVersion(summary.sha256),
        metadata={
            **file_metadata(settings.store.path(ARTWORKS), summary.works),
            **column_schema(summary.columns),
            "dropped": counts(summary.dropped, "reason"),
        },
    )
