"""A contact sheet: thumbnails side by side in one small picture."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path

from PIL import Image, ImageOps

from retrievals_pipeline.defs.inline import small_webp

TILE = 112  # px, the side of the square that each thumbnail is fitted into
GAP = 4
COLUMNS = 6


def contact_sheet(thumbnails: Iterable[Path], *, most: int) -> bytes | None:
    """Return the first `most` of `thumbnails` that can be read, as one WebP of at most 32 KB.

    None when there is none.
    """
    tiles = list(islice(_tiles(thumbnails), most))
    if not tiles:
        return None
    columns = min(COLUMNS, len(tiles))
    rows = -(-len(tiles) // columns)
    sheet = Image.new("RGB", (_side(columns), _side(rows)), "white")
    for place, tile in enumerate(tiles):
        row, column = divmod(place, columns)
        left = _side(column) + (TILE - tile.width) // 2
        top = _side(row) + (TILE - tile.height) // 2
        sheet.paste(tile, (left, top))
    return small_webp(sheet)


def read_tile(path: Path) -> Image.Image | None:
    """Return the thumbnail at `path`, fitted into a tile; None when it is lost or damaged."""
    with suppress(OSError), Image.open(path) as opened:
        return ImageOps.contain(opened.convert("RGB"), (TILE, TILE))
    return None


def _side(tiles: int) -> int:
    """Return how many pixels so many tiles side by side take, with the gaps around them."""
    return GAP + tiles * (TILE + GAP)


def _tiles(thumbnails: Iterable[Path]) -> Iterator[Image.Image]:
    for path in thumbnails:
        # One that is lost or damaged is left out here, and named by the checks.
        if tile := read_tile(path):
            yield tile
