"""Release: a sealed candidate, and its promotion once its checks have passed."""

import dagster as dg

from retrievals_pipeline.defs.embeddings.assets import golden_vectors
from retrievals_pipeline.defs.index.assets import current_plan, faiss_index, metadata_db
from retrievals_pipeline.defs.metadata import counts
from retrievals_pipeline.defs.release.candidate import read_candidate, seal_candidate
from retrievals_pipeline.defs.resources import EmbedderResource
from retrievals_serving.release import CURRENT, current_release_id, promote
from retrievals_serving.settings import Settings


@dg.asset(
    group_name="release",
    pool="release",
    deps=[faiss_index, metadata_db, golden_vectors],
    description="The next release, sealed: a folder with its manifest, which never changes. "
    "The same inputs make no second one.",
)
def release_candidate(
    settings: dg.ResourceParam[Settings], embedder: EmbedderResource
) -> dg.MaterializeResult[None]:
    """Give the built files their manifest and their name."""
    plan = current_plan(settings, embedder)
    release, new = seal_candidate(settings.store, plan, limit=settings.limit)
    manifest = release.manifest
    return dg.MaterializeResult(
        data_version=dg.DataVersion(release.release_id),
        metadata={
            "dagster/row_count": manifest.works,
            "dagster/uri": dg.MetadataValue.path(str(settings.store.path(release.folder))),
            "release": release.release_id,
            "new": new,
            "as_of": manifest.as_of.isoformat(),
            "missing": counts(manifest.missing, "reason"),
            "shards_left_out": dg.MetadataValue.json(plan.left_out),
            "manifest": dg.MetadataValue.json(manifest.model_dump(mode="json")),
        },
    )


@dg.asset(
    group_name="release",
    pool="release",
    deps=[release_candidate],
    description="The release being served: `CURRENT` names it, and moves in one step to a "
    "candidate whose checks have all passed.",
)
def search_release(settings: dg.ResourceParam[Settings]) -> dg.MaterializeResult[None]:
    """Promote the candidate."""
    store = settings.store
    before = current_release_id(store) if store.exists(CURRENT) else ""
    release = promote(store, read_candidate(store).release_id)
    return dg.MaterializeResult(
        data_version=dg.DataVersion(release.release_id),
        metadata={
            "dagster/row_count": release.manifest.works,
            "dagster/uri": dg.MetadataValue.path(str(store.path(CURRENT))),
            "release": release.release_id,
            "replaces": before,
        },
    )
