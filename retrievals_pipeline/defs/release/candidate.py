"""Sealing: the files of a planned release get their manifest, then their name, in one step."""

import shutil
from datetime import UTC, datetime
from importlib.metadata import version

from retrievals_pipeline.defs.embeddings.golden import golden_name
from retrievals_pipeline.defs.index.faiss_index import index_entry
from retrievals_pipeline.defs.index.plan import ReleasePlan, is_whole
from retrievals_serving.errors import ReleaseError
from retrievals_serving.golden import read_golden
from retrievals_serving.models.contracts import Contract
from retrievals_serving.release import (
    CANDIDATE,
    GOLDEN,
    INDEX,
    MANIFEST,
    MAP,
    METADATA,
    RECORDS,
    SCORES,
    ContractEntry,
    EmbedderEntry,
    FileEntry,
    Manifest,
    Release,
)
from retrievals_serving.store import Store, file_sha256, sync

FILES = (INDEX, METADATA, RECORDS, SCORES, MAP, GOLDEN)
LIBRARIES = ("retrievals", "torch", "transformers", "duckdb", "numpy", "pillow", "openTSNE")


def seal_candidate(store: Store, plan: ReleasePlan, *, limit: int | None) -> tuple[Release, bool]:
    """Seal the staged files of `plan`; return the release, and whether it is new.

    A release of the same id holds the same content, so there is nothing to do when it exists; one
    that was damaged since is set aside as `releases/.damaged-<id>`.

    Raises:
        ReleaseError: The staged files are not all there, because the inputs changed meanwhile, or
            the model has no golden vectors yet.
    """
    release = Release(store, plan.release_id)
    new = not is_whole(release)
    if new:
        _stage_golden(store, plan)
        manifest = _manifest(store, plan, limit)
        store.write_bytes(f"{plan.staging}/{MANIFEST}", manifest.model_dump_json(indent=2).encode())
        for path in store.path(plan.staging).iterdir():
            if path.name not in (*FILES, MANIFEST):
                path.unlink()  # what a killed build left half-written
        if store.exists(release.folder):
            aside = store.path(f"releases/.damaged-{release.release_id}")
            shutil.rmtree(aside, ignore_errors=True)
            store.path(release.folder).rename(aside)
        for verdict in store.names(f"reports/{release.release_id}/checks/*"):
            store.remove(verdict)  # on the files that are set aside
        store.path(plan.staging).rename(store.path(release.folder))
        sync(store.path("releases"))
        # What other plans staged is of inputs that are gone.
        shutil.rmtree(store.path("releases/.staging"), ignore_errors=True)
        release = Release(store, plan.release_id)  # anew: it keeps the manifest it has read
    store.write_bytes(CANDIDATE, plan.release_id.encode())
    return release, new


def read_candidate(store: Store) -> Release:
    """Return the release that was sealed last.

    Raises:
        ReleaseError: None was.
    """
    if not store.exists(CANDIDATE):
        raise ReleaseError(
            f"no candidate was sealed under {store.root}: materialize `release_candidate` first."
        )
    return Release(store, store.read_bytes(CANDIDATE).decode())


def _stage_golden(store: Store, plan: ReleasePlan) -> None:
    """Copy the golden vectors of the plan's model into its staging folder."""
    kept = golden_name(plan.description)
    if not store.exists(kept):
        raise ReleaseError(
            f"{store.path(kept)} is not there: materialize `golden_vectors` for this model first."
        )
    store.write_bytes(f"{plan.staging}/{GOLDEN}", store.read_bytes(kept))


def _manifest(store: Store, plan: ReleasePlan, limit: int | None) -> Manifest:
    paths = [store.path(f"{plan.staging}/{name}") for name in FILES]
    missing = [path.name for path in paths if not path.exists()]
    if missing:
        raise ReleaseError(
            f"{' and '.join(missing)} of release {plan.release_id} not built: the inputs changed "
            "meanwhile. Materialize `faiss_index`, `metadata_db` and `collection_map` again."
        )
    return Manifest(
        release_id=plan.release_id,
        created_at=datetime.now(UTC),
        as_of=plan.as_of,
        works=plan.works.num_rows,
        eligible=plan.eligible,
        limit=limit,
        missing=plan.missing,
        embedder=EmbedderEntry(
            checkpoint=plan.description.checkpoint,
            native_dimension=plan.description.dimension,
            dimension=plan.dimension,
            corpus_contract=_entry(plan.description.corpus_contract),
            query_contract=_entry(plan.description.query_contract),
        ),
        index=index_entry(store, plan),
        golden=read_golden(store.path(f"{plan.staging}/{GOLDEN}")).made_on,
        files=tuple(
            FileEntry(name=path.name, bytes=path.stat().st_size, sha256=file_sha256(path))
            for path in paths
        ),
        libraries={name: version(name) for name in LIBRARIES},
    )


def _entry(contract: Contract) -> ContractEntry:
    return ContractEntry(digest=contract.digest, parts=dict(contract.parts))
