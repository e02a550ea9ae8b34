"""What is done to a picture's bytes before they are kept: verified, measured, a thumbnail made."""

import io
import warnings
from dataclasses import dataclass

from PIL import Image, UnidentifiedImageError

from retrievals_serving.errors import RejectedPicture

JPEG_MAGIC = b"\xff\xd8\xff"
MAX_SIDE = 4096  # pixels; the NGA's servers cap a side at this
THUMBNAIL_SIDE = 400  # pixels; sharp at 200 CSS pixels on a screen of double density


@dataclass(frozen=True)
class CheckedPicture:
    """A picture that was decoded whole.

    Attributes:
        width, height: In pixels.
        color: Its mean colour, `#rrggbb`.
        thumbnail: A WebP of at most 400 px a side.
    """

    width: int
    height: int
    color: str
    thumbnail: bytes


def check_picture(content: bytes, content_type: str) -> CheckedPicture:
    """Decode a JPEG to its last line.

    Raises:
        RejectedPicture: It does not claim to be a picture, is no JPEG, too large, or cut short;
            says which.
    """
    if not content_type.startswith("image/"):
        raise RejectedPicture("not_an_image", f"content type {content_type!r}")
    if not content.startswith(JPEG_MAGIC):
        raise RejectedPicture(
            "not_an_image", f"{len(content)} bytes that begin with {content[:12]!r} are no JPEG"
        )
    try:
        with warnings.catch_warnings():
            # Its size is looked at below, before a pixel is decoded.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            opened = Image.open(io.BytesIO(content), formats=("JPEG",))
        with opened as picture:
            if max(picture.size) > MAX_SIDE:
                raise Image.DecompressionBombError(  # noqa: TRY301 - as Pillow does for larger ones
                    f"{picture.width}×{picture.height} pixels, over {MAX_SIDE} a side"
                )
            size = picture.size
            # Every byte is decoded, but to no more pixels than the thumbnail needs: half the sides,
            # a quarter or an eighth.
            picture.thumbnail(
                (THUMBNAIL_SIDE, THUMBNAIL_SIDE), Image.Resampling.HAMMING, reducing_gap=1
            )
            small = picture.convert("RGB")
    except UnidentifiedImageError as error:
        raise RejectedPicture("not_an_image", str(error)) from error
    except Image.DecompressionBombError as error:
        raise RejectedPicture("too_large", str(error)) from error
    # A decoder meets a damaged file with whatever error the damage leads it to.
    except Exception as error:
        raise RejectedPicture("truncated", f"{len(content)} bytes: {error}") from error
    encoded = io.BytesIO()
    small.save(encoded, "WEBP", quality=80, method=0)  # a third of the time, a sixth larger
    return CheckedPicture(*size, color=mean_color(small), thumbnail=encoded.getvalue())


def mean_color(picture: Image.Image) -> str:
    """Return the mean colour of an RGB picture, `#rrggbb`."""
    red, green, blue = picture.resize((1, 1), Image.Resampling.BOX).tobytes()
    return f"#{red:02x}{green:02x}{blue:02x}"
