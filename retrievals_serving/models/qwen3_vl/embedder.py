"""The embedders of the Qwen3-VL family: Qwen/Qwen3-VL-Embedding-2B, -8B and what is built alike.

Held to the output of the models' own reference code by `tests/models/test_qwen3_vl_parity.py`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from retrievals_serving.models import batches
from retrievals_serving.models.batches import Budget
from retrievals_serving.models.checkpoints import Checkpoint
from retrievals_serving.models.contracts import Contract
from retrievals_serving.models.embedder import (
    Description,
    Embedded,
    Input,
    collect,
    truncate,
)
from retrievals_serving.models.qwen3_vl import prompts
from retrievals_serving.models.qwen3_vl.body import Body
from retrievals_serving.models.qwen3_vl.contract import model_parts, picture_parts
from retrievals_serving.models.qwen3_vl.pixels import (
    MAX_PIXELS,
    Grid,
    fitted_grid,
    grid_of,
    read_pixels,
)
from retrievals_serving.models.qwen3_vl.prompts import Prompt

DOCUMENT_INSTRUCTION = "Represent the user's input."
QUERY_INSTRUCTION = "Retrieve images or text relevant to the user's query."


def describe(checkpoint: Checkpoint, max_pixels: int | None) -> Description:
    """Read a checkpoint's files and say what its vectors depend on, without loading the weights.

    Raises:
        ModelError: A file is missing, pictures are prepared otherwise than here, or `max_pixels` is
            outside what the family takes.
    """
    corpus = {"instruction": DOCUMENT_INSTRUCTION} | picture_parts(checkpoint, max_pixels)
    query = {"instruction": QUERY_INSTRUCTION, "texts": prompts.PREPARATION}
    model = model_parts(checkpoint)
    return Description(
        checkpoint=checkpoint.name,
        dimension=int(checkpoint.config["text_config"]["hidden_size"]),
        corpus_contract=Contract(model | corpus),
        query_contract=Contract(model | query),
        is_matryoshka=True,
    )


@dataclass(frozen=True)
class Prepared:
    """An input, ready for the model."""

    prompt: Prompt
    pixels: np.ndarray | None  # uint8, (height, width, 3)


class Qwen3VLEmbedder:
    """An `Embedder` of the Qwen3-VL family."""

    def __init__(
        self,
        checkpoint: Checkpoint,
        *,
        device: str,
        dtype: str,
        max_pixels: int | None,
        batch_tokens: int | None,
    ) -> None:
        description = describe(checkpoint, max_pixels)
        self.dimension = description.dimension
        self.corpus_contract = description.corpus_contract
        self.query_contract = description.query_contract
        self._max_pixels = max_pixels or MAX_PIXELS
        self._body = Body(checkpoint, device=device, dtype=dtype)
        self._body.prompts.require_appended_token()
        self.device, self.dtype = self._body.device, self._body.dtype
        self._budget = Budget(batch_tokens or batches.default_tokens(self.device))

    def embed_queries(self, queries: Sequence[Input]) -> np.ndarray:
        """Embed each query, under the instruction for queries.

        Raises:
            PictureError: A picture cannot be read; names it.
        """
        return self.embed_inputs(queries, instruction=QUERY_INSTRUCTION)

    def embed_texts(self, texts: list[str], *, instruction: str | None = None) -> np.ndarray:
        """Embed each text; an empty one as the text `NULL`."""
        return self.embed_inputs([Input(text=text) for text in texts], instruction=instruction)

    def embed_images(
        self, images: Sequence[Image.Image | Path], *, instruction: str | None = None
    ) -> np.ndarray:
        """Embed each picture.

        Raises:
            PictureError: A picture cannot be read; names it.
        """
        return self.embed_inputs([Input(image=image) for image in images], instruction=instruction)

    def embed_stream(
        self, images: Sequence[Image.Image | Path], *, instruction: str | None = None
    ) -> Iterator[Embedded]:
        """Embed any number of pictures, batch by batch as they are ready, in no order."""
        return self._embed([Input(image=image) for image in images], instruction)

    def embed_inputs(
        self, inputs: Sequence[Input], *, instruction: str | None = None
    ) -> np.ndarray:
        """Embed texts, pictures, and pictures with a text.

        Raises:
            PictureError: A picture cannot be read; names it.
        """
        return collect(self._embed(inputs, instruction), len(inputs), self.dimension)

    def prompt(self, item: Input, instruction: str | None = None) -> Prompt:
        """Return the prompt of an input; of its picture, only the header is read.

        Raises:
            PictureError: The picture cannot be read; names it.
        """
        grid = None if item.image is None else fitted_grid(item.image, self._max_pixels)
        return self._encode(grid, item.text, instruction)

    def _encode(self, grid: Grid | None, text: str | None, instruction: str | None) -> Prompt:
        clean = self._body.prompts.clean
        content = [part for part in (grid, clean(text or "")) if part]
        system = prompts.punctuated(clean(instruction or "")) or DOCUMENT_INSTRUCTION
        return self._body.prompts.encode(system, *(content or ["NULL"]))

    def _embed(self, inputs: Sequence[Input], instruction: str | None) -> Iterator[Embedded]:
        def prepare(item: Input) -> Prepared:
            if item.image is None:
                return Prepared(self.prompt(item, instruction), None)
            pixels = read_pixels(item.image, self._max_pixels)
            return Prepared(self._encode(grid_of(pixels), item.text, instruction), pixels)

        return batches.embed(
            inputs,
            length=lambda item: len(self.prompt(item, instruction)),
            prepare=prepare,
            forward=self._forward,
            budget=self._budget,
            in_place=all(item.image is None for item in inputs),
        )

    def _forward(self, batch: Sequence[Prepared]) -> np.ndarray:
        pictures = [item.pixels for item in batch if item.pixels is not None]
        with self._body.holding_device("embed"):
            features = self._body.features(pictures)
            states = self._body.last_states([item.prompt for item in batch], features)
            return truncate(self._body.numbers(states), self.dimension)
