"""Where the records lie in the store, for whoever reads them and nothing else of this stage."""

ARTWORKS = "records/artworks.parquet"
REMARKS = "records/remarks.parquet"  # file, remark: what is worth telling of a folder's files
SOURCE = "records/built_from"  # in words, the source that the home was built from
FOLDER = "folder"  # first part of the ids of a folder's works
