"""Embedding models and rerankers, chosen by the family that a checkpoint says it is of.

    from retrievals_serving.models import load_embedder, load_reranker
    embedder = load_embedder("Qwen/Qwen3-VL-Embedding-2B")
    embedder.embed_texts(["old man reading by candlelight"])      # float32 (1, 2048)
    reranker = load_reranker("Qwen/Qwen3-VL-Reranker-2B")
    reranker.score("old man reading by candlelight", pictures)    # float32 (n,), 0 to 1

Importing this loads no torch and no transformers; `load_embedder` and `load_reranker` do.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from retrievals_serving.errors import ModelError
from retrievals_serving.models import clip, siglip
from retrievals_serving.models.checkpoints import Checkpoint, open_checkpoint
from retrievals_serving.models.dual_tower import DualTowerEmbedder, Towers
from retrievals_serving.models.dual_tower import describe as describe_towers
from retrievals_serving.models.embedder import (
    Description,
    Embedded,
    Embedder,
    Input,
    truncate,
)
from retrievals_serving.models.qwen3_vl.embedder import Qwen3VLEmbedder
from retrievals_serving.models.qwen3_vl.embedder import describe as describe_qwen3_vl
from retrievals_serving.models.qwen3_vl.reranker import Qwen3VLReranker
from retrievals_serving.models.reranker import Reranker

__all__ = [
    "Description",
    "Embedded",
    "Embedder",
    "Input",
    "Reranker",
    "describe_checkpoint",
    "load_embedder",
    "load_reranker",
    "truncate",
]


class Family(NamedTuple):
    """How checkpoints of one `model_type` are described and loaded."""

    describe: Callable[[Checkpoint, int | None], Description]
    embedder: Callable[..., Embedder]
    reranker: Callable[..., Reranker] | None = None


def _dual_tower(read: Callable[[Checkpoint], Towers]) -> Family:
    return Family(partial(describe_towers, read), partial(DualTowerEmbedder, read))


FAMILIES = {
    "clip": _dual_tower(clip.read),
    "qwen3_vl": Family(describe_qwen3_vl, Qwen3VLEmbedder, Qwen3VLReranker),
    "siglip": _dual_tower(siglip.read),
    "siglip2": _dual_tower(siglip.read_naflex),
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
    batch_tokens: int | None = None,
) -> Embedder:
    """Load an embedding model.

    Args:
        checkpoint: A folder, a hub id, `id@revision`, or `miniature`, which ships with the package.
        revision: Commit, tag or branch of a hub id; default its main branch.
        device: `auto`, `cpu`, `cuda` or `cuda:<n>`; `auto` is CUDA where there is one.
        dtype: `auto`, `float32`, `bfloat16` or `float16`; `auto` is bfloat16 on CUDA, else float32.
        max_pixels: Larger pictures are scaled down to so many pixels; default the family's own.
        batch_tokens: How many tokens a forward may take, padding included; default by device.

    Raises:
        ModelError: The checkpoint cannot be found or loaded, or is of a family not supported.
    """
    opened = open_checkpoint(checkpoint, revision, kind="embedder")
    return _family(opened).embedder(
        opened, device=device, dtype=dtype, max_pixels=max_pixels, batch_tokens=batch_tokens
    )


def load_reranker(
    checkpoint: str,
    *,
    revision: str | None = None,
    device: str = "auto",
    dtype: str = "auto",
    max_pixels: int | None = None,
    batch_tokens: int | None = None,
) -> Reranker:
    """Load a reranker; the arguments are those of `load_embedder`.

    Raises:
        ModelError: The checkpoint cannot be found or loaded, or is of a family without rerankers.
    """
    opened = open_checkpoint(checkpoint, revision, kind="reranker")
    reranker = _family(opened).reranker
    if reranker is None:
        families = ", ".join(sorted(name for name, each in FAMILIES.items() if each.reranker))
        raise ModelError(
            f"checkpoint {opened.name} is of the family {opened.config['model_type']!r}, which has "
            f"no rerankers: choose one of {families}."
        )
    return reranker(
        opened, device=device, dtype=dtype, max_pixels=max_pixels, batch_tokens=batch_tokens
    )


def _family(checkpoint: Checkpoint) -> Family:
    model_type = checkpoint.config.get("model_type")
    if model_type not in FAMILIES:
        raise ModelError(
            f"checkpoint {checkpoint.name} is of the family {model_type!r}, not supported: "
            f"choose one of {', '.join(sorted(FAMILIES))}."
        )
    return FAMILIES[model_type]
