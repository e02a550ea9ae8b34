"""Decoding a picture that came over the network: within bounds, whatever its bytes are."""

import io

from PIL import Image, ImageOps

from retrievals_serving.errors import PictureError
from retrievals_serving.models.pictures import to_rgb

MAX_BYTES = 16 << 20  # a photograph of a telephone has 3 to 12 MB
MAX_PIXELS = 64_000_000  # 192 MB decoded
SIDE = 2048  # px of the longer side: no model takes more
FORMATS = ("JPEG", "PNG", "WEBP")  # decoders that a stranger's bytes may reach


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
            _require_bounds(image)
            image.draft("RGB", (SIDE, SIDE))  # a JPEG is then decoded smaller
            picture = to_rgb(ImageOps.exif_transpose(image) if upright else image)
            picture.thumbnail((SIDE, SIDE), reducing_gap=2.0)
            return picture
    except PictureError:
        raise
    # Decoders meet a damaged file with whatever error the damage leads them to.
    except Exception as error:
        raise PictureError(str(error)) from error


def _require_bounds(image: Image.Image) -> None:
    """Refuse a picture that would take too much memory, before it is decoded."""
    if image.width * image.height > MAX_PIXELS:
        raise PictureError(
            f"it has {image.width} x {image.height} pixels, and up to "
            f"{MAX_PIXELS / 1e6:.0f} million are taken"
        )
