"""`kill -9` at any stage: the next build ends where an undisturbed one does, nothing done twice."""

import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import dagster as dg
import duckdb
import pyarrow.parquet as pq
import pytest

from retrievals_pipeline.defs.embeddings.vectors import VectorShard
from retrievals_pipeline.defs.images.ledger import Ledger
from retrievals_pipeline.defs.images.shard import THREADS
from retrievals_pipeline.partitions import shard_keys
from retrievals_serving.errors import ReleaseNotFound
from retrievals_serving.release import (
    METADATA,
    Release,
    current_release_id,
    list_releases,
    open_release,
)
from retrievals_serving.store import Store
from retrievals_serving.vectors.faiss_index import open_index
from tests.conftest import ServedMuseum, serve_museum
from tests.processes import bound

pytestmark = pytest.mark.slow

COMMAND = [Path(sys.executable).with_name("retrievals"), "build"]
WORKS = 110  # in one shard: some ten parts of vectors
SHARD = "0-of-1"


def start(environment: dict[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        bound(COMMAND),
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


KILLS = 20
FEW = 36  # works, in two shards
BATCH = 3  # pictures of 256 tokens at most

# `retrievals build`, which writes the hash of every picture that went through the model to a file.
COUNTED = """
import sys
from types import SimpleNamespace
from retrievals_pipeline.cli import main
from retrievals_pipeline.defs.embeddings import golden, shard

loaded = shard.loaded

def counted(load, corpus_contract):
    embedder = loaded(load, corpus_contract)
    def embed_stream(paths):
        for embedded in embedder.embed_stream(paths):
            with open(sys.argv[1], "a") as log:
                log.writelines(f"{paths[place].stem}\\n" for place in embedded.places)
            yield embedded
    return SimpleNamespace(embed_stream=embed_stream)

shard.loaded = counted
main(["build"])
"""


class Kept:
    """What a home holds that no later build may do again."""

    def __init__(self, store: Store) -> None:
        shards = shard_keys(2)
        self.rows = {row.id: row for shard in shards for row in Ledger(store, shard).rows.values()}
        self.asked_for = {picture_of(row.image_url) for row in self.rows.values()}
        contracts = {Path(name).parts[1] for name in store.names("embeddings/*/*-of-2")}
        self.vectors = {
            sha: vector.tobytes()
            for contract in contracts
            for shard in shards
            for sha, vector in VectorShard(store, contract, shard).vectors().items()
        }


def picture_of(address: str) -> str:
    """The museum's name of a picture, as its server counts it."""
    found = re.search(r"/([^/]+)/full/", address)
    assert found
    return found[1]


def made(store: Store) -> set[str]:
    """Everything that a build has made so far, and is there now."""
    patterns = ("images/*/*", "embeddings/*/*", "embeddings/*/*/part-*", "reports/*/*/*")
    names = {name for pattern in patterns for name in store.names(pattern)}
    return names | set(store.names("releases/*")) | set(store.names("releases/.staging/*/*"))


def start_counted(environment: dict[str, str], log: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        bound([sys.executable, "-c", COUNTED, log]),
        env=os.environ | environment | {"RETRIEVALS_SHARDS": "2", "RETRIEVALS_BATCH_TOKENS": "256"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def watch(build: subprocess.Popen[bytes], store: Store, seen: set[str], moment: int) -> None:
    """Add what `build` makes to `seen`, until that are `moment` things or it ends."""
    while build.poll() is None and len(seen) < moment:
        seen |= made(store)
        time.sleep(0.002)


@pytest.mark.timeout(900)
def test_killed_at_twenty_random_moments_it_ends_as_if_undisturbed(tmp_path: Path) -> None:
    whole, store, log = Store(tmp_path / "whole"), Store(tmp_path / "home"), tmp_path / "embedded"
    chance = random.Random(5)
    with serve_museum(FEW) as museum:
        build = start_counted(museum.environment(whole.root), log)
        everything: set[str] = set()
        watch(build, whole, everything, sys.maxsize)
        _, errors = build.communicate()
        assert build.returncode == 0, errors.decode()
        moments = sorted(chance.sample(range(1, len(everything) - 1), KILLS))

        environment = museum.environment(store.root)
        seen: set[str] = set()
        kills = 0
        for moment in [*moments, sys.maxsize]:
            before = Kept(store)
            museum.pictures.clear()
            log.write_bytes(b"")
            build = start_counted(environment, log)
            seen |= made(store)
            watch(build, store, seen, max(moment, len(seen) + 1))  # none kills a mere beginning
            if moment in moments:
                time.sleep(chance.uniform(0, 0.05))
                kills += build.poll() is None
                os.killpg(build.pid, signal.SIGKILL)
            _, errors = build.communicate()
            assert build.returncode in (0, -signal.SIGKILL), errors.decode()
            after = Kept(store)
            embedded = log.read_text().split()
            assert before.asked_for.isdisjoint(museum.pictures)
            assert before.vectors.keys().isdisjoint(embedded)
            assert len(set(embedded) - after.vectors.keys()) <= BATCH
            assert before.rows.items() <= after.rows.items()
            assert before.vectors.items() <= after.vectors.items()
    assert kills >= KILLS - 2  # the last ones may come when all is done
    assert contents(store) == contents(whole)


def contents(store: Store) -> tuple[str, list[bytes], list[tuple[object, ...]]]:
    """The id of the release that is served, and row for row its vectors and its records."""
    release = Release(store, current_release_id(store))
    assert release.damage() == []
    index = open_index(release)
    with duckdb.connect(str(release.path(METADATA)), read_only=True) as connection:
        records = connection.execute("select * from artworks order by row").fetchall()
    assert len(records) == index.count == FEW
    return release.release_id, [index.vector(row).tobytes() for row in range(FEW)], records
