"""What a vector depends on, as a value: two vectors can be compared when their contracts agree.

Device and dtype are no part of it: they move a vector by rounding only, which golden vectors judge.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Contract:
    """All that changes a vector, by name, in a form that people can read."""

    parts: Mapping[str, str]

    @property
    def digest(self) -> str:
        """16 hex digits that stand for the parts, whatever their order."""
        canonical = json.dumps(dict(self.parts), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()[:16]

    def differences(self, other: "Contract") -> list[str]:
        """Name each part that differs, with its value here and in `other`; empty when none does."""
        parts = {
            name: (self.parts.get(name, "absent"), other.parts.get(name, "absent"))
            for name in sorted(self.parts.keys() | other.parts.keys())
        }
        return [
            f"{name}: {here} here, {there} there"
            for name, (here, there) in parts.items()
            if here != there
        ]
