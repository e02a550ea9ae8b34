"""Plots for the UI: SVG of a few KB, written by hand, since a picture of bars needs no library."""

from collections.abc import Mapping, Sequence
from html import escape

import numpy as np
from numpy.typing import ArrayLike

WIDTH = 560  # px, of every plot
MARGIN = 16
HEIGHT = 120  # of a histogram's highest bar
ROW = 20  # of one bar of `bars`
LABEL = 150
BINS = 32
# Colours that can be read on the white of the plot, whatever theme the UI has.
BAR, INK, FAINT = "#4a6fa5", "#333333", "#999999"


def histogram(values: ArrayLike, title: str, *, unit: str = "") -> str:
    """Return how `values` are spread, as SVG; those that are not finite are left out."""
    numbers = np.asarray(values, np.float64)
    numbers = numbers[np.isfinite(numbers)]
    height = HEIGHT + 4 * MARGIN
    if not len(numbers):
        return _svg(height, [_text(MARGIN, 2 * MARGIN, f"{title}: nothing to show")])
    heights, edges = np.histogram(numbers, bins=BINS)
    step = (WIDTH - 2 * MARGIN) / BINS
    base = HEIGHT + 2.5 * MARGIN
    shapes = [
        _bar(MARGIN + place * step, base - tall, step - 1, tall)
        for place, tall in enumerate(HEIGHT * heights / heights.max())
        if tall
    ]
    low, middle, high = (_number(number) for number in (edges[0], np.median(numbers), edges[-1]))
    told = f"{title} — {len(numbers):,}, median {middle}{unit}, at most {heights.max():,} in a bar"
    texts = [
        _text(MARGIN, 1.25 * MARGIN, told),
        _text(MARGIN, base + MARGIN, f"{low}{unit}", color=FAINT),
        _text(WIDTH - MARGIN, base + MARGIN, f"{high}{unit}", color=FAINT, anchor="end"),
    ]
    return _svg(height, shapes + texts)


def bars(values: Mapping[str, int], title: str, *, most: int = 12) -> str:
    """Return a bar for each of the `most` largest of `values`, as SVG; the rest is one bar."""
    ordered = sorted(values.items(), key=lambda item: (-item[1], item[0]))
    shown = ordered[:most]
    if rest := ordered[most:]:
        shown.append((f"{len(rest)} others", sum(count for _, count in rest)))
    longest = max((count for _, count in shown), default=1)
    room = WIDTH - LABEL - 5 * MARGIN
    shapes = [_text(MARGIN, 1.25 * MARGIN, f"{title} — {sum(values.values()):,}")]
    for place, (name, count) in enumerate(shown):
        top = 2 * MARGIN + place * ROW
        length = room * count / longest
        shapes += [
            _text(LABEL - 8, top + 13, name if len(name) <= 22 else f"{name[:21]}…", anchor="end"),
            _bar(LABEL, top, length, ROW - 4),
            _text(LABEL + length + 6, top + 13, f"{count:,}", color=FAINT),
        ]
    return _svg(3 * MARGIN + len(shown) * ROW, shapes)


def _svg(height: float, shapes: Sequence[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height:g}" '
        'font-family="sans-serif" font-size="12">'
        f'<rect width="100%" height="100%" fill="#ffffff"/>{"".join(shapes)}</svg>'
    )


def _bar(x: float, y: float, width: float, height: float) -> str:
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{BAR}"/>'


def _text(x: float, y: float, text: str, *, color: str = INK, anchor: str = "start") -> str:
    return f'<text x="{x:g}" y="{y:g}" fill="{color}" text-anchor="{anchor}">{escape(text)}</text>'


def _number(value: float) -> str:
    """Return a number as people read it: years and pixels whole, cosines with three digits."""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
