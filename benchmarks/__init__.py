"""Measurements, each written to `docs/benchmarks.md` as it was taken: `make bench`."""
