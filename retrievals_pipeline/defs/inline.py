"""Pictures inside what people read, where no other file can be asked for: at `data:` addresses."""

import io
from base64 import b64encode

from PIL import Image

WEBP = "image/webp"
SVG = "image/svg+xml"
MAX_BYTES = 32_768  # Dagster keeps it with each materialization, a third larger as text
QUALITIES = (75, 50, 25, 10)


def data_uri(content: bytes, media_type: str) -> str:
    """Return the address that has `content` in itself."""
    return f"data:{media_type};base64,{b64encode(content).decode('ascii')}"


def small_webp(picture: Image.Image, most: int = MAX_BYTES) -> bytes:
    """Return `picture` as WebP, as good as `most` bytes allow."""
    for quality in QUALITIES:
        encoded = io.BytesIO()
        picture.save(encoded, "WEBP", quality=quality)
        if encoded.tell() <= most:
            break
    return encoded.getvalue()
