"""The embedders of the Qwen3-VL family: Qwen/Qwen3-VL-Embedding-2B, -8B and what is built alike.

Held to the output of the models' own reference code by `tests/models/test_qwen3_vl_parity.py`.
"""

import hashlib
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from retrievals_serving.errors import ModelError
from retrievals_serving.models import pictures, prompts
from retrievals_serving.models.checkpoints import Checkpoint
from retrievals_serving.models.contracts import Contract
from retrievals_serving.models.embedder import (
    DOCUMENT_INSTRUCTION,
    QUERY_INSTRUCTION,
    Description,
    Input,
)
from retrievals_serving.models.weights import load_weights

BATCH_TOKENS = 8192  # of one forward, with padding: ten pictures of 1024 by 768 px
LARGEST_PICTURE = 16384 * pictures.SIDE**2  # px; the family's own limit of a picture
PREPROCESSING = {
    "patch_size": pictures.PATCH,
    "merge_size": pictures.MERGE,
    "temporal_patch_size": pictures.FRAMES,
    "image_mean": [0.5, 0.5, 0.5],
    "image_std": [0.5, 0.5, 0.5],
}


def describe(checkpoint: Checkpoint, max_pixels: int | None) -> Description:
    """Read a checkpoint's files and say what its vectors depend on, without loading the weights.

    Raises:
        ModelError: A file is missing, pictures are prepared otherwise than here, or `max_pixels` is
            outside what the family takes.
    """
    max_pixels = pictures.MAX_PIXELS if max_pixels is None else max_pixels
    if not pictures.MIN_PIXELS <= max_pixels <= LARGEST_PICTURE:
        raise ModelError(
            f"a pixel budget of {max_pixels} is not for {checkpoint.name}: set "
            f"RETRIEVALS_MAX_PIXELS to a number from {pictures.MIN_PIXELS} to {LARGEST_PICTURE}."
        )
    preprocessing = checkpoint.read_json("preprocessor_config.json")
    for name, value in PREPROCESSING.items():
        if preprocessing.get(name) != value:
            raise ModelError(
                f"checkpoint {checkpoint.name} prepares pictures with {name} "
                f"{preprocessing.get(name)}, the Qwen3-VL family with {value}: choose another."
            )
    model = {
        "weights": checkpoint.weights_sha256,
        "config": checkpoint.sha256("config.json"),
        "tokenizer": checkpoint.sha256("tokenizer.json"),
        "chat_template": hashlib.sha256(checkpoint.chat_template.encode()).hexdigest(),
    }
    corpus = {
        "instruction": DOCUMENT_INSTRUCTION,
        "min_pixels": str(pictures.MIN_PIXELS),
        "max_pixels": str(max_pixels),
        "pictures": pictures.PREPARATION,
    }
    query = {"instruction": QUERY_INSTRUCTION, "texts": prompts.PREPARATION}
    return Description(
        checkpoint=checkpoint.name,
        dimension=int(checkpoint.config["text_config"]["hidden_size"]),
        corpus_contract=Contract(model | corpus),
        query_contract=Contract(model | query),
    )


@dataclass(frozen=True)
class Prepared:
    """One input, ready for the model."""

    ids: np.ndarray  # int64, (length,)
    picture: Image.Image | None  # RGB, fitted


class Qwen3VLEmbedder:
    """An `Embedder` of the Qwen3-VL family."""

    def __init__(
        self, checkpoint: Checkpoint, *, device: str, dtype: str, max_pixels: int | None
    ) -> None:
        description = describe(checkpoint, max_pixels)
        self.dimension = description.dimension
        self.corpus_contract = description.corpus_contract
        self.query_contract = description.query_contract
        self._max_pixels = max_pixels or pictures.MAX_PIXELS
        self._prompts = prompts.Prompts(checkpoint)
        self._model, self.device, self.dtype = load_weights(
            "AutoModel", checkpoint, device=device, dtype=dtype
        )
        # The model keeps position offsets of its last call, and one forward fills the device.
        self._forward_lock = threading.Lock()

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
        embeddings = np.empty((len(inputs), self.dimension), dtype=np.float32)
        for batch in batches([len(item.ids) for item in prepared]):
            embeddings[batch] = self.forward([prepared[index] for index in batch])
        return embeddings

    def prepare(self, item: Input, instruction: str | None = None) -> Prepared:
        """Do all that needs no model: decode and resize the picture, make the token ids."""
        content: list[dict[str, str]] = []
        picture = None
        if item.image is not None:
            picture = pictures.fit(pictures.load_picture(item.image), self._max_pixels)
            content.append({"type": "image"})
        if item.text:
            content.append({"type": "text", "text": self._prompts.clean(item.text)})
        if not content:
            content.append({"type": "text", "text": "NULL"})
        system = prompts.punctuated(self._prompts.clean(instruction or "")) or DOCUMENT_INSTRUCTION
        messages = [
            {"role": "system", "content": [{"type": "text", "text": system}]},
            {"role": "user", "content": content},
        ]
        visual_tokens = pictures.visual_tokens(picture) if picture else 0
        return Prepared(self._prompts.encode(messages, visual_tokens), picture)

    def forward(self, batch: Sequence[Prepared]) -> np.ndarray:
        """Return the embeddings of one batch: float32, shape (len(batch), dimension), unit rows."""
        import torch

        lengths = np.array([len(item.ids) for item in batch])
        attended = np.arange(lengths.max()) < lengths[:, None]  # padding stands on the right
        ids = np.zeros(attended.shape, dtype=np.int64)
        ids[attended] = np.concatenate([item.ids for item in batch])
        arrays = {"input_ids": ids, "attention_mask": attended.astype(np.int64)}
        if shown := [item.picture for item in batch if item.picture]:
            arrays["pixel_values"] = np.concatenate([pictures.patchify(each) for each in shown])
            arrays["image_grid_thw"] = np.array([pictures.grid(each) for each in shown])
            arrays["mm_token_type_ids"] = self._prompts.is_visual(ids)
        with self._forward_lock, torch.inference_mode():
            tensors = {name: torch.from_numpy(array) for name, array in arrays.items()}
            states = self._model(
                **{name: tensor.to(self.device) for name, tensor in tensors.items()},
                use_cache=False,
            ).last_hidden_state
            last = states[torch.arange(len(batch)), torch.from_numpy(lengths - 1)].float()
            embeddings = torch.nn.functional.normalize(last, dim=-1).cpu().numpy()
        if not np.isfinite(embeddings).all():
            raise ModelError(
                f"the embedder gives numbers that are not finite in {self.dtype} on {self.device}: "
                "set RETRIEVALS_DTYPE to bfloat16 or float32."
            )
        return embeddings


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
