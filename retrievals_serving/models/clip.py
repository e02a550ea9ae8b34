"""CLIP, and OpenCLIP in the format of transformers: openai/clip-*, laion/CLIP-ViT-*."""

from retrievals_serving.models.checkpoints import Checkpoint
from retrievals_serving.models.dual_tower import Towers
from retrievals_serving.models.preprocessing import FixedSize


def read(checkpoint: Checkpoint) -> Towers:
    """Read from a checkpoint's files how its towers are fed.

    The text tower looks backwards only and is read at the end-of-text token, so padding is never
    seen. The tokenizer itself puts texts into lower case. What a config leaves out is the default
    of transformers.

    Raises:
        ModelError: A file is missing, or pictures are prepared in a way that is not supported.
    """
    text = checkpoint.config.get("text_config") or {}
    vision = checkpoint.config.get("vision_config") or {}
    side, patch = vision.get("image_size", 224), vision.get("patch_size", 32)
    return Towers(
        dimension=checkpoint.config.get("projection_dim", 512),
        pictures=FixedSize.read(checkpoint, side),
        picture_tokens=(side // patch) ** 2,
        text_length=text.get("max_position_embeddings", 77),
        pads_texts=False,
        clean=str,
        cleaning="as they are",
    )
