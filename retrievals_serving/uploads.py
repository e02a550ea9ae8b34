"""A picture that a visitor sends: decoded within bounds, and turned the right way up."""

import io

from PIL import Image, ImageOps

from retrievals_serving.errors import PictureError, QueryError
from retrievals_serving.models.pictures import to_rgb

MAX_UPLOAD = 16 << 20  # bytes: a photograph of a telephone has 3 to 12 MB
MAX_PIXELS = 64_000_000  # 192 MB decoded
SIDE = 2048  # px of the longer side: no model takes more
FORMATS = ("JPEG", "PNG", "WEBP")  # decoders that a stranger's bytes may reach


def decode_upload(content: bytes) -> Image.Image:
    """Return the picture in `content` as RGB, no side over 2,048 px.

    A photograph is turned as its EXIF says: people send pictures as they see them.

    Raises:
        QueryError: It is no JPEG, PNG or WebP, is damaged, or is too large or too thin.
    """
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as image:
            _require_bounds(image)
            image.draft("RGB", (SIDE, SIDE))  # a JPEG is then decoded smaller
            picture = to_rgb(ImageOps.exif_transpose(image))
            picture.thumbnail((SIDE, SIDE), reducing_gap=2.0)
            return picture
    # Decoders meet a damaged file with whatever error the damage leads them to.
    except Exception as error:
        raise QueryError(
            f"file: the picture cannot be read: {error}. Send a JPEG, PNG or WebP of up to "
            f"{MAX_PIXELS / 1e6:.0f} million pixels."
        ) from error


def _require_bounds(image: Image.Image) -> None:
    """Refuse a picture that would take too much memory, before it is decoded."""
    if image.width * image.height > MAX_PIXELS:
        raise PictureError(f"it has {image.width} x {image.height} pixels")
