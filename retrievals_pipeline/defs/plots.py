"""A plot for the UI: SVG written by hand, since a picture of bars needs no library.

It is kept under 700 bytes: Dagster shows Markdown of less than 1,000 characters at once, in the
table of an asset's metadata, and longer one only when it is asked for.
"""

from html import escape

import numpy as np
from numpy.typing import ArrayLike

WIDTH, HEIGHT = 560, 168  # px
MARGIN = 16
BASE, TALLEST = 140, 100  # where the bars stand, and the height of the highest
BINS = 24
GAP = 8  # px, between bars that are no bins
STEP = (WIDTH - 2 * MARGIN) // BINS
BAR = "#47a"


def histogram(values: ArrayLike, title: str, *, unit: str = "") -> str:
    """Return how `values` are spread, as SVG; those that are not finite are left out."""
    numbers = np.asarray(values, np.float64)
    numbers = numbers[np.isfinite(numbers)]
    told = f"{title}: {len(numbers):,}"
    if not len(numbers):
        return _svg(_text(MARGIN, 24, told))
    counts, edges = np.histogram(numbers, bins=BINS)
    told += f", median {_number(np.median(numbers))}{unit}; the highest bar is {counts.max():,}"
    tops = BASE - np.ceil(TALLEST * counts / counts.max()).astype(int)
    outline = "".join(f"V{top}h{STEP}" for top in tops)
    low, high = (f"{_number(edge)}{unit}" for edge in (edges[0], edges[-1]))
    return _bars(outline, told, low, high)


def bars(values: ArrayLike, title: str, first: str, last: str, *, unit: str = "") -> str:
    """Return `values`, 0 or more, as bars in their order, as SVG; `first` and `last` name two."""
    numbers = np.asarray(values, np.float64)
    highest = numbers.max()
    step = (WIDTH - 2 * MARGIN) // len(numbers)
    outline = "".join(
        f"V{BASE - round(TALLEST * height / highest)}h{step - GAP}V{BASE}h{GAP}"
        for height in numbers
    )
    return _bars(outline, f"{title}; the highest bar is {_number(highest)}{unit}", first, last)


def _bars(outline: str, title: str, first: str, last: str) -> str:
    ends = _text(MARGIN, 160, first) + _text(WIDTH - MARGIN, 160, last, ' text-anchor="end"')
    shape = f'<path fill="{BAR}" d="M{MARGIN} {BASE}{outline}V{BASE}z"/>'
    return _svg(shape + _text(MARGIN, 24, title) + ends)


def _svg(shapes: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" '
        # White, on which black can be read, whatever theme the UI has.
        f'font-family="sans-serif" font-size="12"><path fill="#fff" d="M0 0h{WIDTH}v{HEIGHT}H0z"/>'
        f"{shapes}</svg>"
    )


def _text(x: int, y: int, text: str, more: str = "") -> str:
    return f'<text x="{x}" y="{y}"{more}>{escape(text)}</text>'


def _number(value: float) -> str:
    """Return a number as people read it: years and sizes whole, cosines with three digits."""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
