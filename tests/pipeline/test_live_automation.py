"""Nobody is there: the museum changes, and what changed is served."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest
from dagster._core.scheduler.instigation import TickStatus

from retrievals_pipeline.miniature.museum import MiniatureMuseum
from retrievals_pipeline.miniature.scenes import scene
from retrievals_pipeline.miniature.works import object_id_of
from retrievals_pipeline.partitions import shard_keys, shard_of
from retrievals_serving.release import METADATA, Release, current_release_id, list_releases
from retrievals_serving.store import Store
from tests.conftest import ServedMuseum, serve_museum
from tests.processes import bound

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

ROOT = Path(__file__).parents[2]
WORKS, SHARDS = 12, 6
GONE, RETITLED, REPAINTED, GAINED = 3, 4, 8, (12, 13, 14)  # numbers of works
SENSOR = "default_automation_condition_sensor"


def id_of(number: int) -> str:
    return f"nga:{object_id_of(number)}"


def changed_museum() -> tuple[MiniatureMuseum, set[str]]:
    """The museum after its changes, and the uuids of the pictures that are new."""
    museum = MiniatureMuseum(WORKS + len(GAINED))
    museum._works = [
        replace(work, title="Another title") if work.object_id == object_id_of(RETITLED) else work
        for work in museum.works
        if work.object_id != object_id_of(GONE)
    ]
    shown = museum.picture_of(object_id_of(REPAINTED))
    assert shown is not None
    # A work's number is what the time of its change follows from.
    repainted = replace(shown, scene=scene(0, 999), number=GAINED[-1])
    museum._views = [repainted if view is shown else view for view in museum._views]
    museum._view_of = {view.uuid: view for view in museum._views}
    gained = (museum.picture_of(object_id_of(number)) for number in GAINED)
    return museum, {shown.uuid} | {view.uuid for view in gained if view is not None}


@pytest.fixture
def museum() -> Iterator[ServedMuseum]:
    with serve_museum(WORKS) as served:
        yield served


@pytest.fixture
def environment(museum: ServedMuseum, tmp_path: Path) -> dict[str, str]:
    return os.environ | museum.environment(tmp_path / "home") | {
        "RETRIEVALS_SHARDS": str(SHARDS),
        "RETRIEVALS_AUTOMATION": "true",
        "DAGSTER_HOME": str(tmp_path / "home" / "dagster"),
        "PYTHONPATH": str(ROOT),
    }  # fmt: skip


@contextmanager
def dagster_dev(environment: dict[str, str], folder: Path) -> Iterator[Callable[[], None]]:
    """Webserver and daemon over the hurried code location; yields an assertion that they live."""
    workspace = folder / "workspace.yaml"
    workspace.write_text(
        "load_from: [{python_module: {module_name: tests.pipeline.hurried, "
        "location_name: retrievals}}]"
    )
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = folder / "dagster.log"
    command = [sys.executable, "-m", "dagster", "dev", "-w", str(workspace), "-p", str(port)]
    with log.open("w") as output:
        process = subprocess.Popen(
            bound(command),
            cwd=ROOT,
            env=environment,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )

        def is_alive() -> None:
            assert process.poll() is None, log.read_text()

        try:
            yield is_alive
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(120)  # Dagster lets its own processes end one after the other
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def wait_until(reached: Callable[[], bool], is_alive: Callable[[], None], seconds: int) -> None:
    deadline = time.monotonic() + seconds
    while not reached():
        is_alive()
        assert time.monotonic() < deadline
        time.sleep(0.5)


def has_evaluated(instance: dg.DagsterInstance) -> bool:
    """Whether the conditions were evaluated once: what changes from then on counts."""
    return any(
        tick.status in (TickStatus.SUCCESS, TickStatus.SKIPPED)
        for state in instance.all_instigator_state()
        if state.name == SENSOR
        for tick in instance.get_ticks(state.instigator_origin_id, state.selector_id, limit=1)
    )


def records(release: Release) -> dict[str, dict[str, Any]]:
    """The records of a release by id, without their row."""
    with duckdb.connect(str(release.path(METADATA)), read_only=True) as connection:
        table = connection.execute("select * exclude (row) from artworks").to_arrow_table()
    return {record["id"]: record for record in table.to_pylist()}


def shard_files(store: Store, shard: str) -> dict[str, int]:
    names = store.names(f"ledger/{shard}.parquet") + store.names(f"embeddings/*/{shard}/*")
    return {name: store.path(name).stat().st_mtime_ns for name in names}


def made_since(instance: dg.DagsterInstance, moment: float, asset: str, count: str) -> Counter[str]:
    """What `asset` shows as `count`, by shard, in its materializations since `moment`."""
    made: Counter[str] = Counter()
    filters = dg.AssetRecordsFilter(asset_key=dg.AssetKey(asset), after_timestamp=moment)
    for record in instance.fetch_materializations(filters, limit=99).records:
        assert record.asset_materialization is not None
        made[str(record.partition_key)] += int(
            str(record.asset_materialization.metadata[count].value)
        )
    return made


def test_what_the_museum_changes_is_served_and_nothing_else_is_done(
    museum: ServedMuseum, environment: dict[str, str], tmp_path: Path
) -> None:
    build = subprocess.run(
        [Path(sys.executable).with_name("retrievals"), "build"],
        env={name: value for name, value in environment.items() if name != "DAGSTER_HOME"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert build.returncode == 0, build.stderr
    store = Store(tmp_path / "home")
    first = Release(store, current_release_id(store))
    untouched = set(shard_keys(SHARDS)) - {
        shard_of(id_of(number), SHARDS) for number in (REPAINTED, *GAINED)
    }
    assert untouched
    files = {shard: shard_files(store, shard) for shard in untouched}
    changed, new_pictures = changed_museum()

    with (
        dagster_dev(environment, tmp_path) as is_alive,
        dg.DagsterInstance.from_config(environment["DAGSTER_HOME"]) as instance,
    ):
        wait_until(lambda: has_evaluated(instance), is_alive, 180)
        museum.pictures.clear()
        moment = time.time()
        museum.show(changed)
        wait_until(lambda: current_release_id(store) != first.release_id, is_alive, 600)
        runs = instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE]))
        asked = made_since(instance, moment, "artwork_images", "asked")
        embedded = made_since(instance, moment, "image_embeddings", "embedded")

    assert not runs
    assert museum.pictures == Counter(new_pictures)
    assert (asked.total(), embedded.total()) == (4, 4)
    assert not any(asked[shard] or embedded[shard] for shard in untouched)
    assert {shard: shard_files(store, shard) for shard in untouched} == files

    second = Release(store, current_release_id(store))
    assert {release.release_id for release in list_releases(store)} == {
        first.release_id, second.release_id,
    }  # fmt: skip
    before, after = records(first), records(second)
    assert after.keys() - before.keys() == {id_of(number) for number in GAINED}
    assert before.keys() - after.keys() == {id_of(GONE)}
    changes = {
        work_id: {name for name, value in after[work_id].items() if value != record[name]}
        for work_id, record in before.items()
        if work_id in after and after[work_id] != record
    }
    assert changes.keys() == {id_of(RETITLED), id_of(REPAINTED)}
    assert changes[id_of(RETITLED)] == {"title"}
    assert "image_sha256" in changes[id_of(REPAINTED)]
    assert "title" not in changes[id_of(REPAINTED)]
