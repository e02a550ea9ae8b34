"""Where the IIIF server's pictures come from, and the few of them it keeps decoded."""

import os
import re
from collections import OrderedDict
from concurrent.futures import Future
from pathlib import Path
from threading import Lock, Semaphore
from typing import Protocol

from PIL import Image, ImageOps

from retrievals_serving.errors import PictureError, SettingsError

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".tif")
IDENTIFIER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
CACHE_BYTES = 128 << 20
PIXEL_BYTES = 4  # of Pillow's RGB in memory


class PictureSource(Protocol):
    """Pictures by identifier; both methods are called from several threads at once."""

    def version(self, identifier: str) -> str | None:
        """Return a word that changes whenever the picture does, or None where there is none."""
        ...

    def open(self, identifier: str) -> Image.Image | None:
        """Return the whole picture, decoded, RGB, upright; None where there is none."""
        ...


class FolderPictures:
    """The pictures of a folder, each under its name without the suffix.

    Raises:
        SettingsError: `folder` is not a folder.
    """

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise SettingsError(
                f"pictures: {folder} is not a folder; name one that holds pictures."
            )
        self._folder = folder

    def version(self, identifier: str) -> str | None:
        """Return name, time and size of the picture's file, or None where there is none."""
        path = self._path(identifier)
        if path is None:
            return None
        stat = path.stat()
        return f"{path.name}-{stat.st_mtime_ns:x}-{stat.st_size:x}"

    def open(self, identifier: str) -> Image.Image | None:
        """Decode the picture's file.

        Raises:
            PictureError: The file is not a picture that can be read.
        """
        path = self._path(identifier)
        if path is None:
            return None
        try:
            with Image.open(path) as picture:
                return ImageOps.exif_transpose(picture).convert("RGB")
        except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
            raise PictureError(
                f"{path} cannot be read as a picture ({error}); replace it."
            ) from error

    def _path(self, identifier: str) -> Path | None:
        if IDENTIFIER.fullmatch(identifier) is None:  # so that no name leaves the folder
            return None
        paths = (self._folder / f"{identifier}{suffix}" for suffix in SUFFIXES)
        return next((path for path in paths if path.is_file()), None)


class DecodedPictures:
    """The pictures of `source` used last, up to `max_bytes` of pixels; safe between threads.

    A picture that several threads want at once is decoded by one of them.
    """

    def __init__(self, source: PictureSource, max_bytes: int = CACHE_BYTES) -> None:
        self._source = source
        self._max_bytes = max_bytes
        self._lock = Lock()
        self._decoding = Semaphore(os.cpu_count() or 1)  # more at once cost memory and gain no time
        self._pictures: OrderedDict[tuple[str, str], Future[Image.Image | None]] = OrderedDict()
        self._sizes: dict[tuple[str, str], int] = {}  # of those that are decoded

    def get(self, identifier: str, version: str) -> Image.Image | None:
        """Return the picture, decoded once for all who ask for this version of it."""
        key = (identifier, version)
        with self._lock:
            waiting = self._pictures.get(key)
            if waiting is None:
                future = self._pictures[key] = Future()
            else:
                self._pictures.move_to_end(key)
        if waiting is not None:
            return waiting.result()
        try:
            with self._decoding:
                picture = self._source.open(identifier)
        except BaseException as error:
            with self._lock:
                del self._pictures[key]
            future.set_exception(error)
            raise
        future.set_result(picture)
        self._keep(key, picture)
        return picture

    def _keep(self, key: tuple[str, str], picture: Image.Image | None) -> None:
        with self._lock:
            if picture is None:
                del self._pictures[key]
                return
            self._sizes[key] = picture.width * picture.height * PIXEL_BYTES
            held = sum(self._sizes.values())
            for oldest in list(self._pictures):
                if held <= self._max_bytes:
                    break
                if oldest in self._sizes:  # the others are still being decoded
                    held -= self._sizes.pop(oldest)
                    del self._pictures[oldest]
