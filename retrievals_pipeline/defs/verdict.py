"""What a check found. Checks are plain functions beside their stage; `checks.py` shows them."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Verdict:
    """What a check found.

    Attributes:
        passed: Whether what it looked at is sound.
        details: The numbers by which it judged, by name; what JSON can hold.
    """

    passed: bool
    details: dict[str, Any] = field(default_factory=dict)
