"""The time of searches beyond the forwards of the models, at a rate of so many a second."""

from collections.abc import Mapping, Sequence

import numpy as np

from benchmarks.machine import spread
from benchmarks.serving_clients import Answer, at_rate
from benchmarks.serving_models import Forwards, forwards
from benchmarks.serving_process import Bench, processor

GOALS = {50: 3.0, 99: 10.0}  # ms, by percentile
PERCENTILES = (50, 95, 99)

Times = Mapping[str, np.ndarray]  # ms, one for each answer


def beyond_the_models(bench: Bench, *, rate: int, seconds: int, rounds: int) -> str:
    """Ask `rate` searches a second, each another, in `rounds` of so many seconds."""
    asked = rate * seconds
    with bench.served() as server:
        at_rate(server.host, _texts(0, asked // 4), rate)  # of which each thread is ready
        before = processor(server.pid)
        answered = [
            at_rate(server.host, _texts(number * asked, asked), rate)
            for number in range(1, rounds + 1)
        ]
        taken = (processor(server.pid) - before) / (rounds * asked)
    ran = forwards(bench.model)
    measured = [times(answers, ran) for answers in answered]
    missing = sum(not each.is_answer for answers in answered for each in answers)
    said = (
        f"{rounds} rounds of {asked:,} searches, each another and reranked, that come at random "
        "(Poisson); they are timed from when they were due. Where the embedder is at a batch of "
        "others, waiting for its end is the model's time. Beyond it is all else, of the server "
        f"alone as its `latency_ms` has it. Processor of the server: {taken:.1f} ms a search. Not "
        f"answered: {missing}.\n"
    )
    lines = [
        f"**{rate} searches a second: the time beyond the models**\n",
        said,
        "| ms | p50 | p95 | p99 |",
        "|---|---|---|---|",
        *(f"| {' | '.join((name, *_cells(measured, name)))} |" for name in measured[0]),
        "",
        _verdict(measured),
    ]
    return "\n".join(lines) + "\n"


def times(answers: Sequence[Answer], ran: Forwards) -> Times:
    """Return what the time of each of `answers` was spent with."""
    batches = np.array(sorted(set(ran["embed"].values())))
    rows = [_parts(answer, ran, batches) for answer in answers if answer.is_answer]
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def _parts(answer: Answer, ran: Forwards, batches: np.ndarray) -> dict[str, float]:
    """Return the parts of the time of `answer`, ms; `batches` are when the embedder was busy, s."""
    began, embedded = ran["embed"][answer.text]
    judging, judged = ran["rerank"][answer.text]
    stages, latency = answer.own["timings"], answer.own["latency_ms"]
    queued = embedded - stages["embed"] / 1000
    overlaps = np.minimum(batches[:, 1], began) - np.maximum(batches[:, 0], queued)
    waiting = 1000 * float(overlaps.clip(0).sum())
    embed, rerank = 1000 * (embedded - began), 1000 * (judged - judging)
    whole, of_models = 1000 * (answer.ended - answer.due), embed + rerank + waiting
    return {
        "an answer, for its client": whole,
        "of it: forwards": embed + rerank,
        "of it: waiting for a forward for others": waiting,
        "**beyond, for its client**": whole - of_models,
        "**beyond, of the server alone**": latency - of_models,
        "of that: around the embedder": stages["embed"] - embed - waiting,
        "of that: the vector search": stages["search"],
        "of that: around the reranker": stages["rerank"] - rerank,
        "of that: reading the records": stages["metadata"],
        "of that: the page, its JSON, threads": latency - sum(stages.values()),
    }


def _texts(first: int, count: int) -> list[str]:
    return [f"text {number}" for number in range(first, first + count)]


def _cells(measured: Sequence[Times], name: str) -> list[str]:
    return [spread([np.percentile(each[name], p) for each in measured]) for p in PERCENTILES]


def _verdict(measured: Sequence[Times]) -> str:
    """Say whether the goals were met, by the median of the rounds."""
    missed = []
    for name in (each for each in measured[0] if "beyond" in each):
        for percentile, goal in GOALS.items():
            found = np.median([np.percentile(each[name], percentile) for each in measured])
            if found > goal:
                missed.append(f"p{percentile} {name.strip('*')} is {found:.2f} ms")
    goals = ", ".join(f"p{percentile} {goal:g} ms" for percentile, goal in GOALS.items())
    return f"Goals ({goals} at most): {'; '.join(missed) or 'met'}."
