"""The open-air pictures."""
