"""Folders of pictures as the tests of their records make them."""

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from retrievals_pipeline.defs.records.artworks import ArtworksSummary
from retrievals_pipeline.defs.records.folder_artworks import build_folder_artworks
from retrievals_pipeline.defs.records.paths import ARTWORKS, REMARKS
from retrievals_serving.store import Store


def add(folder: Path, *names: str, content: str = "a picture") -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)


def summarize(folder: Path, store: Store, *, limit: int | None = None) -> ArtworksSummary:
    return build_folder_artworks(folder, store, source="folder", box=1024, limit=limit)


def works(folder: Path, store: Store) -> dict[str, dict[str, Any]]:
    """The records by file."""
    summarize(folder, store)
    return {row["image_url"]: row for row in pq.read_table(store.path(ARTWORKS)).to_pylist()}


def remarks(store: Store) -> set[tuple[str, str]]:
    return {(row["file"], row["remark"]) for row in pq.read_table(store.path(REMARKS)).to_pylist()}


def describe(folder: Path, text: str, *, encoding: str = "utf-8") -> None:
    (folder / "metadata.csv").write_text(text, encoding=encoding)
