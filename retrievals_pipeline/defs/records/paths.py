"""Where the records lie in the store, for whoever reads them and nothing else of this stage."""

ARTWORKS = "records/artworks.parquet"
