"""Several GPUs, one process each: a process takes one that no other of this machine has taken."""

import fcntl
import logging
import os
import tempfile
from functools import cache
from pathlib import Path
from typing import TextIO

logger = logging.getLogger(__name__)

LOCKS = Path(tempfile.gettempdir())


@cache
def claim_device() -> str:
    """Return the device that this process computes on, `auto` where there is no choice of GPUs.

    A GPU is known by its UUID, whatever number a process sees it under, and is free again when the
    process ends, however it ends.
    """
    import torch

    count = torch.cuda.device_count()
    if count < 2:
        return "auto"
    for number in range(count):
        if _claim(str(torch.cuda.get_device_properties(number).uuid)):
            return f"cuda:{number}"
    logger.warning(
        "each of %d GPUs is taken by another process; sharing the first: lower the limit of the "
        "pool `gpu` to %d.",
        count,
        count,
    )
    return "cuda:0"


_held: list[TextIO] = []  # for as long as this process lives


def _claim(uuid: str) -> bool:
    lock = (LOCKS / f"retrievals-gpu-{uuid}-{os.getuid()}.lock").open("a")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        return False
    _held.append(lock)
    return True
