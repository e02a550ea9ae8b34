"""`kill -9` at any stage: the next build ends where an undisturbed one does, nothing done twice."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from retrievals_pipeline.defs.embeddings.vectors import VectorShard
from retrievals_pipeline.defs.images.shard import THREADS
from retrievals_serving.errors import ReleaseNotFound
from retrievals_serving.models import describe_checkpoint
from retrievals_serving.release import current_release_id, list_releases, open_release
from retrievals_serving.store import Store
from tests.conftest import WORKS, ServedMuseum

pytestmark = pytest.mark.slow

COMMAND = [Path(sys.executable).with_name("retrievals"), "build"]
CONTRACT = describe_checkpoint("miniature").corpus_contract.digest
SHARDS = [f"{number}-of-3" for number in range(3)]


def start(environment: dict[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        COMMAND,
        env=os.environ | environment,
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
    """Ledger rows that are kept: of finished shards and of the one at work."""
    finished = sum(1 for shard in SHARDS if store.exists(f"ledger/{shard}.parquet"))
    journals = [store.path(f"ledger/{shard}.jsonl") for shard in SHARDS]
    lines = sum(path.read_text().count("\n") for path in journals if path.exists())
    return WORKS * finished + lines


def current(store: Store) -> str | None:
    try:
        return open_release(store, current_release_id(store)).release_id
    except ReleaseNotFound:
        return None


@pytest.fixture(scope="module")
def undisturbed(served_museum: ServedMuseum, tmp_path_factory: pytest.TempPathFactory) -> str:
    home = tmp_path_factory.mktemp("undisturbed")
    finish(served_museum.environment(home))
    return current_release_id(Store(home))


def test_killed_during_downloads(
    served_museum: ServedMuseum, tmp_path: Path, undisturbed: str
) -> None:
    environment = served_museum.environment(tmp_path)
    served_museum.pictures.clear()
    kill_when(environment, lambda: rows(Store(tmp_path)) >= 5)
    finish(environment)
    assert current(Store(tmp_path)) == undisturbed
    assert len(served_museum.pictures) == WORKS
    assert served_museum.pictures.total() <= WORKS + 2 * THREADS
    assert max(served_museum.pictures.values()) <= 2


def test_killed_during_embedding(
    served_museum: ServedMuseum, tmp_path: Path, undisturbed: str
) -> None:
    environment = served_museum.environment(tmp_path)
    store = Store(tmp_path)

    def parts() -> dict[str, int]:
        names = (part for shard in SHARDS for part in VectorShard(store, CONTRACT, shard).parts())
        return {name: store.path(name).stat().st_mtime_ns for name in names}

    kill_when(environment, lambda: bool(parts()))
    kept = parts()
    served_museum.pictures.clear()
    finish(environment)
    assert current(store) == undisturbed
    assert not served_museum.pictures
    assert parts().items() >= kept.items()


@pytest.mark.parametrize(
    "moment",
    [
        "releases/.staging/*",
        "releases/.staging/*/index.faiss",
        "releases/.staging/*/manifest.json",
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
