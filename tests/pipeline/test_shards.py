"""Shards of one run: a bad one fails alone, by name, and the release goes on without it."""

import errno
import json
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
import pytest
from click.testing import CliRunner

from retrievals_pipeline.build import build
from retrievals_pipeline.cli import main
from retrievals_pipeline.damage import using
from retrievals_pipeline.defs.images.ledger import Ledger
from retrievals_pipeline.defs.images.works import read_works
from retrievals_pipeline.partitions import shard_keys
from retrievals_serving.errors import BuildError, SettingsError, SourceUnavailable
from retrievals_serving.release import current_release_id
from retrievals_serving.settings import Settings
from retrievals_serving.store import Store
from tests.conftest import WORKS, ServedMuseum

BAD = "1-of-3"
GOOD = {"0-of-3", "2-of-3"}


@pytest.fixture(autouse=True)
def one_of_three_may_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETRIEVALS_MIN_COVERAGE", "0.5")


def with_status(settings: Settings, asset: str, status: dg.AssetPartitionStatus) -> set[str]:
    """The shards of which Dagster shows this."""
    shards = shard_keys(settings.shards)
    with dg.DagsterInstance.from_config(str(settings.store.path("dagster"))) as instance:
        found = instance.get_status_by_partition(
            dg.AssetKey(asset), shards, dg.StaticPartitionsDefinition(shards)
        )
    assert found is not None
    return {shard for shard, its in found.items() if its == status}


def errors_of_runs(settings: Settings) -> str:
    with dg.DagsterInstance.from_config(str(settings.store.path("dagster"))) as instance:
        logs = [
            instance.all_logs(run.run_id, of_type=dg.DagsterEventType.STEP_FAILURE)
            for run in instance.get_runs()
        ]
    return "\n".join(str(entry.dagster_event) for log in logs for entry in log)


def ledger_is_garbage(store: Store) -> None:
    store.write_bytes(f"ledger/{BAD}.parquet", b"garbage")


def ledger_is_a_folder(store: Store) -> None:
    store.remove(f"ledger/{BAD}.parquet")
    store.path(f"ledger/{BAD}.parquet").mkdir()


def vectors_are_cut_short(store: Store) -> None:
    (part,) = store.names(f"embeddings/*/{BAD}/part-*")
    store.write_bytes(part, store.read_bytes(part)[:-50])


