"""Few colours: what a picture is cut down to before it is printed from blocks or stones."""

import numpy as np
from PIL import Image

from retrievals_pipeline.miniature.canvas import Floats

ROUNDS = 5
WIDENED = [max(0, min(255, round(128 + (value - 128) * 1.7))) for value in range(256)]


def kinds_of(picture: Image.Image, count: int) -> tuple[Floats, Floats]:
    """Return `count` kinds of colour, rare strong ones among them, and the mean colour of each.

    Both are float32 (count, 3): the kinds as `flattened` takes them, the colours as RGB.
    """
    step = max(1, max(picture.size) // 96)
    small = picture.reduce(step)
    seen, colors = _seen(small), np.asarray(small, np.float32).reshape(-1, 3)
    places = np.asarray(seen, np.float32).reshape(-1, 3)
    centres, nearest = _farthest(places, count), np.zeros(len(places), np.int64)
    for _ in range(ROUNDS):
        nearest = _distances(places, centres).argmin(1)
        for number in range(count):
            centres[number] = places[nearest == number].mean(0)
    return centres, np.stack([colors[nearest == number].mean(0) for number in range(count)])


def flattened(picture: Image.Image, kinds: Floats, inks: Floats) -> Image.Image:
    """Return the picture with each pixel in the ink, (n, 3), of the nearest of `kinds`."""
    stone = Image.new("P", (1, 1))
    stone.putpalette(np.clip(kinds, 0, 255).astype(np.uint8).tobytes())
    places = _seen(picture.reduce(2)).quantize(palette=stone, dither=Image.Dither.NONE)
    places.putpalette(np.clip(inks, 0, 255).astype(np.uint8).tobytes())
    return places.convert("RGB").resize(picture.size, Image.Resampling.BICUBIC)


def _seen(picture: Image.Image) -> Image.Image:
    """Return the picture in three values whose distances weigh hue more than tone."""
    tone, blue, red = picture.convert("YCbCr").split()
    return Image.merge("RGB", (tone, blue.point(WIDENED), red.point(WIDENED)))


def purer(colors: Floats, share: float) -> Floats:
    """Return colours (n, 3) farther from grey by a share."""
    grey = colors.mean(1, keepdims=True)
    return np.asarray(grey + (colors - grey) * np.float32(1 + share), np.float32)


def _farthest(colors: Floats, count: int) -> Floats:
    """Return colours far from each other, the commonest kind first."""
    chosen = [np.median(colors, axis=0)]
    nearest = _distances(colors, np.asarray(chosen, np.float32))[:, 0]
    for _ in range(count - 1):
        chosen.append(colors[nearest.argmax()])
        nearest = np.minimum(nearest, ((colors - chosen[-1]) ** 2).sum(1))
    return np.asarray(chosen, np.float32)


def _distances(colors: Floats, centres: Floats) -> Floats:
    """Return squared distances, (n, k)."""
    return np.asarray(((colors[:, None] - centres[None]) ** 2).sum(2), np.float32)
