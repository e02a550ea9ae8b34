"""Release: a sealed candidate, and its promotion once its checks have passed."""

import logging
from datetime import UTC, datetime
from time import perf_counter

import dagster as dg
from pydantic import Field

from retrievals_pipeline.defs.conditions import FOLLOWS, SEEN_WEEKLY
from retrievals_pipeline.defs.embeddings.assets import golden_vectors
from retrievals_pipeline.defs.index.assets import (
    collection_map,
    current_plan,
    faiss_index,
    metadata_db,
)
from retrievals_pipeline.defs.index.collection_map import build_map
from retrievals_pipeline.defs.index.faiss_index import build_index
from retrievals_pipeline.defs.index.metadata_db import build_metadata
from retrievals_pipeline.defs.index.plan import ReleasePlan
from retrievals_pipeline.defs.index.verification import check_rows
from retrievals_pipeline.defs.metadata import (
    OWNERS,
    READS_THE_STORE,
    counts,
    file_metadata,
    location,
    newest_pictures,
    pace,
)
from retrievals_pipeline.defs.release.candidate import read_candidate, seal_candidate
from retrievals_pipeline.defs.release.pictures import write_pictures
from retrievals_pipeline.defs.release.report import write_report
from retrievals_pipeline.defs.resources import EmbedderResource
from retrievals_serving.errors import PromotionHeld, ReleaseError
from retrievals_serving.promotion import promote
from retrievals_serving.release import CURRENT, Release, current_release_id, open_release
from retrievals_serving.settings import Settings
from retrievals_serving.store import Store

logger = logging.getLogger(__name__)

NEWEST = 24  # pictures of the contact sheet
API = "http://127.0.0.1:8000/"  # where `retrievals serve` answers unless it is told otherwise


class CandidateConfig(dg.Config):
    """Whether a release is made at all costs."""

    force: bool = Field(
        default=False,
        description="Build and seal a release even if there is one of the same inputs already.",
    )


@dg.asset(
    group_name="release",
    pool="release",
    automation_condition=FOLLOWS,
    owners=OWNERS,
    tags=READS_THE_STORE,
    kinds={"folder"},
    deps=[faiss_index, metadata_db, collection_map, golden_vectors],
    description="The next release, sealed: a folder with the index, the records, the map, golden "
    "vectors and the manifest that names them, which never changes. The same inputs make no second "
    "one. Its checks look at it as a server would; their verdicts are kept in `reports`. Only when "
    "all have passed is it promoted.",
)
def release_candidate(
    config: CandidateConfig, settings: dg.ResourceParam[Settings], embedder: EmbedderResource
) -> dg.MaterializeResult[None]:
    """Give the built files their manifest and their name."""
    started = perf_counter()
    store = settings.store
    plan = current_plan(settings, embedder)
    if config.force:
        plan = plan.forced(store, datetime.now(UTC))
        _build_anew(store, plan)
    release, new = seal_candidate(store, plan, limit=settings.limit)
    pictures = write_pictures(store, plan)
    manifest = release.manifest
    newest = plan.works.sort_by([("fetched_at", "descending"), ("id", "ascending")])
    return dg.MaterializeResult(
        data_version=dg.DataVersion(release.release_id),
        metadata={
            "dagster/row_count": manifest.works,
            **location(store.path(release.folder)),
            **pace(started),
            "bytes": sum(entry.bytes for entry in manifest.files),
            "release": release.release_id,
            "reports": _reports(release),
            "new": new,
            "as_of": manifest.as_of.isoformat(),
            "missing": counts(manifest.missing, "reason"),
            "pictures": dg.MetadataValue.path(str(pictures)),
            "shards_left_out": dg.MetadataValue.json(plan.left_out),
            "manifest": dg.MetadataValue.json(manifest.model_dump(mode="json")),
            **newest_pictures(store, newest["image_sha256"].to_pylist(), most=NEWEST),
        },
    )


@dg.asset(
    group_name="release",
    pool="release",
    automation_condition=FOLLOWS,
    owners=OWNERS,
    tags=READS_THE_STORE,
    kinds={"html"},
    deps=[release_candidate],
    description="A page about the candidate, once its checks have passed: their verdicts, what is "
    "missing and why, the certificate, the map, the model and its contracts, and what the golden "
    "texts find, with pictures. One file, which can be sent to somebody.",
)
def retrieval_report(settings: dg.ResourceParam[Settings]) -> dg.MaterializeResult[None]:
    """Write `report.html` into the reports of the candidate."""
    started = perf_counter()
    release = read_candidate(settings.store)
    path = write_report(release)
    return dg.MaterializeResult(
        data_version=dg.DataVersion(release.release_id),
        metadata={
            **file_metadata(path, release.manifest.works),
            **pace(started),
            "release": release.release_id,
            "report": dg.MetadataValue.url(path.as_uri()),
        },
    )


def _build_anew(store: Store, plan: ReleasePlan) -> None:
    """Build the files of `plan`, which the check of `metadata_db` has not seen.

    Raises:
        ReleaseError: They are not of the same works, row by row.
    """
    built = (build(store, plan) for build in (build_index, build_metadata, build_map))
    verdict = check_rows(store, plan, *built)
    if not verdict.passed:
        raise ReleaseError(
            f"the files of release {plan.release_id} are not of the same works, row by row: "
            f"{verdict.details}. It is not sealed; the last release stays. Build it again."
        )


@dg.asset(
    group_name="release",
    pool="release",
    automation_condition=FOLLOWS,
    owners=OWNERS,
    tags=READS_THE_STORE,
    kinds={"folder"},
    freshness_policy=SEEN_WEEKLY,
    deps=[release_candidate],
    description="The release being served: `CURRENT` names it, and moves in one step to a "
    "candidate whose checks have all passed. Servers that run follow it. After a rollback it stays "
    "where it is until a release is promoted by hand.",
)
def search_release(settings: dg.ResourceParam[Settings]) -> dg.MaterializeResult[None]:
    """Promote the candidate, unless someone rolled back."""
    store = settings.store
    before = current_release_id(store) if store.exists(CURRENT) else ""
    held = ""
    try:
        release = promote(store, read_candidate(store).release_id, by="build")
    except PromotionHeld as error:
        held = str(error)
        logger.warning(held)
        release = open_release(store)
    return dg.MaterializeResult(
        data_version=dg.DataVersion(release.release_id),
        metadata={
            "dagster/row_count": release.manifest.works,
            **location(store.path(release.folder)),
            "release": release.release_id,
            "replaces": "" if before == release.release_id else before,
            "held": held,
            "reports": _reports(release),
            "page": dg.MetadataValue.md(f"[{API}]({API}) where `retrievals serve` runs"),
        },
    )


def _reports(release: Release) -> dg.MetadataValue:
    """Return the folder of the verdicts of the release's checks."""
    return dg.MetadataValue.path(str(release.store.path(f"reports/{release.release_id}")))
