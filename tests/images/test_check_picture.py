"""A picture is verified whole, whatever is left out to make its thumbnail quickly."""

import io
import random
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from retrievals_pipeline.defs.images.pictures import check_picture
from retrievals_serving.errors import RejectedPicture

SIZE = (1024, 700)  # decoded to half of it for the thumbnail


def scene(size: tuple[int, int] = SIZE) -> Image.Image:
    """Shapes and a gradient under a little noise, of colours all over the range."""
    width, height = size
    y, x = np.mgrid[:height, :width]
    cell = max(size) // 25
    pixels = np.stack(
        [x * 255 // width, y * 255 // height, (x // cell + y // cell) % 2 * 180], axis=-1
    )
    noise = np.random.default_rng(0).integers(-12, 12, pixels.shape)
    return Image.fromarray(np.clip(pixels + noise, 0, 255).astype(np.uint8))


def jpeg(mode: str = "RGB", size: tuple[int, int] = SIZE, **options: object) -> bytes:
    content = io.BytesIO()
    scene(size).convert(mode).save(content, "JPEG", quality=85, **options)
    return content.getvalue()


def is_whole(content: bytes) -> bool:
    """Whether every pixel of it can be decoded at its full size."""
    try:
        with Image.open(io.BytesIO(content), formats=("JPEG",)) as picture:
            picture.load()
    except (OSError, SyntaxError):
        return False
    return True


def is_taken(content: bytes) -> bool:
    try:
        check_picture(content, "image/jpeg")
    except RejectedPicture:
        return False
    return True


KINDS = {
    "baseline": jpeg(),
    "progressive": jpeg(progressive=True),
    "with restarts": jpeg(restart_marker_rows=1),
    "grey": jpeg("L"),
    "for print": jpeg("CMYK"),
}


def cut(content: bytes, chance: random.Random) -> bytes:
    return content[: chance.randrange(1, len(content))]


def cut_at_the_end(content: bytes, chance: random.Random) -> bytes:
    return content[: -chance.randrange(1, 60)]


def change_bytes(content: bytes, chance: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(chance.choice((1, 20))):
        changed[chance.randrange(len(content))] = chance.randrange(256)
    return bytes(changed)


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_that_is_cut_short_anywhere_is_refused(kind: str) -> None:
    chance = random.Random(3)
    assert is_taken(KINDS[kind])
    assert not any(is_taken(cut(KINDS[kind], chance)) for _ in range(30))


@pytest.mark.parametrize("damage", [cut_at_the_end, change_bytes])
@pytest.mark.parametrize("kind", KINDS)
def test_what_decoding_every_pixel_refuses_is_refused_and_nothing_else(
    kind: str, damage: Callable[[bytes, random.Random], bytes]
) -> None:
    chance = random.Random(3)
    damaged = [damage(KINDS[kind], chance) for _ in range(30)]
    assert [is_taken(content) for content in damaged] == [*map(is_whole, damaged)]


@pytest.mark.parametrize(
    ("size", "thumbnail"),
    [
        (SIZE, (400, 273)),
        ((700, 1024), (273, 400)),
        ((3000, 2000), (400, 267)),
        ((1024, 90), (400, 35)),
        ((300, 200), (300, 200)),
    ],
)
def test_a_thumbnail_looks_like_its_picture(
    size: tuple[int, int], thumbnail: tuple[int, int]
) -> None:
    content = jpeg(size=size)
    picture = check_picture(content, "image/jpeg")
    assert (picture.width, picture.height) == size
    with Image.open(io.BytesIO(picture.thumbnail)) as small:
        assert (small.format, small.size) == ("WEBP", thumbnail)
        pixels = np.asarray(small.convert("RGB"), np.float32)
    with Image.open(io.BytesIO(content)) as whole:
        expected = whole.resize(thumbnail, Image.Resampling.LANCZOS)
    assert np.abs(pixels - np.asarray(expected, np.float32)).mean() < 8  # of 255
    mean = np.array([int(picture.color[start : start + 2], 16) for start in (1, 3, 5)])
    assert np.abs(mean - np.asarray(scene(size)).mean(axis=(0, 1))).max() < 3


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_a_picture_of_other_colours_is_taken(mode: str) -> None:
    picture = check_picture(jpeg(mode), "image/jpeg")
    with Image.open(io.BytesIO(picture.thumbnail)) as small:
        assert small.mode == "RGB"
