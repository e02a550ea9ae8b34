"""A picture from the network is decoded within bounds, whatever its bytes are."""

import io

import pytest
from PIL import Image

from retrievals_serving.decoding import SIDE, decode_picture
from retrievals_serving.errors import PictureError
from tests.serving.small_release import claiming, encoded

TURNED = 6  # of the EXIF orientation: a quarter to the right
ORIENTATION = 0x0112


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_a_picture_comes_as_rgb(form: str) -> None:
    picture = decode_picture(encoded(Image.new("RGB", (40, 30), "navy"), form))
    assert (picture.mode, picture.size) == ("RGB", (40, 30))


def test_what_is_transparent_is_laid_on_white() -> None:
    picture = decode_picture(encoded(Image.new("RGBA", (4, 4), (0, 0, 0, 0)), "PNG"))
    assert picture.getpixel((0, 0)) == (255, 255, 255)


@pytest.mark.parametrize("form", ["JPEG", "PNG"])
def test_a_large_picture_is_made_smaller(form: str) -> None:
    picture = decode_picture(encoded(Image.new("RGB", (3 * SIDE, SIDE // 2)), form))
    assert picture.width == SIDE


def test_a_photograph_is_turned_when_it_is_to_be() -> None:
    content, exif = io.BytesIO(), Image.Exif()
    exif[ORIENTATION] = TURNED
    Image.new("RGB", (40, 30)).save(content, "JPEG", exif=exif)
    assert decode_picture(content.getvalue()).size == (40, 30)
    assert decode_picture(content.getvalue(), upright=True).size == (30, 40)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "cannot identify"),
        (b"<html>", "cannot identify"),
        (encoded(Image.new("RGB", (4, 4)), "GIF"), "cannot identify"),
        (encoded(Image.new("RGB", (40, 30), "navy"), "JPEG")[:-200], "Truncated"),
        (encoded(Image.new("RGB", (1005, 5)), "PNG"), "too long and thin"),
        (claiming(9000), "9000 x 9000 pixels, and up to 64 million"),
        (claiming(20_000), "decompression bomb"),
    ],
)
def test_what_is_no_picture_within_the_bounds_is_refused(content: bytes, reason: str) -> None:
    with pytest.raises(PictureError, match=reason):
        decode_picture(content)
