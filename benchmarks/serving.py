"""The HTTP service under load: its time beyond the models, kept answers, memory, and its start.

python -m benchmarks.serving
python -m benchmarks.serving --soak 600

The release is a simulated one, see `retrievals_pipeline.simulation`, and the models sleep for as
long as a GPU would compute, see `benchmarks.serving_models`: everything else is the service. It is
a process of its own, on the two cores on which those who ask it run too.
"""

import os
import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import faiss
import numpy as np

from benchmarks import options
from benchmarks.machine import machine, spread
from benchmarks.opening import evict
from benchmarks.serving_beyond import beyond_the_models
from benchmarks.serving_clients import Client
from benchmarks.serving_models import write_model
from benchmarks.serving_process import Bench, Served, redis
from benchmarks.serving_soak import soak
from retrievals_pipeline.simulation.release import simulate_release
from retrievals_serving.settings import Settings

DEFAULTS = {
    "works": 68_816,
    "dimension": 1024,
    "embed": 15,
    "rerank": 200,
    "rate": 50,
    "seconds": 20,
    "rounds": 5,
    "hits": 500,
    "soak": 20,
    "starts": 5,
}
CORES = 2
HIT = 1.0  # ms, the goal
START = 3.0  # s, the goal


def report(arguments: Sequence[str] = ()) -> str:
    """Measure, and return a section in Markdown."""
    chosen, command_line = options.numbers("python -m benchmarks.serving", DEFAULTS, arguments)
    with tempfile.TemporaryDirectory() as name, on_cores(CORES):
        home, model = Path(name) / "home", Path(name) / "model"
        settings = Settings.load(home=home, dimension=chosen.dimension)
        bench = Bench(simulate_release(settings, chosen.works), model)
        write_model(model, bench.release, embed=chosen.embed, rerank=chosen.rerank)
        parts = (
            beyond_the_models(
                bench, rate=chosen.rate, seconds=chosen.seconds, rounds=chosen.rounds
            ),
            kept_answers(bench, chosen.hits),
            soak(bench, chosen.soak, queue=settings.queue),
            cold_starts(bench, chosen.starts),
        )
    libraries = machine("uvicorn", "uvloop", "httptools", "fastapi", "redis", "numpy")
    said = (
        f"{chosen.works:,} simulated works of {chosen.dimension} numbers, index "
        f"`{bench.release.manifest.index.kind}`. The server is one process, on {CORES} cores that "
        f"it shares with its clients. The models sleep: {chosen.embed} ms for the texts of a "
        f"batch, and {chosen.rerank} ms, in ten forwards, for the 80 candidates of a search, as if "
        "there were a GPU for each. An answer has 64 works. Min / median / max of the rounds.\n"
    )
    head = f"{libraries} FAISS {faiss.__version__}. `{command_line}`.\n"
    return "\n".join(["## The service under load\n", head, said, *parts])


@contextmanager
def on_cores(count: int) -> Iterator[None]:
    """Let this thread, and what it starts, have no more than `count` cores in the block."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(before)[:count])
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def kept_answers(bench: Bench, hits: int) -> str:
    """Ask again and again, one at a time, for what is kept in memory, and in Redis."""
    rows = {"memory": _kept(bench, hits)}
    try:
        with redis() as address:
            rows["Redis"] = _kept(bench, hits, redis_url=address)
    except LookupError as error:
        rows["Redis"] = [str(error)]
    said = (
        f"The same search, {hits} times after the first, one at a time: p50 / p99. Goal: under "
        f"{HIT:g} ms of the server.\n"
    )
    lines = [
        "**Kept answers**\n",
        said,
        "| kept in | the server alone, ms | for its client, ms | of them kept |",
        "|---|---|---|---|",
        *(f"| {' | '.join((name, *row))} |" for name, row in rows.items()),
    ]
    return "\n".join(lines) + "\n"


def _kept(bench: Bench, hits: int, **others: str) -> list[str]:
    with bench.served(**others) as server:
        client = Client(server.host)
        answers = [client.ask("text 0")[0] for _ in range(hits + 1)][1:]
        client.close()
    kept = [answer for answer in answers if answer.own["cached"]]
    columns = (
        [answer.own["latency_ms"] for answer in kept],
        [1000 * (answer.ended - answer.due) for answer in kept],
    )
    cells = [" / ".join(f"{p:.2f}" for p in np.percentile(each, (50, 99))) for each in columns]
    return [*cells, f"{len(kept)} of {hits}"]


def cold_starts(bench: Bench, starts: int) -> str:
    """Start the server, the files in memory or not, until it is ready to answer."""
    measured: dict[str, list[Served]] = {"not in memory": [], "in memory": []}
    for _ in range(starts):
        evict(bench.release)
        for runs in measured.values():  # the second run finds what the first one has read
            with bench.served() as server:
                runs.append(server)
    said = (
        f"From the start of the process, {starts} times; the models load at once. Python's own "
        f"files are in memory. Goal: ready within {START:g} s.\n"
    )
    lines = [
        "**Cold start**\n",
        said,
        "| the files of the release are | it listens, s | `/health` is ok, s |",
        "|---|---|---|",
    ]
    for state, runs in measured.items():
        cells = [spread([getattr(run, name) for run in runs]) for name in ("listening", "ready")]
        lines.append(f"| {' | '.join((state, *cells))} |")
    slowest = max(statistics.median(run.ready for run in runs) for runs in measured.values())
    lines.append(f"\nThe goal is {'met' if slowest <= START else 'missed'}.")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(report(sys.argv[1:]))
