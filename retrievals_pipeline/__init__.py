"""The Dagster code location that turns a museum's open records and pictures into a release."""

from pathlib import Path

# Holds `dagster.yaml` and `workspace.yaml` when the package lies in a checkout.
PROJECT = Path(__file__).parents[1]
