"""The shards of the collection, and runs over several of them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import dagster as dg

from retrievals_pipeline.partitions import shard_keys
from retrievals_serving.errors import ShardError, ShardsFailed
from retrievals_serving.settings import Settings

SHARDS = dg.StaticPartitionsDefinition(shard_keys(Settings.load().shards))

# One set of connections, and one model load, serve several shards of one run. The numbers differ
# for a reason: with equal ones a backfill makes both assets of some shards in one run, and a shard
# whose pictures failed would keep all the others of its run from being embedded.
IMAGES_A_RUN = dg.BackfillPolicy.multi_run(max_partitions_per_run=16)
EMBEDDINGS_A_RUN = dg.BackfillPolicy.multi_run(max_partitions_per_run=32)


def make_shards(
    context: dg.AssetExecutionContext,
    shards: Sequence[str],
    make: Callable[[str], Mapping[str, Any] | None],
) -> None:
    """Make each of `shards`, those of the run; one whose files cannot be used fails alone.

    When the run succeeds, Dagster materializes every shard. When it fails, the shards finished so
    far are materialized here, so that a backfill goes on from them. After a `kill -9` Dagster knows
    of none of them; the next run finds their work done and only says so.

    Args:
        context: The run's.
        shards: The names of its shards, in the order in which they are made.
        make: Called with the name of each shard, and returns the metadata of its materialization;
            None when it left the shard as it was. ShardError is the one error that is the shard's
            own: any other ends the run.

    Raises:
        ShardsFailed: Some shards failed, and all others are finished; names each.
    """
    finished: dict[str, Mapping[str, Any]] = {}
    failed: dict[str, ShardError] = {}
    try:
        for shard in shards:
            try:
                metadata = make(shard)
            except ShardError as error:
                context.log.error("shard %s failed: %s", shard, error)  # noqa: TRY400 - no bug
                failed[shard] = error
                continue
            if metadata is not None:
                finished[shard] = metadata
                context.add_asset_metadata(metadata, partition_key=shard)
        _raise_for(failed, of=len(shards))
    except BaseException:
        for shard, metadata in finished.items():
            context.log_event(
                dg.AssetMaterialization(
                    asset_key=context.asset_key, partition=shard, metadata=metadata
                )
            )
        raise


def _raise_for(failed: Mapping[str, ShardError], *, of: int) -> None:
    if failed:
        reasons = "; ".join(f"{shard}: {error}" for shard, error in failed.items())
        raise ShardsFailed(f"{len(failed)} of {of} shards failed. {reasons}")
