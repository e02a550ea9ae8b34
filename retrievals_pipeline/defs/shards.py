"""The shards of the collection, and runs over several of them."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import dagster as dg

from retrievals_pipeline.partitions import shard_keys
from retrievals_serving.settings import Settings

SHARDS = dg.StaticPartitionsDefinition(shard_keys(Settings.load().shards))

# One model load, and one set of connections, serve several shards of one run.
SHARDS_A_RUN = dg.BackfillPolicy.multi_run(max_partitions_per_run=16)

Finish = Callable[[str, Mapping[str, Any]], None]


@contextmanager
def finishing_shards(context: dg.AssetExecutionContext) -> Iterator[Finish]:
    """Yield a function to call with each finished shard of the run and its metadata.

    When the run succeeds, Dagster materializes every shard, with this metadata. When it fails, the
    shards finished so far are materialized here, so that a backfill goes on from them. After a
    `kill -9` Dagster knows of none of them; the next run finds their work done and only says so.
    """
    finished: dict[str, Mapping[str, Any]] = {}

    def finish(shard: str, metadata: Mapping[str, Any]) -> None:
        finished[shard] = metadata
        context.add_asset_metadata(metadata, partition_key=shard)

    try:
        yield finish
    except BaseException:
        for shard, metadata in finished.items():
            context.log_event(
                dg.AssetMaterialization(
                    asset_key=context.asset_key, partition=shard, metadata=metadata
                )
            )
        raise