@pytest.mark.parametrize(
    ("poison", "failed", "reason"),
    [
        (ledger_is_garbage, {"artwork_images", "image_embeddings"}, "ledger_damaged"),
        (ledger_is_a_folder, {"artwork_images", "image_embeddings"}, "ledger_damaged"),
        (vectors_are_cut_short, {"image_embeddings"}, "vectors_damaged"),
    ],
)
def test_a_poisoned_shard_fails_alone_and_the_release_says_what_is_missing(
    built: Settings,
    caplog: pytest.LogCaptureFixture,
    poison: Callable[[Store], None],
    failed: set[str],
    reason: str,
) -> None:
    poison(built.store)
    lost = len(read_works(built.store, built.shards)[BAD])
    result = CliRunner().invoke(main, ["build"], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert f"{WORKS - lost} of {WORKS} works, current" in result.stdout
    assert f"Missing: {lost} {reason}." in result.stdout
    listed = json.loads(
        built.store.read_bytes(f"reports/{current_release_id(built.store)}/pictures.json")
    )
    assert Counter(entry["status"] for entry in listed) == {"ok": WORKS - lost, reason: lost}
    said = [record for record in caplog.records if f"{BAD}: {built.store.root}" in record.message]
    assert [record.name for record in said] == ["retrievals_pipeline.build"] * len(failed)
    for asset in ("artwork_images", "image_embeddings"):
        is_bad = with_status(built, asset, dg.AssetPartitionStatus.FAILED)
        assert is_bad == ({BAD} if asset in failed else set())
        assert with_status(built, asset, dg.AssetPartitionStatus.MATERIALIZED) >= GOOD
    assert errors_of_runs(built).count(f"1 of 3 shards failed. {BAD}: ") == len(failed)


def test_a_picture_that_cannot_be_stored_fails_its_shard_and_what_came_besides_is_kept(
    museum_settings: Settings, built_home: Path, served_museum: ServedMuseum
) -> None:
    store = museum_settings.store
    folders = {
        shard: {str(row.sha256)[:2] for row in Ledger(Store(built_home), shard).rows.values()}
        for shard in (BAD, *GOOD)
    }
    folder = min(folders[BAD] - set().union(*(folders[shard] for shard in GOOD)))
    store.write_bytes(f"images/{folder}", b"in the way")
    release = build()
    works = read_works(store, museum_settings.shards)
    assert release.manifest.missing == {"not_fetched": len(works[BAD])}
    for asset in ("artwork_images", "image_embeddings"):
        assert with_status(museum_settings, asset, dg.AssetPartitionStatus.MATERIALIZED) == GOOD
    assert f"images/{folder}" in errors_of_runs(museum_settings)

    store.remove(f"images/{folder}")
    kept = set(Ledger(store, BAD).rows)
    assert kept
    served_museum.pictures.clear()
    assert build().manifest.missing == {}
    assert served_museum.pictures.total() == len(works[BAD]) - len(kept)


def test_when_every_shard_fails_the_build_ends(built: Settings) -> None:
    served = current_release_id(built.store)
    for name in built.store.names("ledger/*.parquet"):
        built.store.write_bytes(name, b"garbage")
    with pytest.raises(BuildError, match=r"refresh_images failed: 3 of 3 shards failed\. 0-of-3: "):
        build()
    assert current_release_id(built.store) == served


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "no space left on device"),
        PermissionError(errno.EACCES, "permission denied"),
        SettingsError("RETRIEVALS_IMAGE_BOX"),
        SourceUnavailable("the museum is down"),
        KeyError("a fault of the program"),
    ],
)
def test_what_is_no_fault_of_a_shard_ends_the_run_by_its_name_and_keeps_what_is_finished(
    museum_settings: Settings, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    from retrievals_pipeline.defs.images import assets  # which reads the settings

    begun: list[str] = []
    download = assets.download_shard

    def fail_second(store: Store, shard: str, *args: Any, **options: Any) -> Any:
        begun.append(shard)
        if shard == BAD:
            raise error
        return download(store, shard, *args, **options)

    monkeypatch.setattr(assets, "download_shard", fail_second)
    with pytest.raises(BuildError, match=f"refresh_images failed: .*{re.escape(error.args[-1])}"):
        build()
    assert begun == ["0-of-3", BAD]
    finished = with_status(museum_settings, "artwork_images", dg.AssetPartitionStatus.MATERIALIZED)
    assert finished == {"0-of-3"}


@pytest.mark.parametrize(
    ("number", "error"), [(errno.ENOSPC, OSError), (errno.EACCES, PermissionError)]
)
def test_a_full_disk_or_a_lack_of_permission_is_no_damage_of_a_file(
    tmp_path: Path, number: int, error: type[OSError]
) -> None:
    with pytest.raises(error), using(tmp_path / "0-of-3.parquet", "Remove it."):
        raise OSError(number, "so it is")


def test_a_lack_of_memory_is_no_damage_of_a_file(tmp_path: Path) -> None:
    with pytest.raises(MemoryError), using(tmp_path / "0-of-3.parquet", "Remove it."):
        raise pa.ArrowMemoryError("malloc of size 64 failed")


def test_a_shard_without_works_is_materialized(
    museum_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RETRIEVALS_LIMIT", "1")
    assert build().manifest.works == 1
    for asset in ("artwork_images", "image_embeddings"):
        shown = with_status(museum_settings, asset, dg.AssetPartitionStatus.MATERIALIZED)
        assert shown == GOOD | {BAD}
