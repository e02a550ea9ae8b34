"""Pictures as every embedder takes them: decoded, as RGB. Only Pillow and numpy."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image

from retrievals_serving.errors import PictureError

Source = Path | Image.Image
_opened = threading.Lock()  # Pillow reads an open picture's file as it is asked, in no safe order
MAX_RATIO = 200  # of the longer side to the shorter; the limit of the Qwen3-VL family


def load_picture(source: Source) -> Image.Image:
    """Return the picture decoded, as RGB.

    Raises:
        PictureError: It is not a picture, is damaged, or is far too long and thin; names it.
    """
    with reading(source):
        if isinstance(source, Image.Image):
            with _opened:
                return to_rgb(source)
        with Image.open(source) as image:
            return to_rgb(image)


def picture_size(source: Source) -> tuple[int, int]:
    """Return the (width, height) in px that a file says its picture has, without decoding it.

    Raises:
        PictureError: It is not a picture, or is far too long and thin; names it.
    """
    with reading(source):
        if isinstance(source, Image.Image):
            return proportioned(source).size
        with Image.open(source) as image:
            return proportioned(image).size


@contextmanager
def reading(source: Source) -> Iterator[None]:
    """Make a `PictureError` that names the picture of whatever goes wrong while it is read."""
    try:
        yield
    except MemoryError as error:  # which says nothing of the picture
        raise PictureError(
            f"{_name(source)} cannot be embedded: it takes more memory than is left. Leave it out, "
            "or make room."
        ) from error
    # Decoders meet a damaged file with whatever error the damage leads them to.
    except Exception as error:
        raise PictureError(
            f"{_name(source)} cannot be embedded: {error}. Fetch it again or leave it out."
        ) from error


def _name(source: Source) -> str:
    """Return what a picture is called in a message."""
    name = getattr(source, "filename", None) if isinstance(source, Image.Image) else source
    return str(name or "a picture")


def proportioned(image: Image.Image) -> Image.Image:
    """Return `image`.

    Raises:
        PictureError: One of its sides is more than 200 times the other, or 0.
    """
    longer, shorter = max(image.size), min(image.size)
    if shorter < 1 or longer > MAX_RATIO * shorter:
        raise PictureError(
            f"{image.width} x {image.height} px is too long and thin, models take up to "
            f"{MAX_RATIO}:1"
        )
    return image


def to_rgb(image: Image.Image) -> Image.Image:
    """Return the pixels as RGB, as the models' own code does: no turning by EXIF orientation.

    Raises:
        PictureError: It is far too long and thin, or has 32-bit or signed numbers.
    """
    return flat_rgb(proportioned(image))


def flat_rgb(image: Image.Image) -> Image.Image:
    """Return the pixels as RGB, whatever its proportions.

    RGBA is laid on white. 16-bit grey is scaled to 8 bits, where Pillow would clip it to white.

    Raises:
        PictureError: It has 32-bit or signed numbers, of which nothing says which is white.
    """
    if image.mode in ("I", "F"):
        raise PictureError(
            f"its pixels are numbers of Pillow's mode {image.mode}, of which nothing says which is "
            "white: save it with 8 bits, or 16 without a sign"
        )
    image.load()
    if image.mode == "RGB":
        return image
    if image.mode == "RGBA":
        white = Image.new("RGB", image.size, "white")
        white.paste(image, mask=image.getchannel("A"))
        return white
    if image.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8)).convert("RGB")
    return image.convert("RGB")
