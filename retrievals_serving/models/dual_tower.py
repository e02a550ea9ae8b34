"""Embedders of two towers, one for texts and one for pictures, that meet in one space.

What the families share is here. A family is a function that reads from a checkpoint's files how its
towers are fed: `siglip` is the shortest example, `docs/models.md` says how to add one.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from retrievals_serving.errors import InputRefused, ModelError
from retrievals_serving.models import batches
from retrievals_serving.models.batches import Budget
from retrievals_serving.models.checkpoints import Checkpoint
from retrievals_serving.models.contracts import Contract
from retrievals_serving.models.devices import turns_of
from retrievals_serving.models.embedder import Description, Embedded, Input, collect, truncate
from retrievals_serving.models.pictures import load_picture
from retrievals_serving.models.preprocessing import PREPARATION, FixedSize, Patches
from retrievals_serving.models.weights import load_weights, require_finite


@dataclass(frozen=True)
class Towers:
    """How the two towers of a checkpoint are fed."""

    dimension: int
    pictures: FixedSize | Patches
    picture_tokens: int
    """How many patches a picture is cut into, at most."""
    text_length: int
    """In tokens. A longer text is cut; what the tokenizer puts at its end stays."""
    pads_texts: bool
    """Each text is padded to `text_length`, because the tower attends to the padding."""
    clean: Callable[[str], str]
    """What is done to a text before the tokenizer."""
    cleaning: str
    """The same in words, for the contract."""


def describe(
    read: Callable[[Checkpoint], Towers], checkpoint: Checkpoint, max_pixels: int | None
) -> Description:
    """Read a checkpoint's files and say what its vectors depend on, without loading the weights.

    Raises:
        ModelError: A file is missing or not supported, or `max_pixels` is less than the model sees.
    """
    towers = read(checkpoint)
    if max_pixels is not None and max_pixels < towers.pictures.pixels:
        raise ModelError(
            f"a pixel budget of {max_pixels} is not for {checkpoint.name}, which makes "
            f"{towers.pictures.pixels} of every picture: set RETRIEVALS_MAX_PIXELS to so many."
        )
    model = {"weights": checkpoint.weights_sha256, "config": checkpoint.sha256("config.json")}
    steps = {name: str(value) for name, value in asdict(towers.pictures).items()}
    padding = f"{pad_token(checkpoint)} to the full length" if towers.pads_texts else "none"
    query = {
        "tokenizer": checkpoint.sha256("tokenizer.json"),
        "texts": f"{towers.cleaning}, {towers.text_length} tokens",
        "padding": padding,
    }
    return Description(
        checkpoint=checkpoint.name,
        dimension=towers.dimension,
        corpus_contract=Contract(model | steps | {"pictures": PREPARATION}),
        query_contract=Contract(model | query),
        is_matryoshka=False,
    )


class DualTowerEmbedder:
    """An `Embedder` of two towers. It has no instructions, and embeds a query as any other text."""

    def __init__(
        self,
        read: Callable[[Checkpoint], Towers],
        checkpoint: Checkpoint,
        *,
        device: str,
        dtype: str,
        max_pixels: int | None,
        batch_tokens: int | None,
    ) -> None:
        from transformers import PreTrainedTokenizerFast

        description = describe(read, checkpoint, max_pixels)
        self.dimension = description.dimension
        self.corpus_contract = description.corpus_contract
        self.query_contract = description.query_contract
        self._name = checkpoint.name
        self._towers = read(checkpoint)
        # The file as it is, so that its hash in the contract says all.
        self._tokenizer = PreTrainedTokenizerFast(
            tokenizer_file=str(checkpoint.folder / "tokenizer.json"),
            pad_token=pad_token(checkpoint),
            padding_side="right",
            split_special_tokens=True,  # those in a text from outside are letters like any other
        )
        self._tokenizer_lock = threading.Lock()  # it keeps the padding of its last call
        self._model, self.device, self.dtype = load_weights(
            "AutoModel", checkpoint, device=device, dtype=dtype
        )
        self._budget = Budget(batch_tokens or batches.default_tokens(self.device))

    def embed_queries(self, queries: Sequence[Input]) -> np.ndarray:
        """Embed each query, as `embed_inputs` does."""
        return self.embed_inputs(queries)

    def embed_inputs(
        self, inputs: Sequence[Input], *, instruction: str | None = None
    ) -> np.ndarray:
        """Embed texts and pictures.

        Raises:
            InputRefused: An input has both.
            ModelError: There is an instruction.
            PictureError: A picture cannot be read; names it.
        """
        if any(item.text and item.image is not None for item in inputs):
            raise InputRefused(
                f"checkpoint {self._name} embeds a text or a picture, not both at once: give one, "
                "or choose a model of the family qwen3_vl."
            )
        embeddings = np.empty((len(inputs), self.dimension), dtype=np.float32)
        images = {place: item.image for place, item in enumerate(inputs) if item.image is not None}
        texts = {place: item.text or "" for place, item in enumerate(inputs) if item.image is None}
        embeddings[list(images)] = self.embed_images([*images.values()], instruction=instruction)
        embeddings[list(texts)] = self.embed_texts([*texts.values()], instruction=instruction)
        return embeddings

    def embed_texts(self, texts: list[str], *, instruction: str | None = None) -> np.ndarray:
        """Embed each text.

        Raises:
            ModelError: There is an instruction.
        """
        self._refuse(instruction)
        stream = batches.embed(
            texts,
            length=lambda _: self._towers.text_length,
            prepare=self._towers.clean,
            forward=lambda batch: self._forward("get_text_features", self._text_arrays(batch)),
            budget=self._budget,
            in_place=True,
        )
        return collect(stream, len(texts), self.dimension)

    def embed_images(
        self, images: Sequence[Image.Image | Path], *, instruction: str | None = None
    ) -> np.ndarray:
        """Embed each picture.

        Raises:
            ModelError: There is an instruction.
            PictureError: A picture cannot be read; names it.
        """
        stream = self.embed_stream(images, instruction=instruction)
        return collect(stream, len(images), self.dimension)

    def embed_stream(
        self, images: Sequence[Image.Image | Path], *, instruction: str | None = None
    ) -> Iterator[Embedded]:
        """Embed any number of pictures, batch by batch as they are ready, in no order.

        Raises:
            ModelError: There is an instruction.
        """
        self._refuse(instruction)
        return batches.embed(
            images,
            length=lambda _: self._towers.picture_tokens,
            prepare=lambda image: self._towers.pictures.arrays([load_picture(image)]),
            forward=lambda batch: self._forward("get_image_features", joined(batch)),
            budget=self._budget,
        )

    def _text_arrays(self, texts: Sequence[str]) -> dict[str, np.ndarray]:
        # The tokenizer refuses lone surrogates.
        valid = [text.encode(errors="replace").decode() for text in texts]
        with self._tokenizer_lock:
            encoded = self._tokenizer(
                valid,
                padding="max_length" if self._towers.pads_texts else "longest",
                truncation=True,
                max_length=self._towers.text_length,
                return_tensors="np",
            )
        # Without a mask: a tower attends to the padding as it was trained to, or looks backwards
        # only and never sees it.
        return {"input_ids": encoded["input_ids"]}

    def _forward(self, tower: str, arrays: dict[str, np.ndarray]) -> np.ndarray:
        """Return what a tower makes of a batch: float32, unit rows."""
        import torch

        with turns_of(self.device).take("embed"), torch.inference_mode():
            tensors = {
                name: torch.from_numpy(array).to(self.device) for name, array in arrays.items()
            }
            output = getattr(self._model, tower)(**tensors).pooler_output
            numbers = output.float().cpu().numpy()
        require_finite(numbers, self._name, self.device, self.dtype)
        return truncate(numbers, self.dimension)

    def _refuse(self, instruction: str | None) -> None:
        if instruction is not None:
            raise ModelError(
                f"checkpoint {self._name} takes no instruction, got {instruction!r}: leave it out, "
                "or choose a model of the family qwen3_vl."
            )


def joined(arrays: Sequence[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Return the arrays of several pictures as those of one batch."""
    return {name: np.concatenate([each[name] for each in arrays]) for name in arrays[0]}


def pad_token(checkpoint: Checkpoint) -> str:
    """Return the token that the checkpoint's tokenizer pads with.

    Raises:
        ModelError: It names none.
    """
    token = checkpoint.read_json("tokenizer_config.json").get("pad_token")
    content = token.get("content") if isinstance(token, dict) else token
    if not isinstance(content, str):
        raise ModelError(
            f"checkpoint {checkpoint.name} names no pad_token in its tokenizer_config.json: "
            "give it the file it was published with."
        )
    return content
