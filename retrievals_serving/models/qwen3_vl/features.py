"""What the vision tower made of pictures seen before, kept for the next query about them.

A picture's features depend on no query, so of a picture seen before only the language half of a
forward is left: a good half of the work at 256 visual tokens.
"""

import hashlib
import threading
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from PIL import Image

from retrievals_serving.models.pictures import Source, load_picture, reading
from retrievals_serving.models.qwen3_vl.pixels import Grid

if TYPE_CHECKING:
    from torch import Tensor


class Known(NamedTuple):
    """What is kept of a picture."""

    grid: Grid
    features: "Tensor"


class FeatureStore:
    """The features of the pictures used last, in at most `max_bytes`, on the device.

    Safe to use from several threads.
    """

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.bytes = 0
        self._kept: OrderedDict[str, Known] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: str) -> Known | None:
        """Return what is kept under `key`, or None."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def put(self, key: str, grid: Grid, features: "Tensor") -> None:
        """Keep features, in place of those that were not used for the longest time."""
        if features.nbytes > self.max_bytes:
            return
        with self._lock:
            if key in self._kept:
                return
            # A copy of its own: a view would hold the memory of the whole batch.
            self._kept[key] = Known(grid, features.clone())
            self.bytes += features.nbytes
            while self.bytes > self.max_bytes:
                self.bytes -= self._kept.popitem(last=False)[1].features.nbytes


def picture_key(source: Source) -> str:
    """Return what a picture is known by: of a file its path, size and time, else the pixels' hash.

    Raises:
        PictureError: It cannot be read; names it.
    """
    with reading(source):
        if isinstance(source, Image.Image):
            picture = load_picture(source)
            return hashlib.sha256(f"{picture.size}".encode() + picture.tobytes()).hexdigest()
        file = Path(source)
        status = file.stat()
        return f"{file.absolute()} {status.st_size} {status.st_mtime_ns}"
