"""`retrievals coverage` shows what is missing; `retrievals images retry` tries just that again."""

import json
from collections import Counter
from dataclasses import replace

import dagster as dg
import pytest
from click.testing import CliRunner

from retrievals_pipeline.cli import main
from retrievals_pipeline.defs.images.coverage import ledger_rows
from retrievals_pipeline.defs.images.ledger import Ledger
from retrievals_pipeline.partitions import shard_of
from retrievals_serving.settings import Settings
from tests.conftest import WORKS, ServedMuseum


def run(*arguments: str) -> str:
    result = CliRunner().invoke(main, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture
def damaged(built: Settings) -> dict[str, str]:
    """Five works whose pictures were not to be had, by id with the reason."""
    rows = list(ledger_rows(built.store, built.shards))[::4][:5]
    statuses = ["timeout", "timeout", "unreachable", "server_error", "forbidden"]
    for row, status in zip(rows, statuses, strict=True):
        ledger = Ledger(built.store, shard_of(row.id, built.shards))
        ledger.rows[row.id] = replace(row, status=status, reason="so it was", sha256=None)
        ledger.close()
    return {row.id: status for row, status in zip(rows, statuses, strict=True)}


def test_coverage_counts_works_by_status_and_reason(damaged: dict[str, str]) -> None:
    found = json.loads(run("coverage", "--json"))
    assert {outcome["status"]: outcome["works"] for outcome in found} == {
        "ok": WORKS - 5, **Counter(damaged.values()),
    }  # fmt: skip
    (timeout,) = (outcome for outcome in found if outcome["status"] == "timeout")
    assert timeout["reason"] == "so it was"
    assert damaged[timeout["example"]] == "timeout"
    assert timeout["example_url"].startswith("http")
    table = run("coverage")
    assert "79.2%" in table
    assert "server_error" in table


@pytest.mark.usefixtures("museum_settings")
def test_coverage_of_nothing_says_what_begins_it() -> None:
    assert "`retrievals build` begins one" in run("coverage")
    assert run("coverage", "--json") == "[]\n"


def test_a_retry_asks_for_just_those_works_and_says_what_became_of_them(
    built: Settings, damaged: dict[str, str], served_museum: ServedMuseum
) -> None:
    said = run("images", "retry", "--reason", "timeout", "--reason", "unreachable")
    assert said == "3 tried again: 3 ok. `retrievals build` makes a release with them.\n"
    assert served_museum.pictures.total() == 3
    statuses = {row.id: row.status for row in ledger_rows(built.store, built.shards)}
    assert {id_: statuses[id_] for id_ in damaged} == {
        id_: status if status in ("server_error", "forbidden") else "ok"
        for id_, status in damaged.items()
    }
    with dg.DagsterInstance.from_config(str(built.store.path("dagster"))) as instance:
        (latest,) = instance.get_runs(limit=1)
    assert (latest.job_name, latest.status) == ("retry_images", dg.DagsterRunStatus.SUCCESS)


@pytest.mark.usefixtures("built")
def test_a_retry_of_nothing_runs_nothing(served_museum: ServedMuseum) -> None:
    assert "No work has the status timeout" in run("images", "retry", "--reason", "timeout")
    assert not served_museum.pictures


def test_an_unknown_reason_is_refused_with_those_there_are() -> None:
    result = CliRunner().invoke(main, ["images", "retry", "--reason", "rain"])
    assert result.exit_code == 2
    assert "timeout" in result.output
