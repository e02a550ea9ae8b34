"""Pictures in the sizes that the vision tower takes: sides multiples of 32 px, within a budget.

The rules are those of the family's own `qwen_vl_utils` (0.0.14), which the published vectors were
made with. `PREPARATION` is part of the corpus contract: rename it with any change, here or in
`vision.patchify`, that changes a number.
"""

import math
from typing import NamedTuple

import numpy as np
from PIL import Image

from retrievals_serving.models.pictures import Source, load_picture, picture_size

PREPARATION = "qwen-vl-utils 0.0.14, 16-bit scaled"
PATCH = 16  # px; what the vision tower takes as one
MERGE = 2  # patches a side of a visual token
SIDE = PATCH * MERGE  # px; one visual token
MIN_PIXELS = 4 * SIDE**2
MAX_PIXELS = 1800 * SIDE**2
LARGEST_PICTURE = 16384 * SIDE**2  # px; the family's own limit of a picture
PREPROCESSING = {
    "patch_size": PATCH,
    "merge_size": MERGE,
    "temporal_patch_size": 2,  # a still picture is shown as two equal frames
    "image_mean": [0.5, 0.5, 0.5],
    "image_std": [0.5, 0.5, 0.5],
}


class Grid(NamedTuple):
    """A picture's visual tokens."""

    rows: int
    columns: int

    @property
    def tokens(self) -> int:
        """How many there are."""
        return self.rows * self.columns


def fitted_size(width: int, height: int, max_pixels: int = MAX_PIXELS) -> tuple[int, int]:
    """Return the (width, height) in px that a picture is resized to.

    The rule is `smart_resize` of `qwen_vl_utils`: round each side to a multiple of 32; if that is
    more than `max_pixels`, scale the picture down and round below; if it is fewer than
    `MIN_PIXELS`, scale it up and round above. A side never falls below 32, which under a very small
    budget the original would let fall to 0.
    """
    columns, rows = (max(1, round(side / SIDE)) for side in (width, height))
    if columns * rows * SIDE**2 > max_pixels:
        scale = math.sqrt(width * height / max_pixels)
        columns, rows = (max(1, math.floor(side / scale / SIDE)) for side in (width, height))
    elif columns * rows * SIDE**2 < MIN_PIXELS:
        scale = math.sqrt(MIN_PIXELS / (width * height))
        columns, rows = (math.ceil(side * scale / SIDE) for side in (width, height))
    return columns * SIDE, rows * SIDE


def fitted_grid(source: Source, max_pixels: int) -> Grid:
    """Return the grid of visual tokens that a picture will take, from its header.

    Raises:
        PictureError: It is not a picture, or is far too long and thin; names it.
    """
    width, height = fitted_size(*picture_size(source), max_pixels)
    return Grid(height // SIDE, width // SIDE)


def grid_of(pixels: np.ndarray) -> Grid:
    """Return the grid of fitted pixels, (height, width, 3)."""
    return Grid(pixels.shape[0] // SIDE, pixels.shape[1] // SIDE)


def read_pixels(source: Source, max_pixels: int) -> np.ndarray:
    """Return a picture decoded and resized, bicubic, to its `fitted_size`.

    Returns:
        uint8, shape (height, width, 3).

    Raises:
        PictureError: It cannot be read, or is far too long and thin; names it.
    """
    picture = load_picture(source)
    size = fitted_size(*picture.size, max_pixels)
    if picture.size != size:
        picture = picture.resize(size, Image.Resampling.BICUBIC)
    return np.array(picture)  # a copy, because torch takes no read-only memory
