"""`retrievals bench` asks a real server, and says how long its answers took."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from limits import parse

from retrievals_serving import SearchEngine, Settings
from retrievals_serving.api import create_app
from retrievals_serving.cli import bench
from retrievals_serving.errors import RetrievalsError, SettingsError
from retrievals_serving.http_server import serving
from retrievals_serving.load import Load, drive, likes, searches
from tests.serving.guarded import KEY, KEYS, guarded
from tests.serving.small_release import WORKS, WordEmbedder
from tests.serving.test_serving_commands import run


@contextmanager
def served(settings: Settings) -> Iterator[str]:
    with (
        SearchEngine.open(settings=settings, embedder=WordEmbedder()) as engine,
        serving(create_app(engine=engine)) as address,
    ):
        yield address


def test_every_request_is_answered_and_timed(settings: Settings) -> None:
    with served(settings) as url:
        load = drive(url, list(searches(["a stormy boat"] * 20, rerank=False)), at_once=4)
    assert len(load.milliseconds) == 20
    assert load.failed == {}
    figures = load.figures()
    assert list(figures) == ["p50", "p90", "p95", "p99", "min", "max", "mean", "std"]
    assert 0 < figures["min"] <= figures["p50"] <= figures["p99"] <= figures["max"]


def test_what_is_refused_is_counted_with_its_reason(settings: Settings) -> None:
    with served(settings) as url:
        asked = [*searches(["boat", "boat"], rerank=False), *likes(["small:none", "a/b?c"])]
        load = drive(url, asked, at_once=2)
    assert len(load.milliseconds) == 2
    assert sum(load.failed.values()) == 2
    assert any(why.startswith("404: no work of this release") for why in load.failed)


def test_where_nobody_answers_it_is_said() -> None:
    asked = list(searches(["boat"], rerank=False))
    with pytest.raises(RetrievalsError, match=r"answered none of 1 requests.*ConnectionRefused"):
        drive("http://127.0.0.1:9", asked, at_once=1)
    with pytest.raises(SettingsError, match="'ftp://x' is no address"):
        drive("ftp://x", asked, at_once=1)


def test_figures_and_targets_are_those_of_the_times() -> None:
    times = np.arange(1.0, 101.0)
    load = Load(times, 1.0, {})
    assert load.figures()["p90"] == pytest.approx(90.1)
    assert load.figures()["std"] == pytest.approx(times.std())
    assert load.missed() == ["p95 is 95.0 ms, not under 50"]
    assert Load(times / 10, 1.0, {}).missed() == []


def test_the_command_asks_with_the_key_of_the_environment_and_shows_it_nowhere(
    home: Path,
    engine: SearchEngine,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with guarded(engine, api_keys=KEYS, visitors=False) as client:
        asked = ("--url", str(client.base_url), "--home", str(home), "--requests", "2")
        assert "401: " in run("bench", *asked, "--similar").output
        monkeypatch.setenv("RETRIEVALS_BENCH_KEY", KEY)
        result = run("bench", *asked, "--similar")
    assert result.output.startswith("2 answers, ")
    assert KEY not in result.output + caplog.text


def test_what_the_command_asks_unless_told_otherwise_is_within_the_limit() -> None:
    (count,) = (option.default for option in bench.params if option.name == "requests")
    assert count <= parse(Settings.model_fields["rate_limit"].default).amount


@pytest.mark.parametrize("how", ["--similar", "--no-rerank"])
def test_the_command_asks_for_what_is_served(home: Path, settings: Settings, how: str) -> None:
    with served(settings) as url:
        asked = ("--url", url, "--home", str(home), "--requests", str(2 * WORKS), "--at-once", "2")
        result = run("bench", *asked, how)
    assert result.exit_code == 0, result.output
    answers, times, *_ = result.output.splitlines()
    assert answers.startswith(f"{2 * WORKS} answers, ")
    assert times.startswith("ms: p50 ")
    assert "failed" not in result.output
    assert "Targets (p95 under 50 ms, p99 under 100 ms): " in result.output
