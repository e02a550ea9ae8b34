"""However many and large they are, the pictures of a folder are decoded in bounded memory."""

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from PIL import Image

from retrievals_pipeline.defs.images import folder_pictures
from retrievals_pipeline.defs.images.folder_pictures import Files, PixelBudget, fitted
from tests.images.conftest import jpeg
from tests.images.folders import BOX, encoded, quarters

PNG = encoded(quarters(), "PNG")
PNG_PIXELS = 96 * 64


@pytest.mark.parametrize(
    ("pixels", "most"), [(1, 1), (2 * PNG_PIXELS, 2), (3 * PNG_PIXELS - 1, 2), (9 * PNG_PIXELS, 8)]
)
def test_no_more_pixels_are_decoded_at_once_than_memory_is_for(
    folder: Path, monkeypatch: pytest.MonkeyPatch, pixels: int, most: int
) -> None:
    """One picture is, however large."""
    lock, at_once, seen = threading.Lock(), [0], []
    flatten = folder_pictures.flat_rgb

    def slowly(picture: Image.Image) -> Image.Image:
        with lock:
            at_once[0] += 1
            seen.append(at_once[0])
        time.sleep(0.05)  # for others to come, if they may
        with lock:
            at_once[0] -= 1
        return flatten(picture)

    monkeypatch.setattr(folder_pictures, "PIXELS", pixels)
    monkeypatch.setattr(folder_pictures, "flat_rgb", slowly)
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    reader = Files(folder, box=BOX)
    (folder / "a.png").write_bytes(PNG)
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(reader.fetch, ["a.png"] * 16))
    assert {answer.status for answer in answers} == {"ok"}
    assert max(seen) <= most
    assert max(seen) > 1 or most == 1


@pytest.mark.parametrize(
    ("content", "weight"),
    [
        (jpeg(size=(BOX, 300)), 0),
        (encoded(quarters(4096, 64), "PNG"), 4096 * 64),
        (encoded(quarters(4096, 4096), "JPEG"), 2048 * 2048),
        (encoded(quarters(4096, 4096), "JPEG", progressive=True), 4096 * 4096),
    ],
    ids=["a JPEG that fits", "PNG", "JPEG", "progressive JPEG"],
)
def test_a_picture_counts_for_the_pixels_that_are_held(content: bytes, weight: int) -> None:
    class Counting(PixelBudget):
        def taking(self, pixels: int) -> AbstractContextManager[None]:
            taken.append(pixels)
            return super().taking(pixels)

    taken: list[int] = []
    fitted(content, BOX, Counting(1))
    assert sum(taken) == weight


def test_a_broken_picture_gives_its_pixels_back(folder: Path) -> None:
    reader = Files(folder, box=BOX)
    (folder / "bad.png").write_bytes(PNG[:-40])
    (folder / "good.png").write_bytes(PNG)
    names = ["bad.png", "good.png"] * 4
    reader._budget = PixelBudget(PNG_PIXELS)
    statuses = [reader.fetch(name).status for name in names]
    assert statuses == ["truncated", "ok"] * 4
