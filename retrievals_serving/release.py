"""The artifact contract: what a release holds. The pipeline writes it, serving reads it.

    releases/<release_id>/manifest.json     what is in it, from what, and the sha256 of each file
    releases/<release_id>/index.faiss       row i: the float16 vector of work i
    releases/<release_id>/artworks.duckdb   row i: the record of work i, to filter by
    releases/<release_id>/records.arrow     row i: what is shown of work i, see `records`
    releases/<release_id>/scores.npy        how any text's scores are spread, see `relevance`
    releases/<release_id>/map.parquet       row i: the place of work i, see `collection_map`
    releases/<release_id>/golden.parquet    what a server must get again, see `golden`
    releases/CURRENT                        the id of the release being served, see `promotion`
    releases/CANDIDATE                      the id of the release that was sealed last

A release folder never changes once it has its name. `CURRENT` is replaced in one step.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from retrievals_serving.certificate import Certificate
from retrievals_serving.errors import ReleaseDamaged, ReleaseNotFound
from retrievals_serving.relevance import Fit
from retrievals_serving.store import Store, file_sha256
from retrievals_serving.vectors import SearchParameters

SCHEMA_VERSION: Literal[5] = 5
CURRENT = "releases/CURRENT"
CANDIDATE = "releases/CANDIDATE"
MANIFEST = "manifest.json"
INDEX = "index.faiss"
METADATA = "artworks.duckdb"
RECORDS = "records.arrow"
SCORES = "scores.npy"
MAP = "map.parquet"
GOLDEN = "golden.parquet"
REQUIRED_CHECKS = (
    "files",
    "index",
    "metadata",
    "golden",
    "certificate",
    "coverage",
    "size",
    "search",
    "answers",
)


class FileEntry(BaseModel):
    """One file of a release."""

    model_config = ConfigDict(frozen=True)

    name: str
    bytes: int
    sha256: str


class ContractEntry(BaseModel):
    """A contract as the manifest keeps it: its digest and the parts it was made from."""

    model_config = ConfigDict(frozen=True)

    digest: str
    parts: dict[str, str]


class EmbedderEntry(BaseModel):
    """Which model made the vectors, and how wide they are."""

    model_config = ConfigDict(frozen=True)

    checkpoint: str
    native_dimension: int
    dimension: int
    corpus_contract: ContractEntry
    query_contract: ContractEntry


class IndexEntry(BaseModel):
    """The index of a release: how it was built and is searched, and what it finds.

    `fit` tells good answers from chance; None where that could not be learned.
    """

    model_config = ConfigDict(frozen=True)

    kind: str
    build: dict[str, int] = {}
    search: SearchParameters = SearchParameters()
    metric: Literal["inner_product"] = "inner_product"
    certificate: Certificate
    fit: Fit | None


class GoldenEntry(BaseModel):
    """On what the golden vectors of a release were made."""

    model_config = ConfigDict(frozen=True)

    device: str
    dtype: str
    libraries: dict[str, str]


class Manifest(BaseModel):
    """What a release is: the content of `manifest.json`."""

    model_config = ConfigDict(frozen=True)

    schema_version: Literal[5] = SCHEMA_VERSION
    release_id: str
    created_at: datetime
    as_of: datetime
    works: int
    eligible: int
    limit: int | None = None
    missing: dict[str, int]
    embedder: EmbedderEntry
    index: IndexEntry
    golden: GoldenEntry
    files: tuple[FileEntry, ...]
    libraries: dict[str, str]


@dataclass(frozen=True)
class Release:
    """A sealed release in a store, opened by id."""

    store: Store
    release_id: str

    @property
    def folder(self) -> str:
        """Name of the release's folder in the store."""
        return f"releases/{self.release_id}"

    def path(self, name: str) -> Path:
        """Return the local path of the release's file `name`."""
        return self.store.path(f"{self.folder}/{name}")

    @cached_property
    def manifest(self) -> Manifest:
        """The parsed manifest.

        Raises:
            ReleaseNotFound: No release of this id.
            ReleaseDamaged: The manifest cannot be read, or is of another schema version.
        """
        name = f"{self.folder}/{MANIFEST}"
        if not self.store.exists(name):
            raise ReleaseNotFound(
                f"there is no release {self.release_id!r} in {self.store.path('releases')}; "
                "`retrievals releases list` names those there are."
            )
        content: Any = None
        try:
            content = json.loads(self.store.read_bytes(name))
            return Manifest.model_validate(content)
        except (ValueError, ValidationError) as error:
            version = content.get("schema_version") if isinstance(content, dict) else None
            remedy = (
                f"it has schema version {version!r}, this program reads {SCHEMA_VERSION}: "
                "build it again, or use the program that made it."
                if version != SCHEMA_VERSION
                else f"{error}. Build it again."
            )
            raise ReleaseDamaged(f"{self.store.path(name)} cannot be read: {remedy}") from error

    def damage(self, *names: str) -> list[str]:
        """Read the files `names`, or all, and return what differs from the manifest."""
        problems = []
        for entry in self.manifest.files:
            if names and entry.name not in names:
                continue
            path = self.path(entry.name)
            if not path.exists():
                problems.append(f"{entry.name} is missing")
            elif path.stat().st_size != entry.bytes:
                problems.append(f"{entry.name} has {path.stat().st_size} bytes, not {entry.bytes}")
            elif file_sha256(path) != entry.sha256:
                problems.append(f"{entry.name} differs from its sha256 {entry.sha256}")
        return problems

    def require_whole(self, *names: str) -> None:
        """Read the files `names`, or all, and refuse what differs from the manifest.

        Raises:
            ReleaseDamaged: Something does; names each file.
        """
        if problems := self.damage(*names):
            raise ReleaseDamaged(
                f"release {self.release_id}: {'; '.join(problems)}; open another release "
                "(`retrievals releases list`) or build again."
            )


