"""The miniature museum: drawn pictures, their records, and the IIIF server that serves them."""

MINIATURE = "miniature"  # what settings call it, and the first part of its works' ids
