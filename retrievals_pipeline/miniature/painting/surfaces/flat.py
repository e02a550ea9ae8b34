"""Few colours: what a picture is cut down to before it is printed from blocks or stones."""

from collections.abc import Callable

import numpy as np
from PIL import Image

from retrievals_pipeline.miniature.painting.canvas import Floats
from retrievals_pipeline.miniature.painting.surfaces.textures import coarse

ROUNDS = 4
SAMPLE = 80  # pixels a side that the colours are chosen from
WIDENED = [max(0, min(255, round(128 + (value - 128) * 1.7))) for value in range(256)]


def flattened(picture: Image.Image, count: int, inks: Callable[[Floats], Floats]) -> Image.Image:
    """Return the picture in at most `count` flat colours, rare strong ones among them.

    `inks` gives the colours as printed, float32 (count, 3), 0 to 255, from those of the picture.
    """
    half = coarse(picture, 512)
    seen = _seen(half)
    kinds, colors = _kinds(seen, half, count)
    stone = Image.new("P", (1, 1))
    stone.putpalette(np.clip(kinds, 0, 255).astype(np.uint8).tobytes())
    places = seen.quantize(palette=stone, dither=Image.Dither.NONE)
    places.putpalette(np.clip(inks(colors), 0, 255).astype(np.uint8).tobytes())
    return places.convert("RGB").resize(picture.size, Image.Resampling.BICUBIC)


def purer(colors: Floats, share: float) -> Floats:
    """Return colours (n, 3) farther from grey by a share."""
    grey = colors.mean(1, keepdims=True)
    return np.asarray(grey + (colors - grey) * np.float32(1 + share), np.float32)


def _seen(picture: Image.Image) -> Image.Image:
    """Return the picture in three values whose distances weigh hue more than tone."""
    tone, blue, red = picture.convert("YCbCr").split()
    return Image.merge("RGB", (tone, blue.point(WIDENED), red.point(WIDENED)))


def _kinds(seen: Image.Image, picture: Image.Image, count: int) -> tuple[Floats, Floats]:
    """Return the middles of `count` kinds of colour as seen, and the RGB colour of each."""
    step = max(1, max(picture.size) // SAMPLE)
    samples, colors = (
        np.asarray(each)[::step, ::step].reshape(-1, 3).astype(np.float32)
        for each in (seen, picture)
    )
    middles = _far_apart(samples, count)
    for _ in range(ROUNDS):
        members = _members(samples, middles)
        middles = _means(members, samples, middles)
    return middles, _means(members, colors, middles)


def _far_apart(samples: Floats, count: int) -> Floats:
    """Return samples far from each other, the commonest kind first."""
    chosen = [np.median(samples, axis=0)]
    nearest = ((samples - chosen[0]) ** 2).sum(1)
    for _ in range(count - 1):
        chosen.append(samples[nearest.argmax()])
        nearest = np.minimum(nearest, ((samples - chosen[-1]) ** 2).sum(1))
    return np.asarray(chosen, np.float32)


def _members(samples: Floats, middles: Floats) -> Floats:
    """Return 1 where a sample is of a kind and 0 elsewhere, float32 (kinds, samples)."""
    far = (middles**2).sum(1)[:, None] - 2 * middles @ samples.T
    return np.asarray(far.argmin(0)[None] == np.arange(len(middles))[:, None], np.float32)


def _means(members: Floats, values: Floats, otherwise: Floats) -> Floats:
    """Return the mean value of each kind; a kind without members keeps what it had."""
    counts = members.sum(1, keepdims=True)
    return np.where(counts > 0, members @ values / np.maximum(counts, 1), otherwise)
