"""Embedding models, chosen by the family that a checkpoint says it is of.

    from retrievals_serving.models import load_embedder
    embedder = load_embedder("Qwen/Qwen3-VL-Embedding-2B")
    embedder.embed_texts(["old man reading by candlelight"])      # float32 (1, 2048)

Importing this loads no torch and no transformers; `load_embedder` does.
"""

from collections.abc import Callable
from typing import NamedTuple

from retrievals_serving.errors import ModelError
from retrievals_serving.models import qwen3_vl
from retrievals_serving.models.checkpoints import Checkpoint, open_checkpoint
from retrievals_serving.models.embedder import (
    DOCUMENT_INSTRUCTION,
    QUERY_INSTRUCTION,
    Description,
    Embedder,
    Input,
    truncate,
)

__all__ = [
    "DOCUMENT_INSTRUCTION",
    "QUERY_INSTRUCTION",
    "Description",
    "Embedder",
    "Input",
    "describe_checkpoint",
    "load_embedder",
    "truncate",
]


class Family(NamedTuple):
    """How checkpoints of one `model_type` are described and loaded."""

    describe: Callable[[Checkpoint, int | None], Description]
    embedder: Callable[..., Embedder]


FAMILIES = {
    "qwen3_vl": Family(qwen3_vl.describe, qwen3_vl.Qwen3VLEmbedder),
}


def describe_checkpoint(
    checkpoint: str, *, revision: str | None = None, max_pixels: int | None = None
) -> Description:
    """Say how wide an embedder's vectors are and what they depend on, without loading its weights.

    Reads the files of a folder, and downloads those of a hub id that are not in the cache.

    Raises:
        ModelError: As for `load_embedder`.
    """
    opened = open_checkpoint(checkpoint, revision, kind="embedder")
    return _family(opened).describe(opened, max_pixels)


def load_embedder(
    checkpoint: str,
    *,
    revision: str | None = None,
    device: str = "auto",
    dtype: str = "auto",
    max_pixels: int | None = None,
) -> Embedder:
    """Load an embedding model.

    Args:
        checkpoint: A folder, a hub id, `id@revision`, or `miniature`, which ships with the package.
        revision: Commit, tag or branch of a hub id; default its main branch.
        device: `auto`, `cpu`, `cuda` or `cuda:<n>`; `auto` is CUDA where there is one.
        dtype: `auto`, `float32`, `bfloat16` or `float16`; `auto` is bfloat16 on CUDA, else float32.
        max_pixels: Larger pictures are scaled down to so many pixels; default the family's own.

    Raises:
        ModelError: The checkpoint cannot be found or loaded, or is of a family not supported.
    """
    opened = open_checkpoint(checkpoint, revision, kind="embedder")
    return _family(opened).embedder(opened, device=device, dtype=dtype, max_pixels=max_pixels)


def _family(checkpoint: Checkpoint) -> Family:
    model_type = checkpoint.config.get("model_type")
    if model_type not in FAMILIES:
        raise ModelError(
            f"checkpoint {checkpoint.name} is of the family {model_type!r}, not supported: "
            f"choose one of {', '.join(sorted(FAMILIES))}."
        )
    return FAMILIES[model_type]
