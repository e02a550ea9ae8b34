"""What every section of the report says: the machine, and figures as min / median / max."""

import os
import platform
import statistics
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version


def machine(*libraries: str, device: str = "cpu") -> str:
    """Return the day, the machine and the versions of Python and of `libraries`, as a line."""
    parts = [f"{datetime.now(UTC):%Y-%m-%d}", f"{os.cpu_count()} cores", platform.machine()]
    if device == "cuda":
        import torch

        parts.append(torch.cuda.get_device_name())
    parts.append(f"Python {platform.python_version()}")
    return ", ".join([*parts, *(f"{name} {version(name)}" for name in libraries)]) + "."


def spread(values: Sequence[float], digits: int = 2) -> str:
    """Return min / median / max."""
    return " / ".join(f"{f(values):.{digits}f}" for f in (min, statistics.median, max))
