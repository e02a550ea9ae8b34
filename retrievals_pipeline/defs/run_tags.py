"""The tags by which a run takes several shards."""

from collections.abc import Sequence

from dagster._core.storage.tags import (
    ASSET_PARTITION_RANGE_END_TAG,
    ASSET_PARTITION_RANGE_START_TAG,
)


def over(shards: Sequence[str]) -> dict[str, str]:
    """Return the tags of one run over `shards`, in their order with none between them left out."""
    return {
        ASSET_PARTITION_RANGE_START_TAG: shards[0],
        ASSET_PARTITION_RANGE_END_TAG: shards[-1],
    }
