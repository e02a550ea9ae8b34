"""Panels of saints on gold ground."""
