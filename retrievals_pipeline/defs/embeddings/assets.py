"""Embeddings: a vector for every picture, and the golden vectors that judge a server's own."""

from functools import cache, partial
from typing import Any

import dagster as dg

from retrievals_pipeline.defs.embeddings.golden import golden_name, keep_golden, same_as_before
from retrievals_pipeline.defs.embeddings.shard import embed_shard
from retrievals_pipeline.defs.images.assets import artwork_images
from retrievals_pipeline.defs.images.works import read_works
from retrievals_pipeline.defs.metadata import column_schema, file_metadata
from retrievals_pipeline.defs.resources import EmbedderResource
from retrievals_pipeline.defs.shards import EMBEDDINGS_A_RUN, SHARDS, make_shards
from retrievals_pipeline.progress import track
from retrievals_serving.settings import Settings

COLUMNS = {"id": "string", "image_sha256": "string", "embedding": "float16[native dimension]"}


@dg.asset(
    group_name="embeddings",
    deps=[artwork_images],
    partitions_def=SHARDS,
    backfill_policy=EMBEDDINGS_A_RUN,
    pool="gpu",
    kinds={"pytorch", "huggingface", "parquet"},
    metadata=column_schema(COLUMNS),
    description="A vector for every picture, kept at the model's full width for each (picture, "
    "corpus contract): an edit of a title, or another search dimension, embeds nothing.",
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

        def make(shard: str) -> dict[str, Any]:
            summary = embed_shard(
                store,
                shard,
                works.get(shard, ()),
                corpus_contract=contract,
                load=load,
                advance=advance,
            )
            return {
                "dagster/row_count": summary.works - len(summary.failed),
                "embedded": summary.embedded,
                "reused": summary.reused,
                "failed": dg.MetadataValue.json(summary.failed),
                "corpus_contract": contract,
            }

        make_shards(context, make)


@dg.asset(
    group_name="embeddings",
    pool="gpu",
    kinds={"pytorch", "huggingface", "parquet"},
    description="The vectors of a few texts and pictures, made once for each pair of contracts. "
    "Every release carries them: a server embeds the same again before it answers, and refuses "
    "when its vectors differ.",
)
def golden_vectors(
    settings: dg.ResourceParam[Settings], embedder: EmbedderResource
) -> dg.MaterializeResult[None]:
    """Make the golden vectors of the model, unless they are there."""
    description = embedder.describe()
    golden = keep_golden(settings.store, description, embedder.load)
    name = golden_name(description)
    return dg.MaterializeResult(
        data_version=dg.DataVersion(name),
        metadata={
            **file_metadata(settings.store.path(name), len(golden.items)),
            **golden.made_on.model_dump(),
        },
    )
