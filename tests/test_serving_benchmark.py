"""The benchmark of serving measures real servers, whose models sleep."""

import re

import pytest

from benchmarks import serving, serving_beyond, serving_soak
from benchmarks.serving_clients import Answer
from benchmarks.serving_models import forwards, write_model
from benchmarks.serving_process import Bench
from retrievals_pipeline.simulation.release import simulate_release
from retrievals_serving.settings import Settings


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    """A small release and its sleeping models."""
    folder = tmp_path_factory.mktemp("bench")
    settings = Settings.load(home=folder / "home", dimension=16)
    release = simulate_release(settings, 300)
    write_model(folder / "model", release, embed=2, rerank=20)
    return Bench(release, folder / "model")


def test_the_time_beyond_the_models_is_what_no_forward_accounts_for():
    own = {
        "latency_ms": 60.0,
        "timings": {"embed": 25.0, "search": 1.0, "rerank": 21.0, "metadata": 0.5},
    }
    answer = Answer("text 1", due=10.0, ended=10.070, status=200, own=own)
    ran = {
        "embed": {"text 0": (9.990, 10.008), "text 1": (10.009, 10.024)},
        "rerank": {"text 1": (10.030, 10.050)},
    }
    refused = answer._replace(status=503, own={})
    parts = serving_beyond.times([answer, refused], ran)
    whole, forward, waiting, for_client, of_server, *_ = (each.item() for each in parts.values())
    # It came to the embedder at 9.999, where a batch of others was until 10.008.
    assert (whole, forward, waiting) == pytest.approx((70, 35, 9))
    assert (for_client, of_server) == pytest.approx((26, 16))


def test_searches_are_timed_against_a_server_whose_models_sleep(bench):
    section = serving_beyond.beyond_the_models(bench, rate=40, seconds=1, rounds=1)
    assert "answered: 0." in section
    median = {
        name.strip("* "): float(cell.split(" / ")[1])
        for name, cell in re.findall(r"^\| (\D*?) \| (\d.*?) \|", section, re.MULTILINE)
    }
    assert median["of it: forwards"] >= 22
    assert 0 < median["beyond, of the server alone"] <= median["beyond, for its client"]
    ran = forwards(bench.model)
    assert {f"text {number}" for number in range(40, 80)} <= ran["embed"].keys() & ran["rerank"]


def test_kept_answers_are_timed_where_there_is_no_redis(bench, monkeypatch):
    monkeypatch.setenv("PATH", "")
    section = serving.kept_answers(bench, 3)
    assert re.search(r"\| memory \| [\d. /]+ \| [\d. /]+ \| 3 of 3 \|", section)
    assert "| Redis | redis-server is not installed |" in section


def test_a_server_at_its_limit_answers_refuses_and_is_left(bench):
    section = serving_soak.soak(bench, 1, queue=2)
    head, _, row = (line.strip("| ").split(" | ") for line in section.splitlines()[-3:])
    figures = dict(zip(head, (float(figure.replace(",", "")) for figure in row), strict=True))
    assert head[:4] == ["answered", "degraded", "refused", "left"]
    assert head[4].startswith("resident")  # nothing else came of any search
    assert figures.pop("degraded") == 0
    assert min(figures.values()) > 0


def test_a_cold_start_is_timed_until_the_server_is_ready(bench):
    with bench.served() as server:
        assert 0 < server.listening < server.ready
    with (
        pytest.raises(RuntimeError, match="RETRIEVALS_QUEUE"),
        bench.served(queue="none"),
    ):
        pass
