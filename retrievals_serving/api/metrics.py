"""What a server counts and measures of itself, for `/stats` and for Prometheus."""

from collections import Counter as Counts
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Annotated

import prometheus_client as prometheus
from fastapi import Depends, Request
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from retrievals_serving.observations import Observations

# Seconds. The targets of an answer are 0.05 and 0.1, see `load`.
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
Read = Callable[[], float | Mapping[str, float]]


class Metrics:
    """What one server counts, in a registry of its own. Safe to use from several threads.

    Attributes:
        registry: What Prometheus is shown.
        observations: How long the last answers took.
    """

    def __init__(self) -> None:
        self.registry = prometheus.CollectorRegistry()
        self.observations = Observations()
        self._started = monotonic()
        prometheus.ProcessCollector(registry=self.registry)
        self._requests = prometheus.Counter(
            "retrievals_requests_total",
            "Requests that were answered.",
            ("endpoint", "method", "status"),
            registry=self.registry,
        )
        self._request_seconds = prometheus.Histogram(
            "retrievals_request_seconds",
            "Time from a request to the end of its answer.",
            ("endpoint",),
            registry=self.registry,
            buckets=BUCKETS,
        )
        self._stage_seconds = prometheus.Histogram(
            "retrievals_stage_seconds",
            "Time of a stage of an answer, where it ran.",
            ("stage",),
            registry=self.registry,
            buckets=BUCKETS,
        )
        self._answers = prometheus.Counter(
            "retrievals_answers_total",
            "Answers of searches; cached are those that were kept from before.",
            ("cached",),
            registry=self.registry,
        )
        for cached in ("true", "false"):  # both are shown, as 0, before the first of them
            self._answers.labels(cached)
        self._degraded = prometheus.Counter(
            "retrievals_degraded_total",
            "Answers that are less than they could be, by why.",
            ("reason",),
            registry=self.registry,
        )

    def answered(
        self,
        *,
        latency_ms: float,
        timings: Mapping[str, float],
        cached: bool = False,
        degraded: Iterable[str] = (),
    ) -> None:
        """Count a finished answer; the arguments are as the answer has them, see `pages.Page`.

        Args:
            latency_ms: What it took in all; of a kept one, what it cost this time.
            timings: Time of each stage, ms; 0 of one that did not run. None of a kept answer's ran.
            cached: Whether it was kept from before.
            degraded: Why it is less than it could be.
        """
        ran = {} if cached else {stage: time for stage, time in timings.items() if time > 0}
        self.observations.record(latency_ms, ran)
        self._answers.labels("true" if cached else "false").inc()
        for reason in degraded:
            self._degraded.labels(reason).inc()
        for stage, time in ran.items():
            self._stage_seconds.labels(stage).observe(time / 1000)

    def requested(self, *, endpoint: str, method: str, status: int, seconds: float) -> None:
        """Count a request whose answer has ended.

        Args:
            endpoint: Template of its route, so that there are few.
            method: Likewise one of few.
            status: Of the answer.
            seconds: How long it took.
        """
        self._requests.labels(endpoint, method, str(status)).inc()
        self._request_seconds.labels(endpoint).observe(seconds)

    def watch(self, name: str, documentation: str, read: Read, *, label: str | None = None) -> None:
        """Show what `read` returns whenever Prometheus asks.

        Args:
            name: In full; one that ends in `_total` is a counter, any other a gauge.
            documentation: What it is.
            read: Returns the value; with a `label`, one for each of the label's values. Called from
                any thread.
            label: Name of the label.
        """
        self.registry.register(_Watched(name, documentation, read, label))

    def uptime(self) -> float:
        """Return for how many seconds the server has counted."""
        return monotonic() - self._started

    def answers(self) -> dict[str, int]:
        """Return the number of answers, by whether they were kept: `true` or `false`."""
        return _sums(self._answers, "cached")

    def degraded(self) -> dict[str, int]:
        """Return the number of answers that are less than they could be, by why."""
        return _sums(self._degraded, "reason")

    def statuses(self) -> dict[str, int]:
        """Return the number of requests by the class of their status, as `2xx`."""
        classes: Counts[str] = Counts()
        for status, count in _sums(self._requests, "status").items():
            classes[f"{status[0]}xx"] += count
        return dict(classes)


@dataclass(frozen=True)
class _Watched(Collector):
    """Collects what a function returns."""

    name: str
    documentation: str
    read: Read
    label: str | None

    def describe(self) -> Iterable[Metric]:
        """Name the metric without asking for its value, so that no other takes its name."""
        return [self._family()]

    def collect(self) -> Iterable[Metric]:
        """Ask for its value."""
        family = self._family()
        values = self.read()
        if isinstance(values, Mapping):
            for of_label, value in values.items():
                family.add_metric([of_label], value)
        else:
            family.add_metric([], values)
        return [family]

    def _family(self) -> CounterMetricFamily | GaugeMetricFamily:
        kind = CounterMetricFamily if self.name.endswith("_total") else GaugeMetricFamily
        return kind(self.name, self.documentation, labels=[self.label] if self.label else [])


def _sums(counter: prometheus.Counter, label: str) -> dict[str, int]:
    """Return what `counter` counted, summed up for each value of one of its labels."""
    sums: Counts[str] = Counts()
    for family in counter.collect():
        for sample in family.samples:
            if sample.name.endswith("_total"):
                sums[sample.labels[label]] += int(sample.value)
    return dict(sums)


def metrics_of(request: Request) -> Metrics:
    """Return the metrics of the application that answers `request`."""
    metrics: Metrics = request.app.state.metrics
    return metrics


MetricsOf = Annotated[Metrics, Depends(metrics_of)]
