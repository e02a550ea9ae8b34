"""What the assets are given: the settings and the embedding model.

All of it follows from `Settings`, so that the UI, a schedule and the command line agree.
"""

import logging
from typing import Any

import dagster as dg
from pydantic import PrivateAttr

from retrievals_pipeline.gpus import claim_device
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

    _embedder: Embedder | None = PrivateAttr(default=None)

    def describe(self) -> Description:
        """Return the model's width and contracts, reading no weights into memory."""
        return describe_checkpoint(self.checkpoint, max_pixels=self.max_pixels)

    def load(self) -> Embedder:
        """Return the model, loading it on first use."""
        if self._embedder is None:
            self._embedder = load_embedder(
                self.checkpoint,
                device=claim_device() if self.device == "auto" else self.device,
                dtype=self.dtype,
                max_pixels=self.max_pixels,
                batch_tokens=self.batch_tokens,
            )
            logger.info(
                "embedding with %s on %s in %s",
                self.checkpoint,
                self._embedder.device,
                self._embedder.dtype,
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
                batch_tokens=settings.batch_tokens,
            ),
        }
    )
