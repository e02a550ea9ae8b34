"""Index: the vectors and the records of one planned release, row by row the same works."""

import dagster as dg

from retrievals_pipeline.defs.embeddings.assets import image_embeddings
from retrievals_pipeline.defs.images.assets import artwork_images
from retrievals_pipeline.defs.index.faiss_index import build_index
from retrievals_pipeline.defs.index.metadata import build_metadata
from retrievals_pipeline.defs.index.plan import INDEX_KIND, ReleasePlan, plan_release
from retrievals_pipeline.defs.metadata import file_metadata
from retrievals_pipeline.defs.records.assets import artworks
from retrievals_pipeline.defs.resources import EmbedderResource
from retrievals_serving.settings import Settings


def current_plan(settings: Settings, embedder: EmbedderResource) -> ReleasePlan:
    """Return the plan of the release that the present artifacts make."""
    return plan_release(
        settings.store,
        shards=settings.shards,
        description=embedder.describe(),
        dimension=settings.dimension,
    )


@dg.asset(
    group_name="index",
    pool="release",
    deps=[image_embeddings],
    kinds={"faiss"},
    description="The vectors of the next release in one FAISS index, cut to the search dimension; "
    "exact search over inner product.",
)
def faiss_index(
    settings: dg.ResourceParam[Settings], embedder: EmbedderResource
) -> dg.MaterializeResult[None]:
    """Build `index.faiss` for the planned release."""
    plan = current_plan(settings, embedder)
    path = build_index(settings.store, plan)
    return dg.MaterializeResult(
        data_version=dg.DataVersion(plan.release_id),
        metadata={
            **file_metadata(path, plan.works.num_rows),
            "release": plan.release_id,
            "index": INDEX_KIND,
            "dimension": plan.dimension,
        },
    )


@dg.asset(
    group_name="index",
    pool="release",
    deps=[artworks, artwork_images, image_embeddings],
    kinds={"duckdb"},
    description="The records of the next release as the read-only DuckDB file that serving opens.",
)
def metadata_db(
    settings: dg.ResourceParam[Settings], embedder: EmbedderResource
) -> dg.MaterializeResult[None]:
    """Build `artworks.duckdb` for the planned release."""
    plan = current_plan(settings, embedder)
    path = build_metadata(settings.store, plan)
    return dg.MaterializeResult(
        data_version=dg.DataVersion(plan.release_id),
        metadata={**file_metadata(path, plan.works.num_rows), "release": plan.release_id},
    )
