"""A picture from the network is decoded within bounds, whatever its bytes are."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from PIL import Image

from retrievals_serving import decoding
from retrievals_serving.decoding import AT_ONCE, MAX_SCANS, SIDE, decode_picture
from retrievals_serving.errors import PictureError
from tests.serving.small_release import claiming, encoded

TURNED = 6  # of the EXIF orientation: a quarter to the right
ORIENTATION = 0x0112
SCAN, END = b"\xff\xda", b"\xff\xd9"  # markers of a JPEG
WAIT = 60  # seconds after which a test that waits for what never happens fails


def with_scans(count: int) -> bytes:
    """A progressive JPEG whose last scan is there again, until it has so many."""
    picture = encoded(Image.new("RGB", (40, 30), "navy"), "JPEG", progressive=True)
    last = picture[picture.rindex(SCAN) : -len(END)]
    return picture[: -len(END)] + last * (count - picture.count(SCAN)) + END


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


@pytest.mark.parametrize(
    ("form", "mode"),
    [("JPEG", "RGB"), ("JPEG", "L"), ("PNG", "RGBA"), ("PNG", "P"), ("WEBP", "RGB")],
)
def test_a_photograph_is_turned_when_it_is_to_be(form: str, mode: str) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = TURNED
    content = encoded(Image.new(mode, (40, 30)), form, exif=exif)
    assert decode_picture(content).size == (40, 30)
    assert decode_picture(content, upright=True).size == (30, 40)


def test_a_picture_is_made_smaller_before_it_is_turned(monkeypatch: pytest.MonkeyPatch) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = TURNED
    turned = []
    transpose = decoding.ImageOps.exif_transpose

    def noting(image: Image.Image) -> Image.Image:
        turned.append(image.size)
        return transpose(image)

    monkeypatch.setattr(decoding.ImageOps, "exif_transpose", noting)
    content = encoded(Image.new("RGB", (2 * SIDE, SIDE)), "PNG", exif=exif)
    assert decode_picture(content, upright=True).size == (SIDE // 2, SIDE)
    assert turned == [(SIDE, SIDE // 2)]


def test_no_more_pictures_are_decoded_at_once_than_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    has_come, may_go, counting = threading.Semaphore(0), threading.Event(), threading.Lock()
    at_work: list[int] = [0]

    class Slots(threading.BoundedSemaphore):
        def __enter__(self) -> bool:
            has_come.release()
            return self.acquire()

    def to_rgb(image: Image.Image) -> Image.Image:
        with counting:
            at_work.append(at_work[-1] + 1)
        assert may_go.wait(WAIT)
        with counting:
            at_work.append(at_work[-1] - 1)
        return image

    monkeypatch.setattr(decoding, "_slots", Slots(AT_ONCE))
    monkeypatch.setattr(decoding, "to_rgb", to_rgb)
    picture = encoded(Image.new("RGB", (4, 4)), "PNG")
    with ThreadPoolExecutor(8) as pool:
        decoded = [pool.submit(decode_picture, picture) for _ in range(8)]
        try:
            for _ in decoded:
                assert has_come.acquire(timeout=WAIT)
        finally:
            may_go.set()
        assert [each.result().size for each in decoded] == [(4, 4)] * 8
    assert max(at_work) <= AT_ONCE


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is no JPEG, PNG or WebP: send one of these"),
        (b"<html>", "it is no JPEG, PNG or WebP: send one of these"),
        (encoded(Image.new("RGB", (4, 4)), "GIF"), "it is no JPEG, PNG or WebP: send one of these"),
        (encoded(Image.new("RGB", (40, 30), "navy"), "JPEG")[:-200], "it is damaged: Truncated"),
        (encoded(Image.new("RGB", (1005, 5)), "PNG"), "too long and thin"),
        (claiming(5000), "5000 x 5000 pixels, and up to 24 million are taken of a PNG"),
        (encoded(Image.new("L", (8000, 6400)), "JPEG"), "and up to 50 million are taken of a JPEG"),
        (with_scans(MAX_SCANS + 1), "it has 65 scans, and up to 64"),
        (with_scans(300), "it has 300 scans, and up to 64"),
        (claiming(20_000), "it has too many pixels"),
    ],
)
def test_what_is_no_picture_within_the_bounds_is_refused(content: bytes, reason: str) -> None:
    with pytest.raises(PictureError, match=reason) as refused:
        decode_picture(content)
    assert " at 0x" not in str(refused.value)


def test_what_only_looks_like_scans_is_none() -> None:
    content = with_scans(MAX_SCANS)
    comment = b"\xff\xfe" + (2 + 3 * MAX_SCANS).to_bytes(2) + (SCAN + b"\0") * MAX_SCANS
    film = SCAN * 1000
    assert decode_picture(content[:2] + comment + content[2:] + film).size == (40, 30)


def test_a_scan_does_not_hide_behind_what_a_decoder_skips() -> None:
    """libjpeg goes on after a marker that it does not know within a scan, whatever follows."""
    content = with_scans(MAX_SCANS + 1)
    header = content.index(SCAN) + len(SCAN)
    inside = header + int.from_bytes(content[header : header + 2])
    with pytest.raises(PictureError, match="it has 65 scans"):
        decode_picture(content[:inside] + b"\xff\x02\xff\xf0" + content[inside:])
