"""Images: the pictures of the works, with a ledger row for each work whatever happened."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from time import perf_counter

import dagster as dg
from pydantic import Field, field_validator

from retrievals_pipeline.defs import plots
from retrievals_pipeline.defs.conditions import FOLLOWS_CONTENT, SEEN_WEEKLY
from retrievals_pipeline.defs.failures import retried_when_unavailable
from retrievals_pipeline.defs.images.coverage import outcomes
from retrievals_pipeline.defs.images.ledger import SCHEMA, ledger_name
from retrievals_pipeline.defs.images.shard import ShardSummary, download_shard, longest_ago_first
from retrievals_pipeline.defs.images.statuses import FAILURES, OK
from retrievals_pipeline.defs.images.works import read_works
from retrievals_pipeline.defs.metadata import (
    ASKS_A_MUSEUM,
    OWNERS,
    arrow_columns,
    column_schema,
    counts,
    location,
    newest_pictures,
    pace,
    plot,
)
from retrievals_pipeline.defs.records.assets import artworks
from retrievals_pipeline.defs.shards import IMAGES_A_RUN, SHARDS, make_shards
from retrievals_pipeline.locks import only_download
from retrievals_pipeline.progress import track
from retrievals_pipeline.source import open_source
from retrievals_serving.settings import Settings
from retrievals_serving.store import Store

NEWEST = 12  # pictures of a shard's contact sheet


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
    automation_condition=FOLLOWS_CONTENT,
    freshness_policy=SEEN_WEEKLY,
    owners=OWNERS,
    tags=ASKS_A_MUSEUM,
    kinds={"iiif", "parquet"},
    metadata=column_schema(arrow_columns(SCHEMA)),
    description="The picture of every work, fetched over IIIF at the museum's pace or read from a "
    "folder, verified and stored under the hash of its bytes, with a thumbnail. A shard holds a "
    "fixed part of the works. Its ledger has a row a work: `ok`, or why there is no picture; "
    "`outcomes` counts them, with an example of each. What is there is not fetched again.",
)
def artwork_images(
    context: dg.AssetExecutionContext,
    config: ImagesConfig,
    settings: dg.ResourceParam[Settings],
) -> None:
    """Bring the pictures of the shards of this run."""
    store = settings.store
    with retried_when_unavailable(context), only_download(store):
        works = read_works(store, settings.shards)
        shards: Sequence[str] = context.partition_keys
        revalidate_before = None
        if config.revalidate:
            shards = longest_ago_first(store, shards, works)
            revalidate_before = _began(context)
        total = sum(len(works.get(shard, ())) for shard in shards)
        with (
            open_source(settings) as source,
            source.pictures() as pictures,
            track("images", total) as advance,
        ):

            def make(shard: str) -> dict[str, dg.MetadataValue] | None:
                started = perf_counter()
                summary = download_shard(
                    store,
                    shard,
                    works.get(shard, ()),
                    fetcher=pictures,
                    mirror=source.mirror,
                    advance=advance,
                    revalidate_before=revalidate_before,
                    only=config.only,
                )
                is_done = summary.asked or summary.left or not config.only
                return _shown(store, shard, summary, started) if is_done else None

            make_shards(context, shards, make)


def _began(context: dg.AssetExecutionContext) -> datetime:
    """Return when the run was launched; where it tries an earlier one again, when that was."""
    run = context.run
    run_ids = [run.run_id, run.root_run_id or run.run_id]
    records = context.instance.get_run_records(dg.RunsFilter(run_ids=run_ids))
    began: datetime = min(record.create_timestamp for record in records)
    return began


def _shown(
    store: Store, shard: str, summary: ShardSummary, started: float
) -> dict[str, dg.MetadataValue]:
    """Return what the UI shows of a shard."""
    kilobytes = [row.bytes / 1000 for row in summary.rows if row.bytes]
    return {
        "dagster/row_count": dg.MetadataValue.int(len(summary.rows)),
        **location(store.path(ledger_name(shard))),
        **pace(started, summary.asked),
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
        "picture_sizes": plot(
            plots.histogram(kilobytes, "Size of a picture", unit=" kB"), "sizes of the pictures"
        ),
        **_newest(store, summary),
    }


def _newest(store: Store, summary: ShardSummary) -> dict[str, dg.MetadataValue]:
    """Return a contact sheet of the newest pictures, where this run brought any."""
    if summary.became.get(OK, 0) == summary.unchanged:
        return {}
    rows = sorted(summary.rows, key=lambda row: row.fetched_at, reverse=True)
    pictures = [row.sha256 for row in rows if row.status == OK and row.sha256]
    return newest_pictures(store, pictures, most=NEWEST)
