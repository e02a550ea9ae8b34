"""Runs over several shards: each finished shard stays finished when a later one fails."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import dagster as dg

Finish = Callable[[str, Mapping[str, Any]], None]


@contextmanager
def finishing_shards(context: dg.AssetExecutionContext) -> Iterator[Finish]:
    """Yield a function to call with each finished shard of the run and its metadata.

    When the run succeeds, Dagster materializes every shard, with this metadata. When it fails, the
    shards finished so far are materialized here, so that a backfill goes on from them.
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