def open_release(store: Store, release_id: str | None = None) -> Release:
    """Open the release `release_id`, or the one that `CURRENT` names.

    Raises:
        ReleaseNotFound: There is no such release, or nothing was promoted yet.
        ReleaseDamaged: Its manifest cannot be read or a file has not the size it names.
    """
    release = Release(store, release_id or current_release_id(store))
    for entry in release.manifest.files:
        path = release.path(entry.name)
        size = path.stat().st_size if path.exists() else None
        if size != entry.bytes:
            raise ReleaseDamaged(
                f"{path} should have {entry.bytes} bytes and "
                f"{'is missing' if size is None else f'has {size}'}; "
                "open another release (`retrievals releases list`) or build again."
            )
    return release


def current_release_id(store: Store) -> str:
    """Return the id of the release being served.

    Raises:
        ReleaseNotFound: Nothing was promoted yet.
    """
    if not store.exists(CURRENT):
        raise ReleaseNotFound(
            f"no release is being served from {store.root}; `retrievals build` makes one."
        )
    return store.read_bytes(CURRENT).decode().strip()


def list_releases(store: Store) -> list[Release]:
    """Return all sealed releases, the newest build first, those that cannot be read last."""
    releases = [
        Release(store, Path(name).parent.name) for name in store.names(f"releases/[!.]*/{MANIFEST}")
    ]
    return sorted(releases, key=_built_at, reverse=True)


def _built_at(release: Release) -> datetime:
    try:
        return release.manifest.created_at
    except ReleaseDamaged:
        return datetime.min.replace(tzinfo=UTC)


def record_check(
    store: Store, release_id: str, check: str, *, passed: bool, details: Mapping[str, Any]
) -> None:
    """Keep the verdict of one check under `reports/`, outside the sealed folder."""
    verdict = {"check": check, "passed": passed, "details": dict(details)}
    store.write_bytes(
        f"reports/{release_id}/checks/{check}.json",
        json.dumps(verdict, indent=2, sort_keys=True).encode(),
    )


def read_checks(store: Store, release_id: str) -> dict[str, dict[str, Any] | None]:
    """Return each required check's verdict (`passed`, `details`), None where it was not run."""
    verdicts = {}
    for check in REQUIRED_CHECKS:
        name = f"reports/{release_id}/checks/{check}.json"
        verdicts[check] = json.loads(store.read_bytes(name)) if store.exists(name) else None
    return verdicts
