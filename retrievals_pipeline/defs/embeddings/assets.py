"""Embeddings: a vector for every picture, and those of texts that judge an index or a server."""

from functools import cache, partial
from time import perf_counter

import dagster as dg

from retrievals_pipeline.defs.conditions import FOLLOWS_SHARDS, WITH_VECTORS
from retrievals_pipeline.defs.embeddings.golden import golden_name, keep_golden, same_as_before
from retrievals_pipeline.defs.embeddings.shard import ShardSummary, embed_shard
from retrievals_pipeline.defs.embeddings.texts import keep_texts, texts_name
from retrievals_pipeline.defs.embeddings.vectors import VectorShard
from retrievals_pipeline.defs.images.assets import artwork_images
from retrievals_pipeline.defs.images.works import read_works
from retrievals_pipeline.defs.metadata import (
    OWNERS,
    RUNS_THE_MODEL,
    column_schema,
    file_metadata,
    location,
    pace,
)
from retrievals_pipeline.defs.records.assets import artworks
from retrievals_pipeline.defs.resources import EmbedderResource
from retrievals_pipeline.defs.shards import EMBEDDINGS_A_RUN, SHARDS, make_shards
from retrievals_pipeline.progress import track
from retrievals_serving.settings import Settings
from retrievals_serving.store import file_sha256

TEXT_COLUMNS = {
    "text": "string",
    "of_collection": "bool",
    "embedding": "float16[native dimension]",
}
COLUMNS = {"id": "string", "image_sha256": "string", "embedding": "float16[native dimension]"}


@dg.asset(
    group_name="embeddings",
    deps=[artwork_images],
    partitions_def=SHARDS,
    backfill_policy=EMBEDDINGS_A_RUN,
    pool="gpu",
    automation_condition=FOLLOWS_SHARDS,
    owners=OWNERS,
    tags=RUNS_THE_MODEL,
    kinds={"pytorch", "huggingface", "parquet"},
    metadata=column_schema(COLUMNS),
    description="A vector for every picture: pictures that show alike things have vectors that "
    "point the same way. Each is kept for the picture and the model (its corpus contract) at the "
    "model's full width, so that an edit of a title, or another search dimension, embeds nothing. "
    "`failed` names the works whose picture has none, and why.",
)
def image_embeddings(
    context: dg.AssetExecutionContext,
    settings: dg.ResourceParam[Settings],
    embedder: EmbedderResource,
) -> None:
    """Embed the pictures of the shards of this run that have no vector yet."""
    store = settings.store
    description = embedder.describe()
    contract = description.corpus_contract.digest
    load = cache(partial(same_as_before, store, description, embedder.load))
    works = read_works(store, settings.shards)
    total = sum(len(works.get(shard, ())) for shard in context.partition_keys)
    with track("embeddings", total) as advance:

        def make(shard: str) -> dict[str, dg.MetadataValue]:
            started = perf_counter()
            summary = embed_shard(
                store,
                shard,
                works.get(shard, ()),
                corpus_contract=contract,
                load=load,
                advance=advance,
            )
            return {
                **_shown(VectorShard(store, contract, shard), summary),
                **pace(started, summary.embedded),
                "corpus_contract": dg.MetadataValue.text(contract),
            }

        make_shards(context, context.partition_keys, make)


def _shown(vectors: VectorShard, summary: ShardSummary) -> dict[str, dg.MetadataValue]:
    """Return what the UI shows of a shard."""
    paths = [vectors.store.path(part) for part in vectors.parts()]
    failed = [dg.TableRecord({"id": id_, "why": why}) for id_, why in summary.failed.items()]
    return {
        "dagster/row_count": dg.MetadataValue.int(summary.works - len(summary.failed)),
        **location(vectors.store.path(vectors.folder)),
        "bytes": dg.MetadataValue.int(sum(path.stat().st_size for path in paths)),
        "embedded": dg.MetadataValue.int(summary.embedded),
        "reused": dg.MetadataValue.int(summary.reused),
        "failed": dg.MetadataValue.table(
            failed, schema=dg.TableSchema([dg.TableColumn("id"), dg.TableColumn("why")])
        ),
    }


@dg.asset(
    group_name="embeddings",
    pool="gpu",
    automation_condition=WITH_VECTORS,
    owners=OWNERS,
    tags=RUNS_THE_MODEL,
    kinds={"pytorch", "huggingface", "parquet"},
    description="The vectors of a few texts and pictures, made once for each model (its pair of "
    "contracts). Every release carries them: a server embeds the same again before it answers, and "
    "refuses when its vectors differ, as on another device or with a broken library.",
)
def golden_vectors(
    settings: dg.ResourceParam[Settings], embedder: EmbedderResource
) -> dg.MaterializeResult[None]:
    """Make the golden vectors of the model, unless they are there."""
    started = perf_counter()
    description = embedder.describe()
    golden = keep_golden(settings.store, description, embedder.load)
    name = golden_name(description)
    return dg.MaterializeResult(
        data_version=dg.DataVersion(name),
        metadata={
            **file_metadata(settings.store.path(name), len(golden.items)),
            **pace(started),
            **golden.made_on.model_dump(),
        },
    )


@dg.asset(
    group_name="embeddings",
    deps=[artworks],
    pool="gpu",
    automation_condition=WITH_VECTORS,
    owners=OWNERS,
    tags=RUNS_THE_MODEL,
    kinds={"pytorch", "huggingface", "parquet"},
    metadata=column_schema(TEXT_COLUMNS),
    description="The vectors of titles, descriptions and terms of some works, and of texts about "
    "what no museum shows, embedded as queries are. What the index finds for them is part of its "
    "certificate, and tells good answers from chance. Each is kept for the text and the model: an "
    "edit of a title embeds that title.",
)
def text_embeddings(
    settings: dg.ResourceParam[Settings], embedder: EmbedderResource
) -> dg.MaterializeResult[None]:
    """Embed the texts that have no vector yet."""
    started = perf_counter()
    store, description = settings.store, embedder.describe()
    texts, embedded = keep_texts(store, description, embedder.load)
    path = store.path(texts_name(description))
    return dg.MaterializeResult(
        data_version=dg.DataVersion(file_sha256(path)),
        metadata={
            **file_metadata(path, texts),
            **pace(started),
            "embedded": embedded,
        },
    )
