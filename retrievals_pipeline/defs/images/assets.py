"""Images: the pictures of the works, with a ledger row for each work whatever happened."""

from dataclasses import asdict
from functools import partial

import dagster as dg
from pydantic import Field, field_validator

from retrievals_pipeline.defs.failures import retried_when_unavailable
from retrievals_pipeline.defs.images.coverage import outcomes
from retrievals_pipeline.defs.images.fetcher import Fetcher
from retrievals_pipeline.defs.images.ledger import SCHEMA
from retrievals_pipeline.defs.images.run_clock import RunClock
from retrievals_pipeline.defs.images.shard import ShardSummary, download_shard
from retrievals_pipeline.defs.images.statuses import FAILURES
from retrievals_pipeline.defs.images.works import read_works
from retrievals_pipeline.defs.metadata import arrow_columns, column_schema, counts
from retrievals_pipeline.defs.records.assets import artworks
from retrievals_pipeline.defs.shards import IMAGES_A_RUN, SHARDS, make_shards
from retrievals_pipeline.http import is_own
from retrievals_pipeline.museum import open_museum
from retrievals_pipeline.progress import track
from retrievals_serving.settings import Settings


class ImagesConfig(dg.Config):
    """What a run does beyond fetching the pictures that are not there."""

    revalidate: bool = Field(
        default=False,
        description="Ask the museum also for each picture that is there, whether it is still the "
        "same (ETag, Last-Modified).",
    )
    only: list[str] = Field(
        default=[],
        description="Statuses of the ledger, as `timeout`: do nothing but try these works again.",
    )

    @field_validator("only")
    @classmethod
    def _are_failures(cls, statuses: list[str]) -> list[str]:
        if unknown := sorted(set(statuses) - set(FAILURES)):
            raise ValueError(f"{', '.join(unknown)}: choose from {', '.join(FAILURES)}")
        return statuses


@dg.asset(
    group_name="images",
    deps=[artworks],
    partitions_def=SHARDS,
    backfill_policy=IMAGES_A_RUN,
    pool="iiif",
    kinds={"iiif", "parquet"},
    metadata=column_schema(arrow_columns(SCHEMA)),
    description="The picture of every work, fetched over IIIF, verified and stored by content "
    "with a thumbnail; the ledger has a row a work, with status and detail. "
    "What is there is not fetched again.",
)
def artwork_images(
    context: dg.AssetExecutionContext,
    config: ImagesConfig,
    settings: dg.ResourceParam[Settings],
) -> None:
    """Download the pictures of the shards of this run."""
    store = settings.store
    fetcher = Fetcher(
        clock=RunClock(settings.download_seconds),
        is_own=partial(is_own, own_hosts=settings.own_host_names),
        contact=settings.contact,
    )
    with retried_when_unavailable(context):
        works = read_works(store, settings.shards)
        total = sum(len(works.get(shard, ())) for shard in context.partition_keys)
        with (
            open_museum(settings) as museum,
            fetcher,
            track("images", total) as advance,
        ):

            def make(shard: str) -> dict[str, dg.MetadataValue] | None:
                summary = download_shard(
                    store,
                    shard,
                    works.get(shard, ()),
                    fetcher=fetcher,
                    mirror=museum.iiif_mirror,
                    advance=advance,
                    revalidate=config.revalidate,
                    only=config.only,
                )
                is_done = summary.asked or summary.left or not config.only
                return _shown(summary) if is_done else None

            make_shards(context, make)


def _shown(summary: ShardSummary) -> dict[str, dg.MetadataValue]:
    """Return what the UI shows of a shard."""
    return {
        "dagster/row_count": dg.MetadataValue.int(len(summary.rows)),
        "asked": dg.MetadataValue.int(summary.asked),
        "became": counts(summary.became, "status"),
        "unchanged": dg.MetadataValue.int(summary.unchanged),
        "left": dg.MetadataValue.int(summary.left),
        "left_because": dg.MetadataValue.text(summary.left_because),
        "bytes": dg.MetadataValue.int(summary.bytes),
        "statuses": counts(summary.statuses, "status"),
        "outcomes": dg.MetadataValue.table(
            [dg.TableRecord(asdict(outcome)) for outcome in outcomes(summary.rows)],
            schema=dg.TableSchema(
                [
                    dg.TableColumn(name, "int" if name == "works" else "string")
                    for name in ("status", "detail", "works", "example", "example_url")
                ]
            ),
        ),
    }
