"""The embedders of the Qwen3-VL family: Qwen/Qwen3-VL-Embedding-2B, -8B and what is built alike.

Held to the output of the models' own reference code by `tests/models/test_qwen3_vl_parity.py`.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from retrievals_serving.models import prompts
from retrievals_serving.models.checkpoints import Checkpoint
from retrievals_serving.models.contracts import Contract
from retrievals_serving.models.embedder import Description, Input, truncate
from retrievals_serving.models.qwen3_vl_body import Body, Prepared, model_parts, picture_parts

DOCUMENT_INSTRUCTION = "Represent the user's input."
QUERY_INSTRUCTION = "Retrieve images or text relevant to the user's query."
BATCH_TOKENS = 8192  # of one forward, with padding: ten pictures of 1024 by 768 px


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
    )


class Qwen3VLEmbedder:
    """An `Embedder` of the Qwen3-VL family."""

    def __init__(
        self, checkpoint: Checkpoint, *, device: str, dtype: str, max_pixels: int | None
    ) -> None:
        description = describe(checkpoint, max_pixels)
        self.dimension = description.dimension
        self.corpus_contract = description.corpus_contract
        self.query_contract = description.query_contract
        self._body = Body(checkpoint, device=device, dtype=dtype, max_pixels=max_pixels)
        self.device, self.dtype = self._body.device, self._body.dtype

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

    def embed_inputs(
        self, inputs: Sequence[Input], *, instruction: str | None = None
    ) -> np.ndarray:
        """Embed texts, pictures, and pictures with a text.

        All of them are held prepared at once, a picture as its fitted pixels (at most 5.5 MB under
        the default budget): give a long list in parts.

        Raises:
            PictureError: A picture cannot be read; names it.
        """
        prepared = [self.prepare(item, instruction) for item in inputs]
        states = np.empty((len(inputs), self.dimension), dtype=np.float32)
        for batch in batches([len(item.ids) for item in prepared]):
            states[batch] = self._body.last_states([prepared[index] for index in batch])
        return truncate(states, self.dimension)

    def prepare(self, item: Input, instruction: str | None = None) -> Prepared:
        """Do all that needs no model: decode and resize the picture, make the token ids."""
        clean = self._body.prompts.clean
        content: list[str | Image.Image] = []
        if item.image is not None:
            content.append(self._body.fit(item.image))
        if item.text:
            content.append(clean(item.text))
        system = prompts.punctuated(clean(instruction or "")) or DOCUMENT_INSTRUCTION
        return self._body.prepare(system, content or ["NULL"])


def batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Yield indices of inputs of like length, as many as `BATCH_TOKENS` allows, at least one."""
    batch: list[int] = []
    for index in sorted(range(len(lengths)), key=lengths.__getitem__):
        if batch and (len(batch) + 1) * lengths[index] > BATCH_TOKENS:
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch
