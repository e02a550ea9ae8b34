"""The pictures of a folder, read from the disk as a museum's are fetched: JPEGs that fit a box."""

import io
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from threading import Condition, Semaphore

from PIL import ExifTags, Image, ImageOps

from retrievals_pipeline.defs.images.pictures import decoding, opened
from retrievals_pipeline.defs.images.statuses import OK
from retrievals_pipeline.defs.images.transport import UNCHANGED, Answer
from retrievals_serving.errors import RejectedPicture
from retrievals_serving.models.pictures import flat_rgb

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF")
MAX_BYTES = 512 << 20  # of a file; so many have the most pixels that are taken, uncompressed
# Decoded at once. A pixel takes 5 to 10 bytes meanwhile, of WebP 17: at most 2.7 or 4.6 GB, however
# many threads there are.
PIXELS = 1 << 28
QUALITY = 90
UPRIGHT = 1


class PixelBudget:
    """Lets so many pixels be decoded at once; a picture of more waits until it is alone."""

    def __init__(self, pixels: int) -> None:
        self._all = self._left = pixels
        self._changed = Condition()

    @contextmanager
    def taking(self, pixels: int) -> Iterator[None]:
        """Wait until `pixels` more may be decoded, and count them in the context."""
        taken = min(pixels, self._all)
        with self._changed:
            self._changed.wait_for(lambda: self._left >= taken)
            self._left -= taken
        try:
            yield
        finally:
            with self._changed:
                self._left += taken
                self._changed.notify_all()


class Files:
    """Reads the pictures below `root`; safe between threads.

    Args:
        root: The folder.
        box: Side in pixels of the square that a larger picture is made to fit.
    """

    ended = None

    def __init__(self, root: Path, *, box: int) -> None:
        self._root = root
        self._box = box
        self._reading = Semaphore(os.cpu_count() or 1)  # more at once cost memory and gain no time
        self._budget = PixelBudget(PIXELS)

    def fetch(
        self,
        url: str,
        held: Mapping[str, str] | None = None,
        *,
        failed_before: bool = False,  # noqa: ARG002 - a file has no host that could be in trouble
    ) -> Answer:
        """Read the picture at the path `url` of the folder.

        One that is held is decoded only if the bytes of its file are others.
        """
        with self._reading:
            try:
                content = _read(self._root / url)
                etag = f"{sha256(content).hexdigest()}-{self._box}"
                if held and held.get("If-None-Match") == etag:
                    return Answer(status=UNCHANGED)
                picture = fitted(content, self._box, self._budget)
            except OSError as error:
                # Whatever it is may pass, and leaves the file's time as it is. One that is not
                # found was there when the folder was listed: the list alone says what the folder
                # has lost, so that a disk that is away takes no picture with it.
                return Answer(status="unreachable", detail=str(error.strerror))
            except RejectedPicture as error:
                return Answer(status=error.status, detail=str(error))
        headers = {"content-type": "image/jpeg", "etag": etag}
        return Answer(status=OK, headers=headers, content=picture)

    @contextmanager
    def ending_with_errors(self) -> Iterator[None]:
        """Do nothing: no thread waits on a file for long."""
        yield


def fitted(content: bytes, box: int, budget: PixelBudget) -> bytes:
    """Return a picture as an upright JPEG that fits a square of `box` pixels.

    A JPEG that is so already is returned as it is, decoded no further than its header. Others wait
    for their turn in `budget`.

    Raises:
        RejectedPicture: It is none of `FORMATS`, too large, or cut short; says which.
    """
    with decoding(content), opened(content, FORMATS) as picture:
        if _is_fit(picture, box):
            return content
        whole = picture.width * picture.height
        picture.draft("RGB", (2 * box, 2 * box))  # of a JPEG, no more pixels than are needed
        # A progressive one is held whole all the same.
        drafted = picture.width * picture.height
        with budget.taking(whole if picture.info.get("progressive") else drafted):
            return _encoded(picture, box)


def _encoded(picture: Image.Image, box: int) -> bytes:
    ImageOps.exif_transpose(picture, in_place=True)
    profile = picture.info.get("icc_profile") if picture.mode in ("RGB", "RGBA") else None
    if picture.has_transparency_data and picture.mode != "RGBA":
        picture = picture.convert("RGBA")
    small = flat_rgb(picture)
    small.thumbnail((box, box))
    encoded = io.BytesIO()
    small.save(encoded, "JPEG", quality=QUALITY, icc_profile=profile)
    return encoded.getvalue()


def _is_fit(picture: Image.Image, box: int) -> bool:
    return (
        picture.format == "JPEG"
        and picture.mode in ("RGB", "L")
        and max(picture.size) <= box
        and picture.getexif().get(ExifTags.Base.Orientation, UPRIGHT) == UPRIGHT
    )


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        if os.fstat(file.fileno()).st_size > MAX_BYTES:
            raise RejectedPicture("too_large", f"over {MAX_BYTES} bytes")
        return file.read()
