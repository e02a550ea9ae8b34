"""The miniature museum: drawn pictures, their records, and the IIIF server that serves them."""
