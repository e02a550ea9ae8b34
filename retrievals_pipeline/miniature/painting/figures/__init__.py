"""Portraits and readers."""
