"""The rerankers of the Qwen3-VL family: Qwen/Qwen3-VL-Reranker-2B, -8B and what is built alike.

The model is asked whether a picture answers a query; the score is how much more it would say "yes"
than "no". Held to the output of the models' own reference code by `tests/models/test_reranker.py`.
"""

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from retrievals_serving.errors import ModelError, PictureError
from retrievals_serving.models.batches import Budget, ahead, default_tokens, halving
from retrievals_serving.models.checkpoints import Checkpoint
from retrievals_serving.models.contracts import Contract
from retrievals_serving.models.embedder import Input
from retrievals_serving.models.pictures import Source
from retrievals_serving.models.qwen3_vl import prompts
from retrievals_serving.models.qwen3_vl.body import Body
from retrievals_serving.models.qwen3_vl.contract import model_parts, picture_parts
from retrievals_serving.models.qwen3_vl.features import FeatureStore, picture_key
from retrievals_serving.models.qwen3_vl.pixels import MAX_PIXELS, Grid, grid_of, read_pixels
from retrievals_serving.models.qwen3_vl.prompts import Prompt

if TYPE_CHECKING:
    from torch import Tensor

    from retrievals_serving.models.qwen3_vl.network.language import Attended

logger = logging.getLogger(__name__)

SYSTEM = (
    "Judge whether the Document meets the requirements based on the Query and the Instruct "
    'provided. Note that the answer can only be "yes" or "no".'
)
INSTRUCTION = "Given a search query, retrieve relevant candidates that answer the query."
OUTPUT_LAYER = "lm_head.weight"
# Five hundred pictures of 256 visual tokens for the 2B in bfloat16, 4 MB each.
PICTURE_MEMORY = 2 * 2**30  # bytes


@dataclass(frozen=True)
class Candidate:
    """A picture to be judged: its pixels, or its features where they are known."""

    key: str
    grid: Grid
    pixels: np.ndarray | None
    features: "Tensor | None"


class Question:
    """What all prompts of one search begin with, and how they go on."""

    def __init__(self, body: Body, content: Sequence[str | np.ndarray]) -> None:
        self._body = body
        self._content = [
            grid_of(each) if isinstance(each, np.ndarray) else each for each in content
        ]
        self._pictures = [each for each in content if isinstance(each, np.ndarray)]
        self._prefix: list[Attended] = []

    def prompt(self, grid: Grid) -> Prompt:
        """Return the whole prompt of a candidate."""
        return self._body.prompts.encode(SYSTEM, *self._content, grid)

    @property
    def before(self) -> int:
        """How many tokens stand before a candidate; they are the same for all."""
        return int(np.flatnonzero(self.prompt(Grid(1, 1)).is_visual)[-1])

    def ending(self, grid: Grid) -> Prompt:
        """Return the prompt from its candidate on."""
        return self.prompt(grid)[self.before :]

    def prefix(self) -> "list[Attended]":
        """Return what every ending attends to before it; computed once. Within `holding_device`."""
        if not self._prefix:
            beginning = self.prompt(Grid(1, 1))[: self.before]
            self._prefix = self._body.prefix(beginning, self._body.features(self._pictures))
        return self._prefix


