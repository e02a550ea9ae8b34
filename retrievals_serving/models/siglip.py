"""SigLIP and SigLIP 2: google/siglip-*, google/siglip2-*, of one size or of any (NaFlex).

The text tower reads its last position, padding included, so each text is padded to the full length.
A SigLIP 2 checkpoint of one size says `siglip` in its config; its tokenizer tells the two apart.
"""

import string

from retrievals_serving.models.checkpoints import Checkpoint
from retrievals_serving.models.dual_tower import Towers
from retrievals_serving.models.preprocessing import FixedSize, Patches

PUNCTUATION = str.maketrans("", "", string.punctuation)


def read(checkpoint: Checkpoint) -> Towers:
    """Read from a checkpoint's files how its towers are fed; pictures have one size.

    What a config leaves out is the default of transformers.

    Raises:
        ModelError: A file is missing, or pictures are prepared in a way that is not supported.
    """
    vision = checkpoint.config.get("vision_config") or {}
    side, patch = vision.get("image_size", 224), vision.get("patch_size", 16)
    return _towers(checkpoint, FixedSize.read(checkpoint, side), (side // patch) ** 2)


def read_naflex(checkpoint: Checkpoint) -> Towers:
    """Read from a checkpoint's files how its towers are fed; pictures keep their proportions.

    Raises:
        ModelError: A file is missing, or pictures are prepared in a way that is not supported.
    """
    vision = checkpoint.config.get("vision_config") or {}
    pictures = Patches.read(checkpoint, vision.get("patch_size", 16))
    return _towers(checkpoint, pictures, pictures.budget)


def canonical(text: str) -> str:
    """Return the text as the first SigLIP was trained: lower case, without punctuation."""
    return " ".join(text.lower().translate(PUNCTUATION).split())


def _towers(checkpoint: Checkpoint, pictures: FixedSize | Patches, picture_tokens: int) -> Towers:
    text = checkpoint.config.get("text_config") or {}
    vision = checkpoint.config.get("vision_config") or {}
    tokenizer = checkpoint.read_json("tokenizer_config.json").get("tokenizer_class", "")
    first = tokenizer.startswith("SiglipTokenizer")
    return Towers(
        dimension=vision.get("hidden_size", 768),
        pictures=pictures,
        picture_tokens=picture_tokens,
        text_length=text.get("max_position_embeddings", 64),
        pads_texts=True,
        clean=canonical if first else str.lower,
        cleaning="lower case without punctuation" if first else "lower case",
    )
