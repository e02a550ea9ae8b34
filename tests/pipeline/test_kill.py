"""`kill -9` at any stage: the next build ends where an undisturbed one does, nothing done twice."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import dagster as dg
import pyarrow.parquet as pq
import pytest

from retrievals_pipeline.defs.images.shard import THREADS
from retrievals_serving.errors import ReleaseNotFound
from retrievals_serving.release import current_release_id, list_releases, open_release
from retrievals_serving.store import Store
from tests.conftest import ServedMuseum, serve_museum

pytestmark = pytest.mark.slow

COMMAND = [Path(sys.executable).with_name("retrievals"), "build"]
WORKS = 110  # in one shard: some ten parts of vectors
SHARD = "0-of-1"


def start(environment: dict[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        COMMAND,
        env=os.environ | environment | {"RETRIEVALS_SHARDS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def finish(environment: dict[str, str]) -> None:
    build = start(environment)
    _, errors = build.communicate(timeout=240)
    assert build.returncode == 0, errors.decode()


def kill_when(environment: dict[str, str], reached: Callable[[], bool]) -> None:
    """Start a build and kill it, and all it started, as soon as `reached`."""
    build = start(environment)
    deadline = time.monotonic() + 240
    while not reached():
        assert build.poll() is None, "the build ended before the moment to kill it"
        assert time.monotonic() < deadline
        time.sleep(0.0005)
    os.killpg(build.pid, signal.SIGKILL)
    build.communicate()


def rows(store: Store) -> int:
    """Ledger rows kept so far by the shard at work."""
    journal = store.path(f"ledger/{SHARD}.jsonl")
    return journal.read_text().count("\n") if journal.exists() else 0


def current(store: Store) -> str | None:
    try:
        return open_release(store, current_release_id(store)).release_id
    except ReleaseNotFound:
        return None


@pytest.fixture(scope="module")
def served_museum() -> Iterator[ServedMuseum]:
    with serve_museum(WORKS) as served:
        yield served


@pytest.fixture(scope="module")
def undisturbed(served_museum: ServedMuseum, tmp_path_factory: pytest.TempPathFactory) -> str:
    home = tmp_path_factory.mktemp("undisturbed")
    finish(served_museum.environment(home))
    return current_release_id(Store(home))


def test_interrupted_says_so_and_goes_on_later(
    served_museum: ServedMuseum, tmp_path: Path, undisturbed: str
) -> None:
    environment = served_museum.environment(tmp_path)
    build = start(environment)
    while rows(Store(tmp_path)) < 20:
        assert build.poll() is None
        time.sleep(0.01)
    build.send_signal(signal.SIGINT)
    _, errors = build.communicate(timeout=60)
    assert build.returncode == 130
    assert errors.decode().endswith("What is complete is kept: run it again to go on.\n")
    assert "Traceback" not in errors.decode()
    served_museum.pictures.clear()
    finish(environment)
    assert current(Store(tmp_path)) == undisturbed
    assert len(served_museum.pictures) < WORKS


def test_killed_during_downloads(
    served_museum: ServedMuseum, tmp_path: Path, undisturbed: str
) -> None:
    environment = served_museum.environment(tmp_path)
    served_museum.pictures.clear()
    kill_when(environment, lambda: rows(Store(tmp_path)) >= 20)
    finish(environment)
    assert current(Store(tmp_path)) == undisturbed
    assert len(served_museum.pictures) == WORKS
    # The kill cost no more than the downloads in flight, and those whose row was being written.
    assert served_museum.pictures.total() <= WORKS + 2 * THREADS
    assert max(served_museum.pictures.values()) == 2


def test_killed_during_embedding(
    served_museum: ServedMuseum, tmp_path: Path, undisturbed: str
) -> None:
    environment = served_museum.environment(tmp_path)
    store = Store(tmp_path)

    kill_when(environment, lambda: len(store.names("embeddings/*/*/part-*")) >= 2)
    kept = sum(
        pq.read_metadata(store.path(part)).num_rows for part in store.names("embeddings/*/*/part-*")
    )
    assert 0 < kept < WORKS
    served_museum.pictures.clear()
    finish(environment)
    assert current(store) == undisturbed
    assert not served_museum.pictures
    assert embedded(store) == WORKS - kept


def embedded(store: Store) -> int:
    """How many pictures the last build sent through the model, as Dagster shows it."""
    with dg.DagsterInstance.from_config(str(store.path("dagster"))) as instance:
        event = instance.get_latest_materialization_event(dg.AssetKey("image_embeddings"))
    assert event is not None
    assert event.asset_materialization is not None
    return int(str(event.asset_materialization.metadata["embedded"].value))


@pytest.mark.parametrize(
    "moment",
    [
        "releases/.staging/*",
        "releases/.staging/*/index.faiss",
        "releases/.staging/*/artworks.duckdb",
        "releases/2*/manifest.json",
        "reports/*/checks/files.json",
    ],
)
def test_killed_during_release(
    served_museum: ServedMuseum, tmp_path: Path, undisturbed: str, moment: str
) -> None:
    environment = served_museum.environment(tmp_path)
    store = Store(tmp_path)
    kill_when(environment, lambda: any(store.root.glob(moment)))
    assert current(store) in (None, undisturbed)
    served_museum.pictures.clear()
    finish(environment)
    assert current(store) == undisturbed
    assert not served_museum.pictures
    (release,) = list_releases(store)
    assert release.damage() == []
