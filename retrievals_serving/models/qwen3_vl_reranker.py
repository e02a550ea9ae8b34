"""The rerankers of the Qwen3-VL family: Qwen/Qwen3-VL-Reranker-2B, -8B and what is built alike.

The model is asked whether a picture answers a query; the score is how much more it would say "yes"
than "no". Held to the output of the models' own reference code by `tests/models/test_reranker.py`.
"""

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from retrievals_serving.errors import ModelError, PictureError
from retrievals_serving.models import prompts
from retrievals_serving.models.checkpoints import Checkpoint
from retrievals_serving.models.contracts import Contract
from retrievals_serving.models.embedder import Input
from retrievals_serving.models.qwen3_vl_body import Body, Prepared, model_parts, picture_parts

logger = logging.getLogger(__name__)

SYSTEM = (
    "Judge whether the Document meets the requirements based on the Query and the Instruct "
    'provided. Note that the answer can only be "yes" or "no".'
)
INSTRUCTION = "Given a search query, retrieve relevant candidates that answer the query."
# Of one forward, with padding: enough to fill a large GPU, short enough to be cancelled between.
BATCH_TOKENS = 4096
OUTPUT_LAYER = "lm_head.weight"


class Qwen3VLReranker:
    """A `Reranker` of the Qwen3-VL family."""

    def __init__(
        self, checkpoint: Checkpoint, *, device: str, dtype: str, max_pixels: int | None
    ) -> None:
        query = {"instruction": INSTRUCTION, "texts": prompts.PREPARATION}
        self.contract = Contract(
            model_parts(checkpoint) | picture_parts(checkpoint, max_pixels) | query
        )
        self._body = Body(checkpoint, device=device, dtype=dtype, max_pixels=max_pixels)
        self.device, self.dtype = self._body.device, self._body.dtype
        self._head = yes_minus_no(checkpoint, self._body)

    def score(
        self,
        query: str | Image.Image | Input,
        images: Sequence[Image.Image | Path],
        *,
        instruction: str | None = None,
        deadline: float | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> np.ndarray:
        """Score each picture for one query, in their order: float32 from 0 to 1, NaN where not.

        Raises:
            PictureError: The query's picture cannot be read; names it.
        """

        def ended() -> bool:
            return (cancelled is not None and cancelled()) or (
                deadline is not None and time.monotonic() >= deadline
            )

        scores = np.full(len(images), np.nan, dtype=np.float32)
        question = self._question(query, instruction)
        for batch in batches(self._pairs(question, images, ended)):
            if ended():
                break
            states = self._body.last_states(list(batch.values()))
            # In half precision the best candidates would tie, logits being multiples of 1/16.
            logits = (states @ self._head).astype(np.float64)
            scores[list(batch)] = 1 / (1 + np.exp(-logits))
        return scores

    def _question(
        self, query: str | Image.Image | Input, instruction: str | None
    ) -> list[str | Image.Image]:
        """Return what stands before the candidate in every prompt of one search."""
        if isinstance(query, str):
            query = Input(text=query)
        elif isinstance(query, Image.Image):
            query = Input(image=query)
        clean = self._body.prompts.clean
        asked: list[str | Image.Image] = []
        if query.image is not None:
            asked.append(self._body.fit(query.image))
        if query.text:
            asked.append(clean(query.text))
        instruct = clean(instruction or "").strip() or INSTRUCTION
        return [f"<Instruct>: {instruct}", "<Query>:", *(asked or ["NULL"]), "\n<Document>:"]

    def _pairs(
        self,
        question: list[str | Image.Image],
        images: Sequence[Image.Image | Path],
        ended: Callable[[], bool],
    ) -> Iterator[tuple[int, Prepared]]:
        """Yield the prompt of each picture that can be read, with its place, until the end."""
        for index, image in enumerate(images):
            if ended():
                return
            try:
                picture = self._body.fit(image)
            except PictureError as error:
                logger.warning("candidate %d has no score: %s", index, error)
                continue
            yield index, self._body.prepare(SYSTEM, [*question, picture])


def batches(pairs: Iterable[tuple[int, Prepared]]) -> Iterator[dict[int, Prepared]]:
    """Yield neighbours, by their places, as many as `BATCH_TOKENS` allows, at least one."""
    batch: dict[int, Prepared] = {}
    longest = 0
    for index, pair in pairs:
        longest = max(longest, len(pair.ids))
        if batch and (len(batch) + 1) * longest > BATCH_TOKENS:
            yield batch
            batch, longest = {}, len(pair.ids)
        batch[index] = pair
    if batch:
        yield batch


def yes_minus_no(checkpoint: Checkpoint, body: Body) -> np.ndarray:
    """Return the row of "yes" less that of "no" of the output layer: float32, shape (width,).

    The layer is the input embedding where the config ties them, else it is read from the file; the
    rest of it, a row for each token of the vocabulary, is never loaded.

    Raises:
        ModelError: The checkpoint has no such layer, or no such tokens.
    """
    from safetensors import safe_open

    yes, no = body.prompts.token_id("yes"), body.prompts.token_id("no")
    if checkpoint.config.get("tie_word_embeddings", False):
        rows = body.model.get_input_embeddings().weight.detach()[[yes, no]].float().cpu().numpy()
        return np.asarray(rows[0] - rows[1])
    for file in checkpoint.weight_files:
        with safe_open(file, framework="pt") as tensors:
            if OUTPUT_LAYER in tensors.keys():  # noqa: SIM118 - it is no mapping
                layer = tensors.get_slice(OUTPUT_LAYER)
                row = layer[yes : yes + 1].float() - layer[no : no + 1].float()
                return np.asarray(row[0].numpy())
    raise ModelError(
        f"checkpoint {checkpoint.name} has no {OUTPUT_LAYER} and does not tie it to the input "
        "embedding: choose a reranker, as Qwen/Qwen3-VL-Reranker-2B."
    )
