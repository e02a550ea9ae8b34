"""`kill -9` of a run worker under the daemon: another run ends where it would have."""

import asyncio
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.events import EngineEventData
from dagster._core.storage.tags import PARENT_RUN_ID_TAG

from retrievals_pipeline.defs import run_tags
from retrievals_pipeline.defs.failures import BUILD_TAG
from retrievals_serving.release import current_release_id
from retrievals_serving.store import Store
from tests.conftest import ServedMuseum
from tests.pipeline.graphql import launched, wait_until
from tests.pipeline.test_kill import SHARD, finish, kill_when, rows, start

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@contextmanager
def answering_for(museum: ServedMuseum, pictures: int) -> Iterator[None]:
    """Let the museum answer for so many more pictures, and for the next ones afterwards."""
    whole, open_again = museum.app, threading.Event()
    museum.pictures.clear()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        is_picture = "/full/" in scope.get("path", "")
        if is_picture and museum.pictures.total() > pictures:
            while not open_again.is_set():
                await asyncio.sleep(0.05)
        await whole(scope, receive, send)

    museum.app = app
    try:
        yield
    finally:
        open_again.set()
        museum.app = whole


def processes(instance: dg.DagsterInstance, run_id: str) -> set[int]:
    """The processes of a run: its worker and those of its steps."""
    data = (
        entry.dagster_event.event_specific_data
        for entry in instance.all_logs(run_id)
        if entry.dagster_event
    )
    return {
        int(str(one.metadata["pid"].value))
        for one in data
        if isinstance(one, EngineEventData) and "pid" in one.metadata
    }


@pytest.mark.parametrize("graphql", [{"RETRIEVALS_SHARDS": "1"}], indirect=True)
def test_killed_workers_are_replaced_whatever_killed_builds_left(
    graphql: Any, served_museum: ServedMuseum, tmp_path: Path
) -> None:
    store = Store(tmp_path / "ui")
    environment = served_museum.environment(store.root)
    with dg.DagsterInstance.from_config(str(store.path("dagster"))) as instance:
        with answering_for(served_museum, 6):
            kill_when(environment, lambda: rows(store) >= 3)
        with answering_for(served_museum, 6):
            kept = rows(store)
            run_id = launched(graphql, "refresh_images", run_tags.over([SHARD]))
            wait_until(lambda: rows(store) > kept, 120)
            waiting = start(environment)
            assert waiting.stderr is not None
            assert any(b"waiting for it" in line for line in waiting.stderr)
            os.killpg(waiting.pid, signal.SIGKILL)
            waiting.communicate()
            pids = processes(instance, run_id)
            assert len(pids) == 2
            for pid in pids:
                os.kill(pid, signal.SIGKILL)

        again = dg.RunsFilter(
            tags={PARENT_RUN_ID_TAG: run_id}, statuses=[dg.DagsterRunStatus.SUCCESS]
        )
        wait_until(lambda: bool(instance.get_runs(again)), 240)
        of_builds = dg.RunsFilter(tags={BUILD_TAG: str(store.root)}, job_name="refresh_images")
        wait_until(lambda: instance.get_runs(of_builds)[0].is_failure, 60)
        assert instance.get_runs_count(of_builds) == 1
    served_museum.pictures.clear()
    finish(environment)
    assert not served_museum.pictures
    undisturbed = Store(tmp_path / "undisturbed")
    finish(served_museum.environment(undisturbed.root))
    assert current_release_id(store) == current_release_id(undisturbed)
