"""The checks of `image_embeddings`. They look at every shard, in whichever run they are made."""

from collections.abc import Iterator

import dagster as dg

from retrievals_pipeline.defs.conditions import WITH_THE_INDEX
from retrievals_pipeline.defs.embeddings.assets import image_embeddings
from retrievals_pipeline.defs.embeddings.verdicts import verdicts_on
from retrievals_pipeline.defs.embeddings.verification import check_variety, check_vectors
from retrievals_pipeline.defs.metadata import check_result, explanation
from retrievals_pipeline.defs.resources import EmbedderResource
from retrievals_pipeline.partitions import shard_keys
from retrievals_serving.settings import Settings


@dg.multi_asset_check(
    specs=[
        dg.AssetCheckSpec(
            "vectors_are_sound",
            asset=image_embeddings,
            blocking=True,
            automation_condition=WITH_THE_INDEX,
            description=explanation(check_vectors),
        ),
        dg.AssetCheckSpec(
            "vectors_differ",
            asset=image_embeddings,
            blocking=True,
            automation_condition=WITH_THE_INDEX,
            description=explanation(check_variety),
        ),
    ]
)
def embeddings_checks(
    settings: dg.ResourceParam[Settings], embedder: EmbedderResource
) -> Iterator[dg.AssetCheckResult]:
    """Read the stored vectors once for both checks, unless they are those that passed."""
    description = embedder.describe()
    contract = description.corpus_contract.digest
    verdicts = verdicts_on(settings.store, shard_keys(settings.shards), description)
    for name, verdict in verdicts.items():
        yield check_result(verdict, name=name, corpus_contract=contract)
