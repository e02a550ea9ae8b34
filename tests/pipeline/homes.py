"""What lies in a home, and what Dagster shows of it."""

from pathlib import Path
from typing import Any

import dagster as dg

from retrievals_serving.settings import Settings


def artifacts(settings: Settings) -> list[Path]:
    """All that is in the home beside Dagster's own: what a rebuild of the same must not touch."""
    home = settings.store.root
    return [
        path
        for path in home.rglob("*")
        if path.is_file() and path.relative_to(home).parts[0] != "dagster"
    ]


def shown(settings: Settings, asset: str, shard: str | None = None) -> dict[str, Any]:
    """The metadata of the asset's latest materialization."""
    with dg.DagsterInstance.from_config(str(settings.store.path("dagster"))) as instance:
        (record,) = instance.fetch_materializations(
            dg.AssetRecordsFilter(
                asset_key=dg.AssetKey(asset), asset_partitions=[shard] if shard else None
            ),
            limit=1,
        ).records
    assert record.asset_materialization is not None
    return dict(record.asset_materialization.metadata)


def latest(settings: Settings, asset: str, shard: str | None = None) -> dict[str, Any]:
    """The same as plain values."""
    return {name: value.value for name, value in shown(settings, asset, shard).items()}
