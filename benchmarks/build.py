"""What a build of the miniature museum costs by stage, and what a build of nothing new costs.

Three homes, each built twice in a process of its own, so that imports and model loads count.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

from benchmarks.machine import machine, spread

RUNS = 3
WORKS = 300
QUERIES = 200
LIBRARIES = ("torch", "transformers", "dagster", "duckdb", "numpy")


def report() -> str:
    """Measure, and return a section in Markdown."""
    measured = [measure() for _ in range(RUNS)]
    lines = [
        "## A build of the miniature museum\n",
        machine(*LIBRARIES) + "\n",
        (
            f"{WORKS} works painted, served on loopback, fetched, embedded by the miniature model "
            f"and released; {RUNS} runs, seconds, min / median / max. `again`: the same command, "
            "nothing changed.\n"
        ),
        "| stage | first | again |",
        "|---|---|---|",
    ]
    lines += [
        f"| {stage} | {spread([run['first'][stage] for run in measured])} "
        f"| {spread([run['again'][stage] for run in measured])} |"
        for stage in measured[0]["first"]
    ]
    lines += [
        "",
        (
            f"One text query without reranking in the same process, {QUERIES} of them a run, "
            "median of each run, min / median / max: "
            f"{spread([run['query_ms'] for run in measured])} ms.\n"
        ),
    ]
    return "\n".join(lines)


def measure() -> dict[str, dict[str, float]]:
    """Build twice and search, in a home that is removed afterwards."""
    with tempfile.TemporaryDirectory() as home:
        environment = os.environ | {
            "RETRIEVALS_PROFILE": "demo",
            "RETRIEVALS_HOME": home,
            "RETRIEVALS_LIMIT": str(WORKS),
        }
        return {name: run(name, environment) for name in ("first", "again", "query_ms")}


def run(name: str, environment: dict[str, str]) -> dict[str, float]:
    """Run this file in a process of its own and return what it prints."""
    task = "search" if name == "query_ms" else "build"
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.build", task],
        env=environment,
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    result = json.loads(done.stdout.splitlines()[-1])
    if task == "build":
        result["the whole command"] = time.perf_counter() - started
    return result


def timed_build() -> dict[str, float]:
    """Return the seconds that each job of a build takes."""
    from retrievals_pipeline import build as module

    seconds: dict[str, float] = {}
    run_job = module.run_job

    def timing(job, *arguments):
        started = time.perf_counter()
        run_job(job, *arguments)
        seconds[job.name] = time.perf_counter() - started

    module.run_job = timing
    module.build()
    return seconds


def timed_search() -> float:
    """Return the median milliseconds of a query, each of another text."""
    from retrievals_serving import SearchEngine

    with SearchEngine.open() as engine:
        engine.warm()
        latencies = [
            engine.search(f"{number} boats on a stormy sea", top_k=10, rerank=False).latency_ms
            for number in range(QUERIES)
        ]
    return statistics.median(latencies)


if __name__ == "__main__":
    print(json.dumps(timed_build() if sys.argv[1] == "build" else timed_search()))
