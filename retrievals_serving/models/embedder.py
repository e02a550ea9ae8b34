"""What every embedder offers, whatever its family, and what is done with its vectors."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
from PIL import Image

from retrievals_serving.errors import PictureError, SettingsError
from retrievals_serving.models.contracts import Contract


@dataclass(frozen=True, slots=True)
class Input:
    """One thing to embed: a text, a picture, or a picture together with a text."""

    text: str | None = None
    image: Image.Image | Path | None = None


@dataclass(frozen=True)
class Description:
    """What is known of a checkpoint without loading its weights."""

    checkpoint: str
    """Its name; a hub id carries the commit it resolved to, as `org/name@1a2b…`."""
    dimension: int
    """Native width of its vectors."""
    corpus_contract: Contract
    query_contract: Contract
    is_matryoshka: bool
    """The model was trained so that a beginning of a vector is a vector: see `truncate`."""


@dataclass(frozen=True)
class Embedded:
    """What became of some of the pictures of `Embedder.embed_stream`, by their places in it."""

    places: list[int] = field(default_factory=list)
    """Those that were embedded."""
    embeddings: np.ndarray = field(default_factory=lambda: np.empty((0, 0), np.float32))
    """Their vectors in this order: float32, shape (len(places), dimension), unit rows."""
    failed: Mapping[int, PictureError] = field(default_factory=dict)
    """Those that cannot be read."""


class Embedder(Protocol):
    """Turns texts and pictures into vectors that can be compared by their inner product.

    Each method returns float32 rows of length 1, shape (n, dimension), in the order of the inputs.
    A vector does not depend on what else is in the call. Safe to call from several threads.

    Queries of a search go through `embed_queries`, which knows what the model wants to be told of
    them, and what is searched through the other methods. An `instruction` is for the whole call,
    and for families that were trained with one; None is the family's own for documents. A family
    without instructions raises ModelError for any other.

    `dimension` is the native width; `device` and `dtype` are what `auto` came to.
    """

    dimension: int
    device: str
    dtype: str
    corpus_contract: Contract
    query_contract: Contract

    def embed_queries(self, queries: Sequence[Input]) -> np.ndarray:
        """Embed what is searched for, with the family's own instruction for it where it has one.

        Raises:
            InputRefused: A query has both a text and a picture, and the family takes one of them.
            PictureError: A picture cannot be read; names it.
        """
        ...

    def embed_inputs(
        self, inputs: Sequence[Input], *, instruction: str | None = None
    ) -> np.ndarray:
        """Embed texts, pictures, and pictures with a text.

        Raises:
            InputRefused: An input has both, and the family takes one of them.
            PictureError: A picture cannot be read; names it.
        """
        ...

    def embed_texts(self, texts: list[str], *, instruction: str | None = None) -> np.ndarray:
        """Embed each text."""
        ...

    def embed_images(
        self, images: Sequence[Image.Image | Path], *, instruction: str | None = None
    ) -> np.ndarray:
        """Embed each picture.

        Raises:
            PictureError: A picture cannot be read; names it.
        """
        ...

    def embed_stream(
        self, images: Sequence[Image.Image | Path], *, instruction: str | None = None
    ) -> Iterator[Embedded]:
        """Embed any number of pictures, batch by batch as they are ready, in no order.

        One that cannot be read fails alone. Pictures are decoded ahead of the model, and memory is
        bounded, however many there are.
        """
        ...


def collect(stream: Iterator[Embedded], count: int, dimension: int) -> np.ndarray:
    """Return the vectors of a stream of `count` inputs in their order: float32, unit rows.

    Raises:
        PictureError: One of them cannot be read; the first that was met.
    """
    embeddings = np.empty((count, dimension), dtype=np.float32)
    for embedded in stream:
        for error in embedded.failed.values():
            raise error
        embeddings[embedded.places] = embedded.embeddings
    return embeddings


def truncate(embeddings: np.ndarray, dimension: int) -> np.ndarray:
    """Cut vectors to their first `dimension` numbers and bring them back to length 1 (Matryoshka).

    Args:
        embeddings: Shape (n, native dimension), of any float type.
        dimension: How many numbers of each row to keep.

    Returns:
        float32, shape (n, dimension).

    Raises:
        SettingsError: `dimension` is not between 1 and the native dimension.
    """
    native = embeddings.shape[1]
    if not 1 <= dimension <= native:
        raise SettingsError(
            f"vectors of dimension {dimension} cannot be cut from vectors of dimension {native}: "
            f"set RETRIEVALS_DIMENSION to a number from 1 to {native}."
        )
    head: np.ndarray = embeddings[:, :dimension].astype(np.float32)
    head /= np.maximum(np.linalg.norm(head, axis=1, keepdims=True), np.finfo(np.float32).tiny)
    return head
