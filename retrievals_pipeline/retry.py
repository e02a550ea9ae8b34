"""Trying again the works whose picture was not to be had, and no others."""

from collections import Counter
from collections.abc import Collection

from retrievals_pipeline.build import instance_at_work, run_job
from retrievals_pipeline.defs.images.ledger import Ledger
from retrievals_pipeline.defs.images.shard import read_works
from retrievals_pipeline.partitions import shard_keys
from retrievals_serving.settings import Settings
from retrievals_serving.store import Store


def retry_images(settings: Settings, statuses: Collection[str]) -> Counter[str]:
    """Try again the works of the records that have one of `statuses` in their ledger.

    It is a run of the job `retry_images` over the shards they live in.

    Returns:
        How many of them have which status now.

    Raises:
        SourceError: There are no records yet.
        BuildError: The run failed, or a build is at work in the same home.
    """
    from retrievals_pipeline.definitions import defs

    store = settings.store
    failed = _failed(settings, statuses)
    if not failed:
        return Counter()
    keys = shard_keys(settings.shards)
    places = [keys.index(shard) for shard in failed]
    with instance_at_work(settings) as instance:
        run_job(
            defs().get_repository_def().get_job("retry_images"),
            instance,
            settings,
            shards=keys[min(places) : max(places) + 1],
            config={"ops": {"artwork_images": {"config": {"only": sorted(statuses)}}}},
        )
    return _statuses(store, failed)


def _failed(settings: Settings, statuses: Collection[str]) -> dict[str, list[str]]:
    """Return the ids of the works that have one of `statuses`, by shard."""
    failed: dict[str, list[str]] = {}
    for shard, works in read_works(settings.store, settings.shards).items():
        rows = Ledger(settings.store, shard).rows
        for work in works:
            if work.id in rows and rows[work.id].status in statuses:
                failed.setdefault(shard, []).append(work.id)
    return failed


def _statuses(store: Store, ids: dict[str, list[str]]) -> Counter[str]:
    statuses: Counter[str] = Counter()
    for shard, works in ids.items():
        rows = Ledger(store, shard).rows
        statuses.update(rows[work_id].status for work_id in works)
    return statuses
