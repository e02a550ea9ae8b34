"""`/stats` says how long the last answers took, in all and by stage, and how many there were."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import numpy as np
import pytest

from retrievals_serving import SearchEngine, Settings
from retrievals_serving.api import create_app
from retrievals_serving.api.metrics import Metrics
from retrievals_serving.observations import WINDOW, Observations
from tests.serving.client import client_of
from tests.serving.fake_reranker import FakeReranker
from tests.serving.small_release import WordEmbedder
from tests.serving.test_api import post


def test_figures_are_those_of_the_times() -> None:
    times = np.random.default_rng(1).exponential(50, size=500)
    observations = Observations()
    for time in times:
        observations.record(float(time), {"search": float(time) / 10})

    total, search = (observations.figures()[stage] for stage in ("total", "search"))
    assert (total.count, total.min, total.max) == (500, times.min(), times.max())
    assert (total.p50, total.p95, total.p99) == tuple(np.percentile(times, [50, 95, 99]))
    assert total.mean == pytest.approx(times.mean())
    assert search.p50 == pytest.approx(np.median(times) / 10)


@pytest.mark.parametrize(
    ("count", "told"),
    [
        (0, set()),
        (1, {"p50", "mean", "min", "max"}),
        (19, {"p50", "mean", "min", "max"}),
        (20, {"p50", "p95", "mean", "min", "max"}),
        (99, {"p50", "p95", "mean", "min", "max"}),
        (100, {"p50", "p95", "p99", "mean", "min", "max"}),
    ],
)
def test_a_figure_of_too_few_answers_is_not_told(count: int, told: set[str]) -> None:
    observations = Observations()
    for _ in range(count):
        observations.record(5.0, {})
    total = observations.figures()["total"].model_dump()
    assert total.pop("count") == count
    assert {name for name, value in total.items() if value is not None} == told


def counts(metrics: Metrics) -> dict[str, int]:
    return {stage: each.count for stage, each in metrics.observations.figures().items()}


def test_a_stage_that_did_not_run_is_not_observed() -> None:
    metrics = Metrics()
    timings = {"embed": 2.0, "search": 1.0, "rerank": 6.0, "metadata": 0.5}
    metrics.answered(latency_ms=9.0, timings=timings)
    metrics.answered(latency_ms=4.0, timings=timings | {"rerank": 0.0})
    metrics.answered(latency_ms=2.0, timings=timings | {"rerank": 0.0, "embed": 0.0})
    assert counts(metrics) == {"embed": 2, "search": 3, "rerank": 1, "total": 3}
    assert metrics.observations.figures()["rerank"].p50 == 6.0


def test_a_kept_answer_counts_with_what_it_cost_and_no_stage_of_it_runs_again() -> None:
    metrics = Metrics()
    timings = {"embed": 2.0, "search": 1.0, "rerank": 6.0}
    metrics.answered(latency_ms=9.0, timings=timings)
    metrics.answered(latency_ms=0.5, timings=timings, cached=True)
    assert counts(metrics) == {"embed": 1, "search": 1, "rerank": 1, "total": 2}
    assert metrics.observations.figures()["total"].min == 0.5
    assert metrics.answers() == {"false": 1, "true": 1}


def test_only_the_last_answers_are_in_the_window() -> None:
    observations = Observations(window=50)
    for time in range(120):
        observations.record(float(time), {"rerank": 1.0} if time < 71 else {})
    figures = observations.figures()
    assert (figures["total"].count, figures["total"].min, figures["total"].max) == (50, 70, 119)
    assert figures["rerank"].count == 1
    assert WINDOW == 10_000


def test_no_answer_is_lost_when_many_are_recorded_at_once() -> None:
    observations = Observations(window=100_000)

    def record(start: int) -> None:
        for time in range(start, start + 500):
            observations.record(float(time), {})
            if time % 100 == 0:
                observations.figures()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(record, range(0, 4000, 500)))
    total = observations.figures()["total"]
    assert (total.count, total.min, total.max) == (4000, 0, 3999)
    assert total.mean == pytest.approx(np.arange(4000).mean())


def test_degraded_answers_are_counted_by_word() -> None:
    metrics = Metrics()
    metrics.answered(latency_ms=9.0, timings={}, degraded=("deadline", "pictures"))
    metrics.answered(latency_ms=9.0, timings={}, degraded=("deadline",))
    assert metrics.degraded() == {"deadline": 2, "pictures": 1}


def ask(client: httpx.Client) -> None:
    """Ask for four answers, of which one is reranked and two are of a text, and for a problem."""
    first = post(client, "/search", query="stormy boat", top_k=3)
    post(client, "/search", query="stormy boat", rerank=False)
    post(client, "/search-more", query_vector=first["query_vector"], cursor=first["cursor"])
    assert client.get("/artworks/test:1003/similar").status_code == 200
    assert client.post("/search", json={"query": ""}).status_code == 422


def test_stats_tell_how_answers_come_along(settings: Settings) -> None:
    models: dict[str, Any] = {"embedder": WordEmbedder(), "reranker": FakeReranker()}
    with (
        SearchEngine.open(settings=settings, **models) as engine,
        client_of(create_app(engine=engine)) as client,
    ):
        before = client.get("/stats").json()
        ask(client)
        after = client.get("/stats").json()
    assert before["counts"] == {"answers": 0, "cached": 0, "degraded": {}, "statuses": {}}
    assert set(before["timings"]) == {"embed", "search", "rerank", "total"}
    assert before["timings"]["total"] == {
        **dict.fromkeys(("p50", "p95", "p99", "mean", "min", "max")),
        "count": 0,
    }
    assert after["counts"] == {
        "answers": 4,
        "cached": 0,
        "degraded": {},
        "statuses": {"2xx": 5, "4xx": 1},
    }
    found = {stage: figures["count"] for stage, figures in after["timings"].items()}
    assert found == {"embed": 2, "search": 4, "rerank": 1, "total": 4}
    total = after["timings"]["total"]
    assert 0 < total["min"] <= total["p50"] <= total["max"]
    assert (total["p95"], total["p99"]) == (None, None)
    assert 0 < before["uptime_s"] < after["uptime_s"]


def test_two_servers_in_one_process_count_for_themselves(
    client: httpx.Client, engine: SearchEngine
) -> None:
    with client_of(create_app(engine=engine)) as other:
        post(client, "/search", query="boat")
        assert other.get("/stats").json()["counts"]["answers"] == 0
