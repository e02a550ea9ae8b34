"""Folders of pictures: what the tests put into them, and how they are read."""

import io
from pathlib import Path
from typing import Any

from PIL import Image

from retrievals_pipeline.defs.images.folder_pictures import Files
from retrievals_pipeline.defs.images.ledger import Ledger, LedgerRow
from retrievals_pipeline.defs.images.shard import ShardSummary, download_shard
from retrievals_pipeline.defs.images.works import Work
from retrievals_serving.store import Store
from tests.images.conftest import SHARD

BOX = 1024
CORNERS = {"red": (255, 0, 0), "green": (0, 160, 0), "blue": (0, 0, 255), "grey": (128, 128, 128)}
UPRIGHT = ["red", "green", "blue", "grey"]  # as they are to be seen, line by line


def quarters(width: int = 96, height: int = 64) -> Image.Image:
    """A picture with a colour in each quarter."""
    picture = Image.new("RGB", (width, height))
    for place, color in enumerate(UPRIGHT):
        box = (place % 2 * width // 2, place // 2 * height // 2)
        picture.paste(Image.new("RGB", (width // 2, height // 2), CORNERS[color]), box)
    return picture


def encoded(picture: Image.Image, form: str, **options: Any) -> bytes:
    content = io.BytesIO()
    picture.save(content, form, **options)
    return content.getvalue()


def works(folder: Path) -> list[Work]:
    """The works of the folder, as its records name them."""
    return [
        Work(f"folder:{path.name}", path.name, f"{path.stat().st_mtime_ns}-{path.stat().st_size}")
        for path in sorted(folder.iterdir())
    ]


def read(
    store: Store, folder: Path, found: list[Work] | None = None, *, box: int = BOX
) -> ShardSummary:
    return download_shard(
        store,
        SHARD,
        works(folder) if found is None else found,
        fetcher=Files(folder, box=box),
        mirror=None,
        advance=lambda _: None,
    )


def rows(store: Store) -> dict[str, LedgerRow]:
    return Ledger(store, SHARD).rows