class Qwen3VLReranker:
    """A `Reranker` of the Qwen3-VL family."""

    def __init__(
        self,
        checkpoint: Checkpoint,
        *,
        device: str,
        dtype: str,
        max_pixels: int | None,
        batch_tokens: int | None,
    ) -> None:
        query = {"instruction": INSTRUCTION, "texts": prompts.PREPARATION}
        self.contract = Contract(
            model_parts(checkpoint) | picture_parts(checkpoint, max_pixels) | query
        )
        self._max_pixels = max_pixels or MAX_PIXELS
        self._body = Body(checkpoint, device=device, dtype=dtype)
        self.device, self.dtype = self._body.device, self._body.dtype
        self._budget = Budget(batch_tokens or default_tokens(self.device))
        self._head = yes_minus_no(checkpoint, self._body)
        self._known = FeatureStore(PICTURE_MEMORY)

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

        def forward(batch: Sequence[tuple[Candidate, Prompt]]) -> np.ndarray:
            with self._body.holding_device("rerank", unless=ended) as is_wanted:
                if not is_wanted:  # it ended while other searches had the device
                    return np.full((len(batch), len(self._head)), np.nan, dtype=np.float32)
                features = self._features([candidate for candidate, _ in batch])
                endings = [ending for _, ending in batch]
                states = self._body.last_states(endings, features, question.prefix())
                return self._body.numbers(states)

        scores = np.full(len(images), np.nan, dtype=np.float32)
        question = self._question(query, instruction)
        pairs = self._pairs(question, images, ended, until=deadline)
        for batch in micro_batches(pairs, self._budget, before=question.before):
            if ended():
                break
            longest = question.before + max(len(ending) for _, ending in batch.values())
            states = halving(forward, list(batch.values()), longest, self._budget)
            # In half precision the best candidates would tie, logits being multiples of 1/16.
            logits = (states @ self._head).astype(np.float64)
            scores[list(batch)] = 1 / (1 + np.exp(-logits))
        return scores

    def _question(self, query: str | Image.Image | Input, instruction: str | None) -> Question:
        if isinstance(query, str):
            query = Input(text=query)
        elif isinstance(query, Image.Image):
            query = Input(image=query)
        clean = self._body.prompts.clean
        asked: list[str | np.ndarray] = []
        if query.image is not None:
            asked.append(read_pixels(query.image, self._max_pixels))
        if query.text:
            asked.append(clean(query.text))
        instruct = clean(instruction or "").strip() or INSTRUCTION
        return Question(self._body, content_of(instruct, asked))

    def _pairs(
        self,
        question: Question,
        images: Sequence[Source],
        ended: Callable[[], bool],
        *,
        until: float | None = None,
    ) -> Iterator[tuple[int, tuple[Candidate, Prompt]]]:
        """Yield each picture that can be read with what is to be asked of it, by its place.

        It waits for none of them beyond `until`, on the clock `time.monotonic`, s.
        """
        for place, candidate in enumerate(ahead(self._candidate, images, until=until)):
            if ended():
                return
            if isinstance(candidate, PictureError):
                logger.warning("candidate %d has no score: %s", place, candidate)
            else:
                yield place, (candidate, question.ending(candidate.grid))

    def _candidate(self, image: Source) -> Candidate:
        key = picture_key(image)
        if (known := self._known.get(key)) is not None:
            return Candidate(key, known.grid, None, known.features)
        pixels = read_pixels(image, self._max_pixels)
        return Candidate(key, grid_of(pixels), pixels, None)

    def _features(self, candidates: Sequence[Candidate]) -> "list[Tensor]":
        """Return what the language model sees of each, running the tower for those not known."""
        unseen = [each.pixels for each in candidates if each.pixels is not None]
        made = iter(self._body.features(unseen))
        features = []
        for candidate in candidates:
            if candidate.features is None:
                features.append(next(made))
                self._known.put(candidate.key, candidate.grid, features[-1])
            else:
                features.append(candidate.features)
        return features


def content_of(instruction: str, asked: Sequence[str | np.ndarray]) -> list[str | np.ndarray]:
    """Return what stands before a candidate in the user's message.

    Args:
        instruction: What to judge by.
        asked: The query: its picture and its text, as far as it has them.
    """
    return [f"<Instruct>: {instruction}", "<Query>:", *(asked or ["NULL"]), "\n<Document>:"]


def micro_batches(
    pairs: Iterable[tuple[int, tuple[Candidate, Prompt]]], budget: Budget, *, before: int
) -> Iterator[dict[int, tuple[Candidate, Prompt]]]:
    """Yield neighbours, by their places, as many as the budget now allows, at least one.

    `before` is how many tokens stand before each candidate.
    """
    batch: dict[int, tuple[Candidate, Prompt]] = {}
    longest = 0
    for place, (candidate, ending) in pairs:
        length = before + len(ending)
        longest = max(longest, length)
        if batch and (len(batch) + 1) * longest > budget.tokens:
            yield batch
            batch, longest = {}, length
        batch[place] = candidate, ending
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
        rows = (
            body.network.language_model.embed_tokens.weight.detach()[[yes, no]]
            .float()
            .cpu()
            .numpy()
        )
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
