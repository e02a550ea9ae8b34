"""A look at every picture that is cut short goes on where it was, the next one with the rest."""

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import pytest
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.execution.api import execute_run

from retrievals_pipeline.definitions import defs
from retrievals_pipeline.defs import run_tags
from retrievals_pipeline.defs.images.fetcher import Fetcher
from retrievals_pipeline.defs.images.ledger import Ledger
from retrievals_pipeline.defs.images.run_clock import RunEnded
from retrievals_pipeline.defs.images.transport import Answer
from retrievals_pipeline.defs.images.verification import check_age
from retrievals_pipeline.defs.jobs import REVALIDATING
from retrievals_pipeline.partitions import shard_keys
from retrievals_serving.errors import SourceError
from retrievals_serving.settings import Settings
from tests.conftest import WORKS

A_RUN = 10  # pictures, of 24


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each address was asked for, when a run may ask for ten and its time is over."""
    asked: Counter[str] = Counter()

    def fetch(self: Fetcher, url: str, _: Mapping[str, str], **__: Any) -> Answer:
        answered = getattr(self, "answered", 0)
        if answered == A_RUN:
            self._clock.end(SourceError("the run's seconds are over."))
            raise RunEnded
        self.answered = answered + 1  # type: ignore[attr-defined]
        asked[url] += 1
        return Answer(status="unchanged")

    monkeypatch.setattr(Fetcher, "fetch", fetch)
    monkeypatch.setattr("retrievals_pipeline.defs.images.shard.THREADS", 1)
    return asked


def look(
    settings: Settings, instance: dg.DagsterInstance, again: str | None = None
) -> dg.DagsterRun:
    """Run the weekly look, or try the run `again` of it again."""
    job = defs().get_repository_def().get_job("revalidate_images")
    run = instance.create_run_for_job(
        job,
        run_config={**REVALIDATING, "execution": {"config": {"in_process": {}}}},
        tags=run_tags.over(shard_keys(settings.shards)),
        root_run_id=again,
        parent_run_id=again,
    )
    execute_run(InMemoryJob(job), run, instance, raise_on_error=False)
    ended = instance.get_run_by_id(run.run_id)
    assert ended is not None
    return ended


def test_a_look_that_is_tried_again_asks_for_each_picture_once(
    built: Settings, asked: Counter[str]
) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        first = look(built, instance)
        second = look(built, instance, again=first.run_id)
        third = look(built, instance, again=first.run_id)
    assert [run.is_success for run in (first, second, third)] == [False, False, True]
    assert len(asked) == asked.total() == WORKS


def test_looks_that_are_each_cut_short_come_to_every_picture(
    built: Settings, asked: Counter[str]
) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        for _ in range(3):
            # Ledgers know whole seconds: what was asked in the second of a run is taken for its.
            time.sleep(1 - time.time() % 1)
            assert not look(built, instance).is_success
    assert len(asked) == WORKS
    assert asked.total() == 3 * A_RUN


def test_pictures_that_two_weekly_looks_did_not_come_to_are_warned_of(
    built: Settings, asked: Counter[str]
) -> None:
    shards, long_ago = shard_keys(built.shards), datetime.now(UTC) - timedelta(days=16)
    assert check_age(built.store, shards, now=datetime.now(UTC)).passed
    age(built, long_ago)
    job = defs().get_repository_def().get_job("refresh_images")
    with dg.DagsterInstance.ephemeral() as instance:
        look(built, instance)
        result = job.execute_in_process(instance=instance, tags=run_tags.over(shards))
    assert result.success
    assert asked.total() == A_RUN  # by the look: the build after it had nothing to ask for
    (verdict,) = (
        evaluation
        for evaluation in result.get_asset_check_evaluations()
        if evaluation.check_name == "pictures_are_looked_at"
    )
    assert not verdict.passed
    assert verdict.severity == dg.AssetCheckSeverity.WARN
    assert verdict.metadata["pictures_not_looked_at"].value == WORKS - A_RUN
    oldest = str(verdict.metadata["looked_at_longest_ago"].value)
    assert datetime.fromisoformat(oldest) == long_ago.replace(microsecond=0)
    assert "--revalidate" in str(verdict.metadata["remedy"].value)


def age(settings: Settings, moment: datetime) -> None:
    """Make the ledgers say that every picture was looked at last at `moment`."""
    for shard in shard_keys(settings.shards):
        ledger = Ledger(settings.store, shard)
        fetched_at = moment.replace(microsecond=0)
        rows = {id_: replace(row, fetched_at=fetched_at) for id_, row in ledger.rows.items()}
        ledger.rows = rows
        ledger.close()
