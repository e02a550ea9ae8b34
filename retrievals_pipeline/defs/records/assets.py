"""Records: what the source publishes, and the works among it that may be shown."""

from time import perf_counter

import dagster as dg
import pyarrow.parquet as pq

from retrievals_pipeline.defs import plots
from retrievals_pipeline.defs.conditions import FOLLOWS
from retrievals_pipeline.defs.failures import retried_when_unavailable
from retrievals_pipeline.defs.metadata import (
    ASKS_A_MUSEUM,
    OWNERS,
    column_schema,
    counts,
    file_metadata,
    pace,
    plot,
)
from retrievals_pipeline.defs.records.paths import ARTWORKS
from retrievals_pipeline.source import open_source, remember
from retrievals_serving.settings import Settings


@dg.observable_source_asset(
    group_name="records",
    tags={**ASKS_A_MUSEUM, "dagster/kind/csv": ""},
    description="The museum's CSV files, which others publish: `objects`, `published_images`, "
    "`objects_terms`. Observing them says whether they changed: their version is their ETags; only "
    "a server that gives none has to send them, for their hashes. Of a folder of pictures, its "
    "files: their version is their names, sizes and times.",
)
def nga_open_data(
    context: dg.OpExecutionContext, settings: dg.ResourceParam[Settings]
) -> dg.ObserveResult:
    """Observe which version of the open data there is."""
    with retried_when_unavailable(context), open_source(settings) as source:
        versions = source.versions()
    return dg.ObserveResult(
        data_version=dg.DataVersion(" ".join(versions.values())),
        metadata={"location": source.location, **versions},
    )


@dg.asset(
    group_name="records",
    deps=[nga_open_data],
    automation_condition=FOLLOWS,
    owners=OWNERS,
    tags=ASKS_A_MUSEUM,
    kinds={"duckdb", "parquet"},
    description="The works that may be shown: one row each, with what the museum says of it and "
    "the address of its picture. Of the museum's objects these are the ones with an open primary "
    "picture; `dropped` counts the others by reason. A file that cannot be used fails the asset by "
    "name and leaves the last good table.",
)
def artworks(
    context: dg.AssetExecutionContext, settings: dg.ResourceParam[Settings]
) -> dg.MaterializeResult[None]:
    """Write `records/artworks.parquet` from the records of the source."""
    started = perf_counter()
    with retried_when_unavailable(context), open_source(settings) as source:
        summary = source.write_records()
        remember(source.identity, settings)
    path = settings.store.path(ARTWORKS)
    years = pq.read_table(path, columns=["begin_year"])["begin_year"].drop_null().to_numpy()
    return dg.MaterializeResult(
        data_version=dg.DataVersion(summary.sha256),
        metadata={
            **file_metadata(path, summary.works),
            **column_schema(summary.columns),
            **pace(started),
            "objects": summary.objects,
            "open_objects": summary.open_objects,
            "dropped": counts(summary.dropped, "reason"),
            "begin_years": plot(
                plots.histogram(years, "Year in which a work was begun"), "years of the works"
            ),
        },
    )
