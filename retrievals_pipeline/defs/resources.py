"""What the assets are given: the settings and the embedding model.

All of it follows from `Settings`, so that the UI, a schedule and the command line agree.
"""

from typing import Any

import dagster as dg
from pydantic import PrivateAttr

from retrievals_serving.models import Description, Embedder, describe_checkpoint, load_embedder
from retrievals_serving.settings import Settings


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
