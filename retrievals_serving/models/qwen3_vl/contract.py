"""What the vectors and scores of a Qwen3-VL checkpoint depend on, read from its files."""

import hashlib

from retrievals_serving.errors import ModelError
from retrievals_serving.models.checkpoints import Checkpoint
from retrievals_serving.models.qwen3_vl import pixels


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
    max_pixels = pixels.MAX_PIXELS if max_pixels is None else max_pixels
    if not pixels.MIN_PIXELS <= max_pixels <= pixels.LARGEST_PICTURE:
        raise ModelError(
            f"a pixel budget of {max_pixels} is not for {checkpoint.name}: set "
            f"RETRIEVALS_MAX_PIXELS to a number from {pixels.MIN_PIXELS} to "
            f"{pixels.LARGEST_PICTURE}."
        )
    preprocessing = checkpoint.read_json("preprocessor_config.json")
    for name, value in pixels.PREPROCESSING.items():
        if preprocessing.get(name) != value:
            raise ModelError(
                f"checkpoint {checkpoint.name} prepares pictures with {name} "
                f"{preprocessing.get(name)}, the Qwen3-VL family with {value}: choose another."
            )
    return {
        "min_pixels": str(pixels.MIN_PIXELS),
        "max_pixels": str(max_pixels),
        "pictures": pixels.PREPARATION,
    }
