"""One download of ours, as a build does it, or with nothing made of the bytes."""

import json
import sys
import time
from pathlib import Path

from retrievals_pipeline.defs.images import download
from retrievals_pipeline.defs.images.fetcher import Fetcher
from retrievals_pipeline.defs.images.pictures import (
    THUMBNAIL_SIDE,
    CheckedPicture,
    decoding,
    opened,
)
from retrievals_pipeline.defs.images.shard import download_shard
from retrievals_pipeline.defs.images.works import Work
from retrievals_serving.store import Store

SHARD = 1000  # works; the NGA's 68,816 in 64 shards are a few more


class WithoutThumbnails(Store):
    """A store that keeps the pictures alone."""

    def write_bytes(self, name: str, content: bytes) -> None:
        """Put `content` under `name`, unless it is a thumbnail."""
        if not name.startswith("thumbnails/"):
            super().write_bytes(name, content)


def verified(content: bytes, _: str) -> CheckedPicture:
    """Decode a picture as `check_picture` does, to its last byte, and make no thumbnail."""
    with decoding(content), opened(content, ("JPEG",)) as picture:
        size = picture.size
        picture.draft(None, (THUMBNAIL_SIDE, THUMBNAIL_SIDE))
        picture.load()
    return CheckedPicture(*size, color="", thumbnail=b"")


def download_all(store: Store, urls: list[str]) -> dict[str, float]:
    """Download the addresses, a shard after the other, and return what came of them."""
    works = [Work(f"nga:{number}", url, "2024") for number, url in enumerate(urls)]
    kept = size = 0
    started = time.perf_counter()
    with Fetcher() as fetcher:
        for first in range(0, len(works), SHARD):
            summary = download_shard(
                store,
                str(first),
                works[first : first + SHARD],
                fetcher=fetcher,
                mirror=None,
                advance=lambda _: None,
            )
            kept += summary.statuses["ok"]
            size += summary.bytes
    return {"seconds": time.perf_counter() - started, "kept": kept, "bytes": size}


def main(urls: Path, folder: Path, *, thumbnails: bool) -> None:
    """Download the addresses of a file, a line each, into `folder`, and print what came of it."""
    store = Store(folder)
    if not thumbnails:
        store = WithoutThumbnails(folder)
        download.check_picture = verified
    print(json.dumps(download_all(store, urls.read_text(encoding="ascii").split())))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), thumbnails=sys.argv[3] == "thumbnails")
