"""Decoding a picture that came over the network: within bounds, whatever its bytes are."""

import io
import re
import threading

from PIL import Image, ImageOps, UnidentifiedImageError
from PIL.JpegImagePlugin import JpegImageFile

from retrievals_serving.errors import PictureError
from retrievals_serving.models.pictures import to_rgb

MAX_BYTES = 16 << 20  # a photograph of a telephone has 3 to 12 MB
# Either takes up to 0.5 GB while it is decoded: a WebP 17 bytes a pixel, a progressive JPEG all of
# its coefficients besides what may not be decoded smaller.
MAX_PIXELS = 24_000_000
MAX_JPEG_PIXELS = 50_000_000
MAX_SCANS = 64  # of a JPEG; encoders make about 10, and each costs a pass over all pixels
AT_ONCE = 2  # pictures that are decoded
SIDE = 2048  # px of the longer side: no model takes more
FORMATS = ("JPEG", "PNG", "WEBP")  # decoders that a stranger's bytes may reach

_slots = threading.BoundedSemaphore(AT_ONCE)
# Whatever follows 0xFF is a marker but 0x00, which stands for the 0xFF itself, and 0xFF, which
# fills. Source: ITU-T T.81, section B.1.1.2.
_MARKER = re.compile(rb"\xff([^\x00\xff])")
_END, _SCAN = 0xD9, 0xDA
# Those that a length follows, of the ones that libjpeg reads on after.
_SEGMENTS = frozenset({*range(0xC0, 0xD0), *range(0xDA, 0xDE), *range(0xE0, 0xF0), 0xFE})


def decode_picture(content: bytes, *, upright: bool = False) -> Image.Image:
    """Return the picture in `content` as RGB, no side over 2,048 px.

    Args:
        content: What came; how long it may be, whoever reads it has to bound.
        upright: Turn it as its EXIF says, as people see their photographs. A museum's picture is
            taken as it is stored, as the pipeline does.

    Raises:
        PictureError: It is no JPEG, PNG or WebP, is damaged, or is too large or too thin.
    """
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as image:
            _require_bounds(image, content)
            with _slots:
                return _decoded(image, upright=upright)
    except PictureError:
        raise
    except UnidentifiedImageError as error:
        raise PictureError("it is no JPEG, PNG or WebP: send one of these, whole") from error
    except Image.DecompressionBombError as error:
        raise PictureError(f"it has too many pixels: {error}") from error
    # Decoders meet a damaged file with whatever error the damage leads them to.
    except Exception as error:
        raise PictureError(f"it is damaged: {error}") from error


def _decoded(image: Image.Image, *, upright: bool) -> Image.Image:
    image.draft("RGB", (SIDE, SIDE))  # a JPEG is then decoded smaller
    picture = to_rgb(image)
    picture.thumbnail((SIDE, SIDE), reducing_gap=2.0)
    if not upright:
        return picture
    picture.info |= image.info  # what was laid on white has no EXIF of its own
    return ImageOps.exif_transpose(picture)


def _require_bounds(image: Image.Image, content: bytes) -> None:
    """Refuse a picture that would take too much memory or time, before it is decoded."""
    is_jpeg = isinstance(image, JpegImageFile)
    most = MAX_JPEG_PIXELS if is_jpeg else MAX_PIXELS
    if image.width * image.height > most:
        raise PictureError(
            f"it has {image.width} x {image.height} pixels, and up to {most / 1e6:.0f} million "
            f"are taken of a {image.format}"
        )
    if is_jpeg and (scans := _scans_of(content)) > MAX_SCANS:
        raise PictureError(f"it has {scans} scans, and up to {MAX_SCANS} are taken")


def _scans_of(jpeg: bytes) -> int:
    """Count the scans of a JPEG, and not those of a preview within, or of what comes after its end.

    Bytes that look like scans are also in the film that a telephone puts after a picture.
    """
    scans, place = 0, 2  # after the marker of the start
    while found := _MARKER.search(jpeg, place):
        marker, place = found[1][0], found.end()
        if marker == _END:
            break
        scans += marker == _SCAN
        if marker in _SEGMENTS:
            place += int.from_bytes(jpeg[place : place + 2], "big")
    return scans
