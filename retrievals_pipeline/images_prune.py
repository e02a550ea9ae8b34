"""Removing the pictures, ledger rows and vectors that nothing refers to, and what kills left.

What the present records and every release under `releases/` refer to stays. What is to go is looked
for anew each time, so that a prune that was killed is simply run again.
"""

from collections.abc import Collection
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import dataclass
from pathlib import PurePosixPath

import duckdb

from retrievals_pipeline.defs.embeddings.vectors import vector_shards
from retrievals_pipeline.defs.images.ledger import Ledger, ledger_name
from retrievals_pipeline.defs.images.works import read_works
from retrievals_pipeline.defs.records.verification import check_size
from retrievals_pipeline.locks import no_stage_at_work, only_build
from retrievals_pipeline.partitions import shard_keys
from retrievals_serving.errors import ReleaseDamaged, SettingsError, SourceError
from retrievals_serving.models import describe_checkpoint
from retrievals_serving.release import METADATA, current_release_id, list_releases
from retrievals_serving.settings import Settings
from retrievals_serving.store import Store

PARTS = "embeddings/*/*/part-*.parquet"
PICTURES = ("images/*/*.jpg", "thumbnails/*/*.webp")


@dataclass(frozen=True, kw_only=True)
class Unreferenced:
    """What nothing refers to.

    Attributes:
        works: Ids of the works to strike from each finished ledger, by shard.
        vectors: How many vectors to drop.
        files: Names of the pictures and thumbnails to remove.
        bytes: Size of these files.
        leftovers: Names of other files to remove: half-written and, if asked for, superseded ones.
        leftover_bytes: Size of these.
        pictures: Hashes of the pictures that stay.
    """

    works: dict[str, list[str]]
    vectors: int
    files: list[str]
    bytes: int
    leftovers: list[str]
    leftover_bytes: int
    pictures: AbstractSet[str]


def prune_images(settings: Settings, *, superseded: bool = False) -> Unreferenced:
    """Remove what nothing refers to, and return what it was.

    Args:
        settings: Those of the home.
        superseded: Remove also the ledgers and vectors of other numbers of shards, and the vectors
            of models that neither the settings nor a release names.

    Raises:
        SettingsError: `superseded` is given, and the settings' own shards were never finished.
        SourceError: There are no records, or so few that they may have been cut short: then nobody
            knows what is in the collection.
        ReleaseNotFound: Nothing is served that the records could be compared with.
        ReleaseDamaged: A release cannot be read, so that nobody knows what it refers to.
        ShardError: The ledger or the vectors of a shard cannot be used; names the file.
        BuildError: A build or a run of Dagster is at work in the same home.
    """
    store = settings.store
    with only_build(store), no_stage_at_work(store):
        found = unreferenced(settings, superseded=superseded)
        for name in found.leftovers:
            store.remove(name)
        for shard, ids in found.works.items():
            Ledger(store, shard).strike(ids)
        for vectors in vector_shards(store):
            vectors.keep(found.pictures)
        for name in found.files:
            store.remove(name)
    return found


def unreferenced(settings: Settings, *, superseded: bool = False) -> Unreferenced:
    """Look for what neither the present records nor a release refers to.

    Raises:
        SettingsError, SourceError, ReleaseNotFound, ReleaseDamaged, ShardError: As for
            `prune_images`.
    """
    store = settings.store
    present = {work.id for works in read_works(store, settings.shards).values() for work in works}
    _require_whole_records(store, len(present), settings.limit)
    left_behind = _superseded(settings) if superseded else []
    ledgers = [Ledger(store, shard) for shard in _ledger_shards(store, without=left_behind)]
    stored = vector_shards(store, without=left_behind)
    for vectors in stored:
        vectors.verify()
    pictures = _released(store) | {
        row.sha256
        for ledger in ledgers
        for row in ledger.rows.values()
        if row.sha256 is not None and row.id in present
    }
    works = {
        ledger.shard: [
            row.id
            for row in ledger.rows.values()
            if row.id not in present and row.sha256 not in pictures
        ]
        for ledger in ledgers
        if ledger.is_finished
    }
    files = [
        name
        for pattern in PICTURES
        for name in store.names(pattern)
        if PurePosixPath(name).stem not in pictures
    ]
    leftovers = [*store.partials(), *left_behind]
    return Unreferenced(
        works={shard: sorted(ids) for shard, ids in works.items() if ids},
        vectors=sum(sha not in pictures for vectors in stored for _, sha in vectors.pairs()),
        files=files,
        bytes=_size(store, files),
        leftovers=leftovers,
        leftover_bytes=_size(store, leftovers),
        pictures=pictures,
    )


def _superseded(settings: Settings) -> list[str]:
    """Return the names of the files of other splits, and of models that nothing names."""
    store, shards = settings.store, set(shard_keys(settings.shards))
    if unfinished := sorted(shard for shard in shards if not store.exists(ledger_name(shard))):
        raise SettingsError(
            f"{len(unfinished)} of the {settings.shards} shards of RETRIEVALS_SHARDS were never "
            f"finished, as {unfinished[0]}: nothing is removed. Build, or set it as it was."
        )
    described = describe_checkpoint(settings.embedder, max_pixels=settings.max_pixels)
    contracts = {described.corpus_contract.digest} | {
        release.manifest.embedder.corpus_contract.digest for release in list_releases(store)
    }
    ledgers = [name for name in store.names("ledger/*") if PurePosixPath(name).stem not in shards]
    parts = [PurePosixPath(name) for name in store.names(PARTS)]
    by_model = [
        PurePosixPath(name)
        for folder in ("golden", "texts")
        for name in store.names(f"embeddings/{folder}/*.parquet")
    ]
    return [
        *ledgers,
        *(
            str(part)
            for part in parts
            if part.parts[1] not in contracts or part.parts[2] not in shards
        ),
        *(str(path) for path in by_model if path.stem.partition("-")[0] not in contracts),
    ]


def _size(store: Store, names: Collection[str]) -> int:
    total = 0
    for name in names:
        with suppress(FileNotFoundError):  # half-written beside a dry run: by now it has its name
            total += store.path(name).stat().st_size
    return total


def _require_whole_records(store: Store, works: int, limit: int | None) -> None:
    """Refuse to take for gone what records that a check refuses only lack."""
    served = current_release_id(store)
    verdict = check_size(store, eligible=works, limit=limit)
    if not verdict.passed:
        raise SourceError(
            f"the records have {works} works, and the served release {served} could show "
            f"{verdict.details['served_eligible']}: nothing is removed. "
            f"{verdict.details['remedy']}"
        )


def _released(store: Store) -> set[str]:
    """Return the hashes of the pictures of every release, damaged ones included."""
    folders = {PurePosixPath(name).parent.name for name in store.names("releases/[!.]*/*")}
    pictures: set[str] = set()
    for folder in sorted(folders):
        path = store.path(f"releases/{folder}/{METADATA}")
        try:
            with duckdb.connect(str(path), read_only=True) as connection:
                found = connection.execute("select image_sha256 from artworks").fetchall()
        except duckdb.Error as error:
            raise ReleaseDamaged(
                f"{path} cannot be read, and so not which pictures the release refers to: "
                f"{str(error).splitlines()[0]} Remove the folder of the release, or build it again."
            ) from error
        pictures.update(sha for (sha,) in found)
    return pictures


def _ledger_shards(store: Store, *, without: Collection[str]) -> list[str]:
    """Return the shards that have a ledger besides those named, of whatever number of shards."""
    names = set(store.names("ledger/*")).difference(without)
    return sorted({PurePosixPath(name).stem for name in names})
