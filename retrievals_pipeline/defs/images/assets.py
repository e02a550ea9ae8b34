"""Images: the pictures of the works, with a ledger row for each work whatever happened."""

import dagster as dg

from retrievals_pipeline.defs.images.http import Fetcher
from retrievals_pipeline.defs.images.ledger import SCHEMA
from retrievals_pipeline.defs.images.shard import download_shard, read_works
from retrievals_pipeline.defs.metadata import arrow_columns, column_schema, counts
from retrievals_pipeline.defs.records.assets import artworks
from retrievals_pipeline.defs.shards import SHARDS, SHARDS_A_RUN, finishing_shards
from retrievals_pipeline.museum import open_museum
from retrievals_pipeline.progress import track
from retrievals_serving.settings import Settings


@dg.asset(
    group_name="images",
    deps=[artworks],
    partitions_def=SHARDS,
    backfill_policy=SHARDS_A_RUN,
    pool="iiif",
    kinds={"iiif", "parquet"},
    metadata=column_schema(arrow_columns(SCHEMA)),
    description="The picture of every work, fetched over IIIF, verified and stored by content "
    "with a thumbnail; the ledger has a row a work, with status and reason. "
    "What is there is not fetched again.",
)
def artwork_images(context: dg.AssetExecutionContext, settings: dg.ResourceParam[Settings]) -> None:
    """Download the pictures of the shards of this run."""
    store = settings.store
    works = read_works(store, settings.shards)
    total = sum(len(works.get(shard, ())) for shard in context.partition_keys)
    with (
        open_museum(settings) as museum,
        Fetcher() as fetcher,
        track("images", total) as advance,
        finishing_shards(context) as finish,
    ):
        for shard in context.partition_keys:
            summary = download_shard(
                store,
                shard,
                works.get(shard, ()),
                fetcher=fetcher,
                mirror=museum.iiif_mirror,
                advance=advance,
            )
            finish(
                shard,
                {
                    "dagster/row_count": summary.works,
                    "fetched": summary.fetched,
                    "bytes": summary.bytes,
                    "statuses": counts(summary.statuses, "status"),
                },
            )
