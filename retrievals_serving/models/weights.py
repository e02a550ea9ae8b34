"""Loading a checkpoint's weights onto a device: safetensors only, nothing missing."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from retrievals_serving.errors import ModelError
from retrievals_serving.models.checkpoints import Checkpoint

DTYPES = ("bfloat16", "float16", "float32")


def choose(device: str, dtype: str) -> tuple[str, str]:
    """Return the device and the dtype to compute with.

    Args:
        device: `auto`, or as torch names it. `auto` is CUDA where there is one, else the CPU.
        dtype: `auto` or one of `DTYPES`. `auto` is bfloat16 on CUDA, float32 elsewhere.

    Raises:
        ModelError: The dtype is not known, or there is no such device.
    """
    import torch

    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise ModelError(
            f"device {device!r}: torch sees no CUDA here. Set RETRIEVALS_DEVICE to cpu or auto, or "
            "look at the driver and at the build of torch."
        )
    if dtype == "auto":
        dtype = "bfloat16" if device.startswith("cuda") else "float32"
    if dtype not in DTYPES:
        raise ModelError(f"dtype {dtype!r} is not known: choose auto or {', '.join(DTYPES)}.")
    return device, dtype


def load_weights(
    auto_class: str, checkpoint: Checkpoint, *, device: str, dtype: str
) -> tuple[Any, str, str]:
    """Return a model of transformers in evaluation mode, its device and its dtype.

    Args:
        auto_class: Name of the class of transformers that knows the architecture.
        checkpoint: Where the weights are.
        device: As for `choose`.
        dtype: As for `choose`.

    Raises:
        ModelError: It cannot be loaded, or weights that the architecture needs are not in it.
    """
    import torch
    import transformers

    device, dtype = choose(device, dtype)
    with loading(checkpoint, device, dtype), _no_progress_bar():
        model, report = getattr(transformers, auto_class).from_pretrained(
            checkpoint.folder,
            dtype=getattr(torch, dtype),
            use_safetensors=True,
            local_files_only=True,
            trust_remote_code=False,
            output_loading_info=True,
        )
        model = model.to(device).eval()
    require_all(checkpoint, sorted(report["missing_keys"]))
    return model, device, dtype


@contextmanager
def loading(checkpoint: Checkpoint, device: str, dtype: str) -> Iterator[None]:
    """Make a `ModelError` of whatever goes wrong while weights are loaded."""
    try:
        yield
    except ModelError:
        raise
    # What goes wrong in a file, a driver or a memory has no common ancestor.
    except Exception as error:
        raise ModelError(
            f"checkpoint {checkpoint.name} cannot be loaded on {device} as {dtype}: {error}. Look "
            "at RETRIEVALS_DEVICE, at the free memory, or download it again."
        ) from error


def require_all(checkpoint: Checkpoint, missing: Sequence[str]) -> None:
    """Refuse a checkpoint without some of the weights of its architecture.

    Raises:
        ModelError: `missing` names any.
    """
    if missing:
        raise ModelError(
            f"checkpoint {checkpoint.name} lacks {len(missing)} weights, the first {missing[0]}; "
            "they would be random: download it again."
        )


def require_finite(numbers: np.ndarray, checkpoint: str, device: str, dtype: str) -> None:
    """Refuse what a model has computed where a number in it is infinite or none.

    Raises:
        ModelError: One is.
    """
    if not np.isfinite(numbers).all():
        raise ModelError(
            f"checkpoint {checkpoint} gives numbers that are not finite in {dtype} on {device}: "
            + (
                "its weights are damaged: download it again."
                if dtype == "float32"
                else "set RETRIEVALS_DTYPE to float32."
            )
        )


@contextmanager
def _no_progress_bar() -> Iterator[None]:
    """Keep transformers from drawing on standard error; its switch is put back afterwards."""
    from transformers.utils import logging

    was_enabled = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if was_enabled:
            logging.enable_progress_bar()
