"""The Dagster code location that turns a museum's open records and pictures into a release."""
