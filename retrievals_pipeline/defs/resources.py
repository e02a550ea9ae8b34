"""What the assets are given: the settings and the embedding model.

All of it follows from `Settings`, so that the UI, a schedule and the command line agree.
"""

import logging
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import dagster as dg

from retrievals_pipeline.gpus import claim_device
from retrievals_pipeline.locks import stage_at_work
from retrievals_serving.models import Description, Embedder, describe_checkpoint, load_embedder
from retrievals_serving.settings import Settings

logger = logging.getLogger(__name__)


class EmbedderResource(dg.ConfigurableResource[Any]):
    """The embedding model of the build; loaded once a process, when a picture needs it.

    Of several GPUs each process takes one: with the pool `gpu` as large as they are many, runs
    over different shards use them all.
    """

    checkpoint: str
    device: str
    dtype: str
    max_pixels: int | None
    batch_tokens: int | None

    def describe(self) -> Description:
        """Return the model's width and contracts, reading no weights into memory."""
        return describe_checkpoint(self.checkpoint, max_pixels=self.max_pixels)

    def load(self) -> Embedder:
        """Return the model; the jobs of one process share it."""
        return loaded_embedder(
            self.describe().corpus_contract.digest,
            self.checkpoint,
            self.device,
            self.dtype,
            self.max_pixels,
            self.batch_tokens,
        )


@lru_cache(maxsize=1)
def loaded_embedder(
    contract: str,  # so that weights which changed under their name are loaded anew
    checkpoint: str,
    device: str,
    dtype: str,
    max_pixels: int | None,
    batch_tokens: int | None,
) -> Embedder:
    """Load an embedding model onto the device of this process."""
    embedder = load_embedder(
        checkpoint,
        device=claim_device() if device == "auto" else device,
        dtype=dtype,
        max_pixels=max_pixels,
        batch_tokens=batch_tokens,
    )
    logger.info(
        "embedding with %s (%s) on %s in %s", checkpoint, contract, embedder.device, embedder.dtype
    )
    return embedder


@dg.definitions
def resources() -> dg.Definitions:
    """Bind the resources to the settings of this process."""
    settings = Settings.load()

    @dg.resource(description="The settings; who has them is at work in the home.")
    def settings_at_work() -> Iterator[Settings]:
        with stage_at_work(settings.store):
            yield settings

    return dg.Definitions(
        resources={
            "settings": settings_at_work,
            "embedder": EmbedderResource(
                checkpoint=settings.embedder,
                device=settings.device,
                dtype=settings.dtype,
                max_pixels=settings.max_pixels,
                batch_tokens=settings.batch_tokens,
            ),
        }
    )
