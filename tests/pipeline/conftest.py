"""`retrievals ui` as people and programs use it: a webserver and a daemon, asked over GraphQL."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import ServedMuseum
from tests.processes import bound

LAUNCH_JOB = """
mutation Launch($params: ExecutionParams!) {
  launchRun(executionParams: $params) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on PythonError { message }
  }
}
"""


@pytest.fixture
def graphql(
    request: pytest.FixtureRequest, served_museum: ServedMuseum, tmp_path: Path
) -> Iterator[Any]:
    """`retrievals ui` on an empty home; yields a function that asks its GraphQL.

    Its parameter is what the environment has besides.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = (tmp_path / "ui.log").open("w")
    ui = subprocess.Popen(
        bound([Path(sys.executable).with_name("retrievals"), "ui", "--port", str(port)]),
        env=os.environ | served_museum.environment(tmp_path / "ui") | getattr(request, "param", {}),
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    url = f"http://127.0.0.1:{port}/graphql"

    def ask(query: str, **variables: Any) -> Any:
        answer = httpx.post(url, json={"query": query, "variables": variables}, timeout=60).json()
        assert "errors" not in answer, answer
        return answer["data"]

    deadline = time.monotonic() + 90
    while True:
        try:
            if ask("{ assetNodes { id } }")["assetNodes"]:
                break
        except httpx.TransportError:
            assert ui.poll() is None, (tmp_path / "ui.log").read_text()
        assert time.monotonic() < deadline, (tmp_path / "ui.log").read_text()
        time.sleep(0.5)
    yield ask
    os.killpg(ui.pid, signal.SIGTERM)
    try:
        ui.wait(120)  # Dagster lets its own processes end one after the other
    finally:
        if ui.poll() is None:
            os.killpg(ui.pid, signal.SIGKILL)
            ui.wait()
        log.close()


def launched(graphql: Any, job: str, tags: dict[str, str] | None = None) -> str:
    """Launch a job, and return the id of its run."""
    selector = {
        "repositoryLocationName": "retrievals",
        "repositoryName": "__repository__",
        "jobName": job,
    }
    metadata = {"tags": [{"key": key, "value": value} for key, value in (tags or {}).items()]}
    params = {"selector": selector, "runConfigData": {}, "executionMetadata": metadata}
    launch = graphql(LAUNCH_JOB, params=params)["launchRun"]
    assert launch["__typename"] == "LaunchRunSuccess", launch
    return str(launch["run"]["runId"])


def wait_until(reached: Callable[[], bool], seconds: int) -> None:
    deadline = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < deadline
        time.sleep(0.2)
