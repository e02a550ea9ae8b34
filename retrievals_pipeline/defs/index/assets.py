"""Index: the vectors and the records of one planned release, row by row the same works."""

from collections.abc import Mapping
from pathlib import Path
from time import perf_counter
from typing import Any

import dagster as dg

from retrievals_pipeline.defs import plots
from retrievals_pipeline.defs.conditions import WITH_VECTORS
from retrievals_pipeline.defs.embeddings.assets import image_embeddings, text_embeddings
from retrievals_pipeline.defs.images.assets import artwork_images
from retrievals_pipeline.defs.index.collection_map import build_map
from retrievals_pipeline.defs.index.faiss_index import build_index, index_entry, nearest_cosines
from retrievals_pipeline.defs.index.metadata_db import build_metadata, classifications, columns_of
from retrievals_pipeline.defs.index.plan import ReleasePlan, plan_release
from retrievals_pipeline.defs.inline import WEBP, small_webp
from retrievals_pipeline.defs.map_picture import draw_map
from retrievals_pipeline.defs.metadata import (
    OWNERS,
    READS_THE_STORE,
    certificate,
    column_schema,
    counts,
    file_metadata,
    location,
    pace,
    picture,
    plot,
)
from retrievals_pipeline.defs.records.assets import artworks
from retrievals_pipeline.defs.resources import EmbedderResource
from retrievals_serving.collection_map import read_map
from retrievals_serving.release import Release
from retrievals_serving.settings import Settings
from retrievals_serving.store import Store
from retrievals_serving.vectors.faiss_index import FaissIndex

MAP_SIDE = 560  # px, of the picture in the UI


def current_plan(settings: Settings, embedder: EmbedderResource) -> ReleasePlan:
    """Return the plan of the release that the present artifacts make."""
    return plan_release(
        settings.store,
        shards=settings.shards,
        description=embedder.describe(),
        dimension=settings.dimension,
        index=settings.index,
    )


@dg.asset(
    group_name="index",
    pool="release",
    automation_condition=WITH_VECTORS,
    owners=OWNERS,
    tags=READS_THE_STORE,
    deps=[image_embeddings, text_embeddings],
    kinds={"faiss"},
    description="The vectors of the next release in one FAISS index, cut to the search dimension: "
    "row i is the vector of work i. Search is by inner product, exact where works are few; else by "
    "the quickest kind of index that was measured, for pictures and for texts, to find what exact "
    "search finds: see `certificate`. `fit` is how good answers are told from chance, `nearest` "
    "how alike works are: near 1 are copies and states of one print, and a heap at 1 is a fault.",
)
def faiss_index(
    settings: dg.ResourceParam[Settings], embedder: EmbedderResource
) -> dg.MaterializeResult[None]:
    """Build `index.faiss` for the planned release."""
    started = perf_counter()
    plan = current_plan(settings, embedder)
    path = build_index(settings.store, plan)
    entry = index_entry(settings.store, plan)
    index = FaissIndex(path, entry.search)
    alike = plots.histogram(nearest_cosines(index), "Cosine of a work and its nearest other")
    return _built(
        settings.store,
        plan,
        path,
        {
            **pace(started),
            "index": entry.kind,
            "dimension": plan.dimension,
            **certificate(entry.certificate),
            "fit": entry.fit.model_dump() if entry.fit else "not learned",
            "nearest": plot(alike, "cosines to the nearest work"),
        },
    )


@dg.asset(
    group_name="index",
    pool="release",
    automation_condition=WITH_VECTORS,
    owners=OWNERS,
    tags=READS_THE_STORE,
    deps=[artworks, artwork_images, image_embeddings],
    kinds={"duckdb"},
    description="The records of the next release, row i that of work i, with the hash and size of "
    "its picture: the read-only DuckDB file that filters are answered from, and the Arrow file of "
    "what is shown.",
)
def metadata_db(
    settings: dg.ResourceParam[Settings], embedder: EmbedderResource
) -> dg.MaterializeResult[None]:
    """Build `artworks.duckdb` and `records.arrow` for the planned release."""
    started = perf_counter()
    plan = current_plan(settings, embedder)
    path = build_metadata(settings.store, plan)
    return _built(
        settings.store,
        plan,
        path,
        {
            **column_schema(columns_of(path)),
            **pace(started),
            "classifications": counts(classifications(path), "classification"),
        },
    )


@dg.asset(
    group_name="index",
    pool="release",
    automation_condition=WITH_VECTORS,
    owners=OWNERS,
    tags=READS_THE_STORE,
    deps=[image_embeddings],
    kinds={"parquet"},
    description="The map of the next release: row i is the place of work i in two dimensions, by "
    "t-SNE, so that works that look alike lie together. It begins at the map being served: works "
    "that stay hardly move. `neighbours_kept` is the share of a work's 10 nearest that are still "
    "so in the map; each dot of the picture has the mean colour of its work.",
)
def collection_map(
    settings: dg.ResourceParam[Settings], embedder: EmbedderResource
) -> dg.MaterializeResult[None]:
    """Build `map.parquet` for the planned release."""
    started = perf_counter()
    plan = current_plan(settings, embedder)
    path = build_map(settings.store, plan)
    built = read_map(path)
    drawn = draw_map(built.places, plan.works["color"].to_pylist(), side=MAP_SIDE)
    return _built(
        settings.store,
        plan,
        path,
        {
            **pace(started),
            **{name: round(figure, 4) for name, figure in built.figures.items()},
            "map": picture(small_webp(drawn), WEBP, "the map of the collection"),
        },
    )


def _built(
    store: Store, plan: ReleasePlan, path: Path, shown: Mapping[str, Any]
) -> dg.MaterializeResult[None]:
    """Return what Dagster is told of the file at `path`: its address is that of when it is sealed.

    `shown` is what the UI shows of it besides.
    """
    return dg.MaterializeResult(
        data_version=dg.DataVersion(plan.release_id),
        metadata={
            **file_metadata(path, plan.works.num_rows),
            **location(Release(store, plan.release_id).path(path.name)),
            "release": plan.release_id,
            **shown,
        },
    )
