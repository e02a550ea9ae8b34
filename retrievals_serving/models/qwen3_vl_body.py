"""What the embedder and the reranker of the Qwen3-VL family share: prompts in, last states out.

Both are one body, a vision tower and a language model, and read one position of its output.
"""

import hashlib
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from retrievals_serving.errors import ModelError
from retrievals_serving.models import pictures, prompts
from retrievals_serving.models.checkpoints import Checkpoint
from retrievals_serving.models.weights import load_weights, require_finite

LARGEST_PICTURE = 16384 * pictures.SIDE**2  # px; the family's own limit of a picture
PREPROCESSING = {
    "patch_size": pictures.PATCH,
    "merge_size": pictures.MERGE,
    "temporal_patch_size": pictures.FRAMES,
    "image_mean": [0.5, 0.5, 0.5],
    "image_std": [0.5, 0.5, 0.5],
}


def model_parts(checkpoint: Checkpoint) -> dict[str, str]:
    """Return the parts of a contract that the checkpoint's own files are.

    Raises:
        ModelError: A file is missing.
    """
    return {
        "weights": checkpoint.weights_sha256,
        "config": checkpoint.sha256("config.json"),
        "tokenizer": checkpoint.sha256("tokenizer.json"),
        "chat_template": hashlib.sha256(checkpoint.chat_template.encode()).hexdigest(),
    }


def picture_parts(checkpoint: Checkpoint, max_pixels: int | None) -> dict[str, str]:
    """Return the parts of a contract that say how pictures are prepared.

    Raises:
        ModelError: The checkpoint prepares pictures otherwise than here, or `max_pixels` is outside
            what the family takes.
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
    return {
        "min_pixels": str(pictures.MIN_PIXELS),
        "max_pixels": str(max_pixels),
        "pictures": pictures.PREPARATION,
    }


@dataclass(frozen=True)
class Prepared:
    """One prompt, ready for the model."""

    ids: np.ndarray  # int64, (length,)
    pictures: tuple[Image.Image, ...]  # RGB, fitted, in the order of their places


class Body:
    """The model without an output layer, with its prompts. Safe to call from several threads.

    `device` and `dtype` are what `auto` came to.
    """

    def __init__(
        self, checkpoint: Checkpoint, *, device: str, dtype: str, max_pixels: int | None
    ) -> None:
        self._name = checkpoint.name
        self._max_pixels = max_pixels or pictures.MAX_PIXELS
        self.prompts = prompts.Prompts(checkpoint)
        self.model, self.device, self.dtype = load_weights(
            "AutoModel", checkpoint, device=device, dtype=dtype
        )
        # The model keeps position offsets of its last call, and one forward fills the device.
        self._forward_lock = threading.Lock()

    def fit(self, source: Image.Image | Path) -> Image.Image:
        """Return the picture decoded, as RGB, in the size that the model sees.

        Raises:
            PictureError: It cannot be read; names it.
        """
        return pictures.fit(pictures.load_picture(source), self._max_pixels)

    def prepare(self, system: str, content: Sequence[str | Image.Image]) -> Prepared:
        """Make the prompt of a system message and a user's message of texts and fitted pictures."""
        shown = tuple(part for part in content if isinstance(part, Image.Image))
        parts = [
            {"type": "text", "text": part} if isinstance(part, str) else {"type": "image"}
            for part in content
        ]
        messages = [
            {"role": "system", "content": [{"type": "text", "text": system}]},
            {"role": "user", "content": parts},
        ]
        visual_tokens = [pictures.visual_tokens(picture) for picture in shown]
        return Prepared(self.prompts.encode(messages, visual_tokens), shown)

    def last_states(self, batch: Sequence[Prepared]) -> np.ndarray:
        """Return the state of each prompt's last token: float32, shape (len(batch), width).

        Padding stands on the right, where no token that counts can see it.

        Raises:
            ModelError: The numbers are not finite.
        """
        import torch

        lengths = np.array([len(item.ids) for item in batch])
        attended = np.arange(lengths.max()) < lengths[:, None]
        ids = np.zeros(attended.shape, dtype=np.int64)
        ids[attended] = np.concatenate([item.ids for item in batch])
        arrays = {"input_ids": ids, "attention_mask": attended.astype(np.int64)}
        if shown := [picture for item in batch for picture in item.pictures]:
            arrays["pixel_values"] = np.concatenate([pictures.patchify(each) for each in shown])
            arrays["image_grid_thw"] = np.array([pictures.grid(each) for each in shown])
            arrays["mm_token_type_ids"] = self.prompts.is_visual(ids)
        with self._forward_lock, torch.inference_mode():
            tensors = {name: torch.from_numpy(array) for name, array in arrays.items()}
            states = self.model(
                **{name: tensor.to(self.device) for name, tensor in tensors.items()},
                use_cache=False,
            ).last_hidden_state
            last = states[torch.arange(len(batch)), torch.from_numpy(lengths - 1)].float()
            numbers: np.ndarray = last.cpu().numpy()
        require_finite(numbers, self._name, self.device, self.dtype)
        return numbers
