import csv
from collections.abc import Callable
from pathlib import Path

import pytest

from retrievals_serving.store import Store

OBJECT = {
    "objectid": "1", "title": "The Sea", "displaydate": "1890", "beginyear": "1890",
    "endyear": "1890", "medium": "oil", "attribution": "Ann Painter", "creditline": "Gift",
    "classification": "Painting", "lastdetectedmodification": "2025-01-15 17:01:03.48-05",
}  # fmt: skip
IMAGE = {
    "uuid": "u1", "iiifurl": "https://museum.example/iiif/u1", "viewtype": "primary",
    "sequence": "0", "width": "1000", "height": "800", "maxpixels": "", "openaccess": "1",
    "modified": "2024-07-26 11:05:42-04", "depictstmsobjectid": "1", "assistivetext": "A sea.",
}  # fmt: skip
TERM = {"termid": "1", "objectid": "1", "termtype": "School", "term": "Dutch"}

Rows = list[dict[str, str]]


@pytest.fixture
def write_tables(tmp_path: Path) -> Callable[..., Path]:
    """Write the three CSV files from what differs from one sound row each."""

    def write(objects: Rows = [{}], images: Rows = [{}], terms: Rows = [{}]) -> Path:  # noqa: B006
        folder = tmp_path / "tables"
        folder.mkdir(exist_ok=True)
        tables = {
            "objects": (OBJECT, objects),
            "published_images": (IMAGE, images),
            "objects_terms": (TERM, terms),
        }
        for name, (template, rows) in tables.items():
            with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
                writer = csv.DictWriter(file, list(template))
                writer.writeheader()
                writer.writerows([template | row for row in rows])
        return folder

    return write


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "home")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder of pictures."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    return folder
