"""The code location as a live test loads it: a night lasts a minute."""

from retrievals_pipeline.defs import automation

automation.NIGHTLY = "* * * * *"
automation.INTERVAL = 2

from retrievals_pipeline.definitions import defs  # noqa: E402

__all__ = ["defs"]
