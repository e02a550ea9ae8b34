"""Trying again the works whose picture was not to be had, and no others."""

from collections import Counter
from collections.abc import Collection, Container, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import dagster as dg

from retrievals_pipeline.build import instance_at_work, made_in, reason_of, run_job
from retrievals_pipeline.defs.images.ledger import Ledger
from retrievals_pipeline.defs.images.works import read_works
from retrievals_pipeline.partitions import shard_keys
from retrievals_serving.errors import ShardError
from retrievals_serving.settings import Settings

UNFINISHED = "no build has finished their shards yet"


@dataclass
class Retry:
    """What became of the works that were to be tried again.

    Attributes:
        became: How many of those that were asked for have which status now.
        left: How many were not asked for, by the reason.
    """

    became: Counter[str] = field(default_factory=Counter)
    left: Counter[str] = field(default_factory=Counter)


def retry_images(settings: Settings, statuses: Collection[str]) -> Retry:
    """Try again the works of the records that have one of `statuses` in their ledger.

    Each stretch of neighbouring shards that has such works is a run of the job `retry_images`. When
    one leaves works, because the museum is in trouble, no other follows; shards that fail alone are
    left, and stop none.

    Raises:
        SourceError: There are no records yet.
        BuildError: A run failed, or a build is at work in the same home.
    """
    from retrievals_pipeline.definitions import defs

    retry = Retry()
    failed = _failed(settings, statuses, retry)
    if not failed:
        return retry
    job = defs().get_repository_def().get_job("retry_images")
    config = {"ops": {"artwork_images": {"config": {"only": sorted(statuses)}}}}
    because = ""
    with instance_at_work(settings) as instance:
        for shards in _stretches(shard_keys(settings.shards), failed):
            if because:
                retry.left[because] += sum(failed[shard] for shard in shards)
            else:
                result = run_job(job, instance, settings, shards=shards, config=config)
                made = made_in(result, instance)
                because = _add(made, retry)
                if not result.success:
                    lost = set(shards) - {materialization.partition for materialization in made}
                    retry.left[reason_of(result)] += sum(failed[shard] for shard in lost)
    return retry


def _failed(settings: Settings, statuses: Collection[str], retry: Retry) -> dict[str, int]:
    """Return how many works of each finished shard have one of `statuses`, where any has.

    Those of other shards are left; where the ledger cannot be used, all works of the shard are.
    """
    failed: dict[str, int] = {}
    for shard, works in read_works(settings.store, settings.shards).items():
        try:
            ledger = Ledger(settings.store, shard)
        except ShardError as error:
            retry.left[str(error)] += len(works)
            continue
        rows = (ledger.rows.get(work.id) for work in works)
        count = sum(row is not None and row.status in statuses for row in rows)
        if count and ledger.is_finished:
            failed[shard] = count
        elif count:
            retry.left[UNFINISHED] += count
    return failed


def _stretches(shards: Sequence[str], chosen: Container[str]) -> list[list[str]]:
    """Return the neighbours among `shards` that are chosen: a run marks all that it covers."""
    stretches = groupby(shards, key=lambda shard: shard in chosen)
    return [list(stretch) for is_chosen, stretch in stretches if is_chosen]


def _add(made: Iterable[dg.AssetMaterialization], retry: Retry) -> str:
    """Add what became of the works of the shards `made`, and return why some were left, if any."""
    because = ""
    for materialization in made:
        metadata = materialization.metadata
        shown: dict[str, Any] = {name: value.value for name, value in metadata.items()}
        for record in shown["became"].records:
            retry.became[record.data["status"]] += record.data["count"]
        if shown["left"]:
            because = str(shown["left_because"])
            retry.left[because] += shown["left"]
    return because
