"""The pictures of a folder are kept as upright JPEGs that fit the box, whatever they are."""

from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image

from retrievals_serving.store import Store, picture_name, thumbnail_name
from tests.images.conftest import jpeg
from tests.images.folders import BOX, CORNERS, UPRIGHT, encoded, quarters, read, rows


def corners(picture: Image.Image) -> list[str]:
    """The names of the colours in the quarters of a picture."""
    names = []
    for place in range(4):
        at = (
            picture.width * (1 + 2 * (place % 2)) // 4,
            picture.height * (1 + 2 * (place // 2)) // 4,
        )
        seen = np.array(picture.convert("RGB").getpixel(at), int)
        names.append(min(CORNERS, key=lambda name: np.abs(seen - CORNERS[name]).sum()))
    return names


def kept(store: Store, folder: Path, name: str, content: bytes, *, box: int = BOX) -> Image.Image:
    """Put a file into the folder, and return the picture that the store has of it."""
    (folder / name).write_bytes(content)
    read(store, folder, box=box)
    row = rows(store)[f"folder:{name}"]
    assert row.status == "ok", row.detail
    assert row.sha256 is not None
    with Image.open(store.path(thumbnail_name(row.sha256))) as thumbnail:
        assert thumbnail.format == "WEBP"
    with Image.open(store.path(picture_name(row.sha256))) as picture:
        assert (picture.format, picture.size) == ("JPEG", (row.width, row.height))
        picture.load()
        return picture


@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_a_jpeg_that_fits_is_kept_byte_for_byte(folder: Path, store: Store, mode: str) -> None:
    content = jpeg(size=(BOX, 300), mode=mode)
    kept(store, folder, "a.jpg", content)
    (row,) = rows(store).values()
    assert store.read_bytes(picture_name(str(row.sha256))) == content
    assert (row.bytes, row.sharp_side) == (len(content), BOX)


@pytest.mark.parametrize("form", ["PNG", "WEBP", "BMP", "TIFF", "JPEG"])
@pytest.mark.parametrize("suffix", ["jpg", "png"])
def test_a_picture_is_what_its_bytes_are_whatever_it_is_called(
    folder: Path, store: Store, form: str, suffix: str
) -> None:
    picture = kept(store, folder, f"a.{suffix}", encoded(quarters(), form))
    assert picture.size == (96, 64)
    assert corners(picture) == UPRIGHT


@pytest.mark.parametrize(
    ("size", "box", "expected"),
    [
        ((3000, 1500), 1024, (1024, 512)),
        ((300, 1500), 1024, (205, 1024)),
        ((3000, 1500), 64, (64, 32)),
        ((64, 32), 64, (64, 32)),
        ((2, 1400), 64, (1, 64)),
    ],
)
@pytest.mark.parametrize("form", ["JPEG", "PNG"])
def test_a_larger_picture_is_made_to_fit_the_box(
    folder: Path,
    store: Store,
    form: str,
    size: tuple[int, int],
    box: int,
    expected: tuple[int, int],
) -> None:
    picture = kept(store, folder, "a.jpg", encoded(quarters(*size), form), box=box)
    assert picture.size == expected
    if min(expected) > 1:
        assert corners(picture) == UPRIGHT


TURNED = {
    6: Image.Transpose.ROTATE_90,  # stored lying on its left side
    3: Image.Transpose.ROTATE_180,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
}


@pytest.mark.parametrize("orientation", TURNED)
@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("size", [(96, 64), (2400, 1600)])
def test_a_picture_that_was_stored_turned_is_kept_upright(
    folder: Path, store: Store, form: str, orientation: int, size: tuple[int, int]
) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    content = encoded(quarters(*size).transpose(TURNED[orientation]), form, exif=exif)
    picture = kept(store, folder, "a.jpg", content)
    assert picture.width > picture.height
    assert corners(picture) == UPRIGHT
    assert ExifTags.Base.Orientation not in picture.getexif()


def see_through(mode: str) -> Image.Image:
    picture = quarters().convert("RGBA")
    picture.putalpha(0)
    return picture.convert(mode)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_what_can_be_seen_through_lies_on_white(folder: Path, store: Store, mode: str) -> None:
    options = {"transparency": 0} if mode == "P" else {}
    picture = see_through(mode) if mode != "P" else Image.new("P", (96, 64), 0)
    assert kept(store, folder, "a.png", encoded(picture, "PNG", **options)).getpixel((9, 9)) == (
        255, 255, 255,
    )  # fmt: skip


def test_sixteen_bits_of_grey_are_no_white(folder: Path, store: Store) -> None:
    grey = Image.fromarray(np.full((64, 96), 0x8000, np.uint16))
    red, _, _ = kept(store, folder, "a.png", encoded(grey, "PNG")).getpixel((9, 9))
    assert abs(red - 128) <= 2


@pytest.mark.parametrize("form", ["JPEG", "TIFF"])
def test_the_colours_of_a_press_are_shown_as_those_of_a_screen(
    folder: Path, store: Store, form: str
) -> None:
    picture = kept(store, folder, "a.jpg", encoded(quarters().convert("CMYK"), form))
    assert picture.mode == "RGB"
    assert corners(picture) == UPRIGHT


def test_a_colour_profile_is_kept(folder: Path, store: Store) -> None:
    content = encoded(quarters(), "PNG", icc_profile=b"a profile")
    assert kept(store, folder, "a.png", content).info["icc_profile"] == b"a profile"
