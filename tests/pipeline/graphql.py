"""What a program asks of a running `retrievals ui`, over its GraphQL."""

import time
from collections.abc import Callable
from typing import Any

LAUNCH_JOB = """
mutation Launch($params: ExecutionParams!) {
  launchRun(executionParams: $params) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on PythonError { message }
  }
}
"""


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
