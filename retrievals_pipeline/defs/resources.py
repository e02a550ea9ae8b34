"""What the assets are given: the settings, the embedding model, and the shards.

All of it follows from `Settings`, so that the UI, a schedule and the command line agree.
"""

from typing import Any

import dagster as dg
from pydantic import PrivateAttr

from retrievals_pipeline.partitions import shard_keys
from retrievals_serving.models import Description, Embedder, describe_checkpoint, load_embedder
from retrievals_serving.settings import Settings

SHARDS = dg.StaticPartitionsDefinition(shard_keys(Settings.load().shards))

# One model load, and one set of connections, serve several shards of one run.
SHARDS_A_RUN = dg.BackfillPolicy.multi_run(max_partitions_per_run=16)


class EmbedderResource(dg.ConfigurableResource[Any]):
    """The embedding model of the build; loaded once a process, when a picture needs it."""

    checkpoint: str
    device: str
    dtype: str
    max_pixels: int | None

    _embedder: Embedder | None = PrivateAttr(default=None)

    def describe(self) -> Description:
        """Return the model's width and contracts, reading no weights into memory."""
        return describe_checkpoint(self.checkpoint, max_pixels=self.max_pixels)

    def load(self) -> Embedder:
        """Return the model, loading it on first use."""
        if self._embedder is None:
            self._embedder = load_embedder(
                self.checkpoint, device=self.device, dtype=self.dtype, max_pixels=self.max_pixels
            )
        return self._embedder


@dg.definitions
def resources() -> dg.Definitions:
    """Bind the resources to the settings of this process."""
    settings = Settings.load()
    return dg.Definitions(
        resources={
            "settings": settings,
            "embedder": EmbedderResource(
                checkpoint=settings.embedder,
                device=settings.device,
                dtype=settings.dtype,
                max_pixels=settings.max_pixels,
            ),
        }
    )
