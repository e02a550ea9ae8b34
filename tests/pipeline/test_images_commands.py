"""`retrievals coverage` shows what is missing; `retrievals images retry` tries just that again."""

import json
from collections import Counter
from dataclasses import replace
from typing import Any

import dagster as dg
import pytest
from click.testing import CliRunner

from retrievals_pipeline.cli import main
from retrievals_pipeline.definitions import defs
from retrievals_pipeline.defs.images.coverage import rows_of_works
from retrievals_pipeline.defs.images.fetcher import Fetcher
from retrievals_pipeline.defs.images.ledger import Ledger, LedgerRow, ledger_name
from retrievals_pipeline.defs.images.run_clock import RunEnded
from retrievals_pipeline.defs.images.transport import Answer
from retrievals_pipeline.defs.images.works import read_works
from retrievals_pipeline.partitions import shard_of
from retrievals_serving.errors import SourceError
from retrievals_serving.settings import Settings
from retrievals_serving.store import picture_name
from tests.conftest import WORKS, ServedMuseum


def run(*arguments: str) -> str:
    result = CliRunner().invoke(main, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def ledger_rows(settings: Settings) -> list[LedgerRow]:
    found = rows_of_works(settings.store, settings.shards)
    return [row for row in found if isinstance(row, LedgerRow)]


@pytest.fixture
def damaged(built: Settings) -> dict[str, str]:
    """Five works whose pictures were not to be had, by id with the status."""
    rows = ledger_rows(built)[::4][:5]
    statuses = ["timeout", "timeout", "unreachable", "server_error", "forbidden"]
    for row, status in zip(rows, statuses, strict=True):
        ledger = Ledger(built.store, shard_of(row.id, built.shards))
        ledger.rows[row.id] = replace(row, status=status, detail="so it was", sha256=None)
        ledger.close()
    return {row.id: status for row, status in zip(rows, statuses, strict=True)}


def test_coverage_counts_works_by_status_and_detail(damaged: dict[str, str]) -> None:
    found = json.loads(run("coverage", "--json"))
    assert {outcome["status"]: outcome["works"] for outcome in found} == {
        "ok": WORKS - 5, **Counter(damaged.values()),
    }  # fmt: skip
    (timeout,) = (outcome for outcome in found if outcome["status"] == "timeout")
    assert timeout["detail"] == "so it was"
    assert damaged[timeout["example"]] == "timeout"
    assert timeout["example_url"].startswith("http")
    table = run("coverage")
    assert "79.2%" in table
    assert "server_error" in table


@pytest.mark.usefixtures("museum_settings")
def test_coverage_of_nothing_says_what_begins_it() -> None:
    assert "`retrievals build` brings them" in run("coverage")
    assert run("coverage", "--json") == "[]\n"


@pytest.mark.parametrize("option", ["--status", "--reason"])
def test_a_retry_asks_for_just_those_works_and_says_what_became_of_them(
    built: Settings, damaged: dict[str, str], served_museum: ServedMuseum, option: str
) -> None:
    said = run("images", "retry", option, "timeout", option, "unreachable")
    assert said == "3 asked: 3 ok. `retrievals build` makes a release with them.\n"
    assert served_museum.pictures.total() == 3
    statuses = {row.id: row.status for row in ledger_rows(built)}
    assert {id_: statuses[id_] for id_ in damaged} == {
        id_: status if status in ("server_error", "forbidden") else "ok"
        for id_, status in damaged.items()
    }
    with dg.DagsterInstance.from_config(str(built.store.path("dagster"))) as instance:
        (latest,) = instance.get_runs(limit=1)
    assert (latest.job_name, latest.status) == ("retry_images", dg.DagsterRunStatus.SUCCESS)


def test_a_retry_claims_only_what_was_asked_and_says_why_the_others_were_not(
    damaged: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def ended(*_: Any, **__: Any) -> Answer:
        raise RunEnded

    monkeypatch.setattr(Fetcher, "fetch", ended)
    monkeypatch.setattr(Fetcher, "ended", SourceError("the run's 2 seconds are over."))
    said = run("images", "retry", "--status", "timeout")
    assert said == "0 asked.\n2 left: the run's 2 seconds are over.\n"
    assert Counter(damaged.values())["timeout"] == 2


def test_a_retry_marks_no_shard_as_materialized_that_it_had_no_work_in(built: Settings) -> None:
    rows = {shard_of(row.id, built.shards): row for row in ledger_rows(built)}
    assert len(rows) == 3
    for shard in ("0-of-3", "2-of-3"):
        ledger = Ledger(built.store, shard)
        ledger.rows[rows[shard].id] = replace(rows[shard], status="timeout", sha256=None)
        ledger.close()
    before = materializations(built)
    built.store.remove(ledger_name("1-of-3"))  # as one that no run has come to
    run("images", "retry", "--status", "timeout")
    after = materializations(built)
    assert after["1-of-3"] == before["1-of-3"]
    for shard in ("0-of-3", "2-of-3"):
        assert after[shard] == before[shard] + 1


def materializations(settings: Settings) -> Counter[str]:
    with dg.DagsterInstance.from_config(str(settings.store.path("dagster"))) as instance:
        records = instance.fetch_materializations(dg.AssetKey("artwork_images"), limit=99).records
    return Counter(str(record.partition_key) for record in records)


def test_the_works_of_a_shard_that_was_never_finished_are_left_to_a_build(
    built: Settings, damaged: dict[str, str], served_museum: ServedMuseum
) -> None:
    for shard in ("0-of-3", "1-of-3", "2-of-3"):
        ledger = Ledger(built.store, shard)
        with ledger.recording() as journal:
            for row in list(ledger.rows.values()):
                ledger.record(row, journal)
        built.store.remove(ledger.name)
    said = run("images", "retry", "--status", "forbidden")
    assert said == "0 asked.\n1 left: no build has finished their shards yet.\n"
    assert "forbidden" in damaged.values()
    assert not served_museum.pictures


def test_a_retry_leaves_the_works_of_a_ledger_that_cannot_be_used(
    built: Settings, damaged: dict[str, str]
) -> None:
    works = read_works(built.store, built.shards)["1-of-3"]
    elsewhere = [id_ for id_ in damaged if shard_of(id_, built.shards) != "1-of-3"]
    built.store.write_bytes(ledger_name("1-of-3"), b"garbage")
    statuses = [option for status in set(damaged.values()) for option in ("--status", status)]
    said = run("images", "retry", *statuses)
    assert 0 < len(elsewhere) < len(damaged)
    assert said.startswith(f"{len(elsewhere)} asked: {len(elsewhere)} ok.")
    assert f"\n{len(works)} left: {built.store.path(ledger_name('1-of-3'))} cannot be used" in said


@pytest.mark.parametrize(("other", "stretch"), [("1-of-3", 2), ("2-of-3", 1)])
def test_a_shard_that_fails_stops_no_other_of_a_retry_and_is_said_to_be_left(
    built: Settings, served_museum: ServedMuseum, other: str, stretch: int
) -> None:
    works = {shard_of(row.id, built.shards): row for row in ledger_rows(built)}
    for shard in ("0-of-3", other):
        ledger = Ledger(built.store, shard)
        ledger.rows[works[shard].id] = replace(works[shard], status="timeout", sha256=None)
        ledger.close()
    lost = str(works["0-of-3"].sha256)
    built.store.remove(picture_name(lost))
    built.store.path(picture_name(lost)).mkdir()  # it cannot be stored
    said = run("images", "retry", "--status", "timeout").splitlines()
    assert said[0].startswith("1 asked: 1 ok.")
    assert said[1].startswith(f"1 left: 1 of {stretch} shards failed. 0-of-3: ")
    assert served_museum.pictures.total() == 2


@pytest.mark.usefixtures("built")
def test_in_the_ui_a_retry_of_a_shard_without_a_ledger_fails(built: Settings) -> None:
    built.store.remove(ledger_name("1-of-3"))
    job = defs().get_repository_def().get_job("retry_images")
    result = job.execute_in_process(partition_key="1-of-3", raise_on_error=False)
    (failure,) = result.get_step_failure_events()
    assert "shard 1-of-3 was never finished" in str(failure.step_failure_data)


@pytest.mark.usefixtures("built")
def test_a_retry_of_nothing_runs_nothing(served_museum: ServedMuseum) -> None:
    assert "No work has the status timeout" in run("images", "retry", "--reason", "timeout")
    assert not served_museum.pictures


def test_an_unknown_reason_is_refused_with_those_there_are() -> None:
    result = CliRunner().invoke(main, ["images", "retry", "--reason", "rain"])
    assert result.exit_code == 2
    assert "timeout" in result.output
