"""Pictures as the Qwen3-VL family takes them: RGB, sides multiples of 32 px, cut into patches.

Only Pillow and numpy. The rules are those of the family's own `qwen_vl_utils` (0.0.14), which the
published vectors were made with; the layout of the patches is that of transformers'
`Qwen2VLImageProcessorPil`. `PREPARATION` is part of the corpus contract: rename it with any change
here that changes a number.
"""

import math
from pathlib import Path

import numpy as np
from PIL import Image

from retrievals_serving.errors import PictureError

PREPARATION = "qwen-vl-utils 0.0.14, 16-bit scaled"
PATCH = 16  # px; what the vision tower takes as one
MERGE = 2  # patches a side of a visual token
FRAMES = 2  # a still picture is shown to the vision tower as two equal frames
SIDE = PATCH * MERGE  # px; one visual token
MIN_PIXELS = 4 * SIDE**2
MAX_PIXELS = 1800 * SIDE**2
MAX_RATIO = 200

# float32 of each byte: to 0..1, then mean 0.5 and standard deviation 0.5, rounded at the same
# steps as transformers rounds.
LEVELS = ((np.arange(256) * (1 / 255)).astype(np.float32) - np.float32(0.5)) / np.float32(0.5)


def load_picture(source: Path | Image.Image) -> Image.Image:
    """Return the picture decoded, as RGB. One that is returned can be embedded.

    Raises:
        PictureError: It is not a picture, is damaged, or is far too long and thin; names it.
    """
    try:
        if isinstance(source, Image.Image):
            picture = to_rgb(source)
        else:
            with Image.open(source) as image:
                picture = to_rgb(image)
        fitted_size(*picture.size)
    # Decoders meet a damaged file with whatever error the damage leads them to.
    except Exception as error:
        name = getattr(source, "filename", None) if isinstance(source, Image.Image) else source
        raise PictureError(
            f"{name or 'a picture'} cannot be embedded: {error}. Fetch it again or leave it out."
        ) from error
    return picture


def to_rgb(image: Image.Image) -> Image.Image:
    """Return the pixels as RGB, as the family's own code does: no turning by EXIF orientation.

    RGBA is laid on white. 16-bit grey is scaled to 8 bits, where Pillow would clip it to white.
    """
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


def fitted_size(width: int, height: int, max_pixels: int = MAX_PIXELS) -> tuple[int, int]:
    """Return the (width, height) in px that a picture is resized to.

    The rule is `smart_resize` of `qwen_vl_utils`: round each side to a multiple of 32; if that is
    more than `max_pixels`, scale the picture down and round below; if it is fewer than
    `MIN_PIXELS`, scale it up and round above. A side never falls below 32, which under a very small
    budget the original would let fall to 0.

    Raises:
        PictureError: One side is more than 200 times the other, or 0.
    """
    longer, shorter = max(width, height), min(width, height)
    if shorter < 1 or longer > MAX_RATIO * shorter:
        raise PictureError(
            f"{width} x {height} px is too long and thin, the model takes up to {MAX_RATIO}:1"
        )
    columns, rows = (max(1, round(side / SIDE)) for side in (width, height))
    if columns * rows * SIDE**2 > max_pixels:
        scale = math.sqrt(width * height / max_pixels)
        columns, rows = (max(1, math.floor(side / scale / SIDE)) for side in (width, height))
    elif columns * rows * SIDE**2 < MIN_PIXELS:
        scale = math.sqrt(MIN_PIXELS / (width * height))
        columns, rows = (math.ceil(side * scale / SIDE) for side in (width, height))
    return columns * SIDE, rows * SIDE


def fit(picture: Image.Image, max_pixels: int = MAX_PIXELS) -> Image.Image:
    """Return the RGB picture resized, bicubic, to its `fitted_size`."""
    size = fitted_size(*picture.size, max_pixels)
    return picture if picture.size == size else picture.resize(size, Image.Resampling.BICUBIC)


def grid(picture: Image.Image) -> tuple[int, int, int]:
    """Return how many patches a fitted picture has in time, height and width."""
    return 1, picture.height // PATCH, picture.width // PATCH


def visual_tokens(picture: Image.Image) -> int:
    """Return how many tokens of the prompt a fitted picture takes."""
    return picture.width * picture.height // SIDE**2


def patchify(picture: Image.Image) -> np.ndarray:
    """Cut a fitted RGB picture into the rows that the vision tower takes.

    Returns:
        float32 in -1..1, shape (patches, 3 · 2 · 16 · 16): the four patches of a visual token stand
        together, and within a row the order is channel, frame, y, x.
    """
    pixels = np.asarray(picture)  # (height, width, 3) uint8
    rows, columns = picture.height // SIDE, picture.width // SIDE
    blocks = pixels.reshape(rows, MERGE, PATCH, columns, MERGE, PATCH, 3)
    patches = blocks.transpose(0, 3, 1, 4, 6, 2, 5).reshape(-1, 3, 1, PATCH**2)
    return np.repeat(LEVELS.take(patches), FRAMES, axis=2).reshape(len(patches), -1)
