"""JPEG files that decode and compress like photographs of paintings, the same on every machine."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image

# What IIIF's `!1024,1024` gives of works in the usual proportions: 4:3, 5:4, 1:1, 3:2, 16:9.
BOX_1024 = (
    *((1024, 768), (768, 1024), (1024, 819), (819, 1024), (1024, 1024)),
    *((1024, 683), (683, 1024), (1024, 576)),
)
# Widths in px of the blobs that a picture is the sum of, and their strength: light and ground,
# figures, folds, strokes. With the grain, 200 KiB a megapixel; of 60 works of the NGA, brought to
# this box and quality, half have from 150 to 270.
BLOBS = ((256, 50), (64, 20), (16, 11), (4, 7))
GRAIN = 3
QUALITY = 90


def paint_many(
    folder: Path, count: int, sizes: Sequence[tuple[int, int]] = BOX_1024, *, first: int = 0
) -> list[Path]:
    """Write pictures number `first` to `first + count`, the sizes mixed, and return their files."""
    numbers = range(first, first + count)
    paths = [folder / f"{number:06}.jpg" for number in numbers]
    mixed = [sizes[int(np.random.default_rng(number).integers(len(sizes)))] for number in numbers]
    with ThreadPoolExecutor() as pool:
        list(pool.map(paint, paths, numbers, mixed))
    return paths


def paint(path: Path, seed: int, size: tuple[int, int]) -> None:
    """Write one picture of `size` (width, height); `seed` says which."""
    random = np.random.default_rng(seed)
    width, height = size
    pixels = np.full((height, width, 3), random.uniform(70, 150, 3), dtype=np.float32)
    for blob, strength in BLOBS:
        coarse = random.normal(0, strength, (height // blob + 2, width // blob + 2))
        layer = Image.fromarray(coarse.astype(np.float32)).resize(size, Image.Resampling.BICUBIC)
        pixels += np.asarray(layer)[..., None] * random.uniform(0.7, 1.3, 3)
    pixels += random.standard_normal((height, width, 1), dtype=np.float32) * GRAIN
    Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(path, quality=QUALITY)
