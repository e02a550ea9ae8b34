"""The pictures of a folder are kept as JPEGs that fit the box, and read again when they changed."""

import io
import os
import threading
import time
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import ExifTags, Image

from retrievals_pipeline.defs.images import folder_pictures
from retrievals_pipeline.defs.images.folder_pictures import Files, PixelBudget, fitted
from retrievals_pipeline.defs.images.ledger import Ledger, LedgerRow
from retrievals_pipeline.defs.images.shard import ShardSummary, download_shard
from retrievals_pipeline.defs.images.works import Work
from retrievals_serving.store import Store, picture_name, thumbnail_name
from tests.images.conftest import SHARD, claiming, jpeg

BOX = 1024
CORNERS = {"red": (255, 0, 0), "green": (0, 160, 0), "blue": (0, 0, 255), "grey": (128, 128, 128)}
UPRIGHT = ["red", "green", "blue", "grey"]  # as they are to be seen, line by line


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    return folder


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "home")


def quarters(width: int = 96, height: int = 64) -> Image.Image:
    """A picture with a colour in each quarter."""
    picture = Image.new("RGB", (width, height))
    for place, color in enumerate(UPRIGHT):
        box = (place % 2 * width // 2, place // 2 * height // 2)
        picture.paste(Image.new("RGB", (width // 2, height // 2), CORNERS[color]), box)
    return picture


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


def encoded(picture: Image.Image, form: str, **options: Any) -> bytes:
    content = io.BytesIO()
    picture.save(content, form, **options)
    return content.getvalue()


def works(folder: Path) -> list[Work]:
    """The works of the folder, as its records name them."""
    return [
        Work(f"folder:{path.name}", path.name, f"{path.stat().st_mtime_ns}-{path.stat().st_size}")
        for path in sorted(folder.iterdir())
    ]


def read(
    store: Store, folder: Path, found: list[Work] | None = None, *, box: int = BOX
) -> ShardSummary:
    return download_shard(
        store,
        SHARD,
        works(folder) if found is None else found,
        fetcher=Files(folder, box=box),
        mirror=None,
        advance=lambda _: None,
    )


def rows(store: Store) -> dict[str, LedgerRow]:
    return Ledger(store, SHARD).rows


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


def bomb() -> bytes:
    """A PNG of a few bytes whose header claims 100,000 pixels each way."""
    content = bytearray(encoded(Image.new("1", (8, 8)), "PNG"))
    content[16:24] = (100_000).to_bytes(4, "big") * 2
    content[29:33] = zlib.crc32(content[12:29]).to_bytes(4, "big")
    return bytes(content)


BROKEN = {
    "empty": (b"", "not_an_image"),
    "a page": (b"<html>named .jpg</html>", "not_an_image"),
    "of another format": (encoded(quarters(), "GIF"), "not_an_image"),
    "32 bits": (encoded(Image.new("I", (8, 8)), "TIFF"), "not_an_image"),
    "fractions": (encoded(Image.new("F", (8, 8)), "TIFF"), "not_an_image"),
    "16 bits with a sign": (
        encoded(Image.fromarray(np.zeros((8, 8), np.int16)), "TIFF"),
        "not_an_image",
    ),
    "cut JPEG": (jpeg()[:-400], "truncated"),
    "cut large JPEG": (jpeg(size=(1500, 900))[:-4000], "truncated"),
    "cut PNG": (encoded(quarters(), "PNG")[:-40], "truncated"),
    "cut BMP": (encoded(quarters(), "BMP")[:-40], "truncated"),
    "cut TIFF": (encoded(quarters(), "TIFF")[:-40], "truncated"),
    "JPEG bomb": (claiming(65_000), "too_large"),
    "PNG bomb": (bomb(), "too_large"),
    "many bytes": (jpeg() + bytes(1 << 21), "too_large"),
}


@pytest.mark.parametrize(("content", "expected"), BROKEN.values(), ids=BROKEN)
def test_a_broken_picture_fails_alone_and_says_why(
    folder: Path, store: Store, monkeypatch: pytest.MonkeyPatch, content: bytes, expected: str
) -> None:
    monkeypatch.setattr(folder_pictures, "MAX_BYTES", 1 << 21)
    (folder / "bad.jpg").write_bytes(content)
    (folder / "good.jpg").write_bytes(jpeg())
    assert read(store, folder).statuses == {expected: 1, "ok": 1}
    bad = rows(store)["folder:bad.jpg"]
    assert (bad.image_url, bad.sha256) == ("bad.jpg", None)
    assert bad.detail


@pytest.mark.parametrize(
    "error",
    [
        FileNotFoundError(2, "No such file"),
        PermissionError(13, "Permission denied"),
        OSError(5, "Input/output error"),
    ],
)
def test_a_file_that_cannot_be_read_fails_alone_and_is_tried_again(
    folder: Path, store: Store, monkeypatch: pytest.MonkeyPatch, error: OSError
) -> None:
    (folder / "bad.jpg").write_bytes(jpeg())
    (folder / "good.jpg").write_bytes(jpeg(1))
    opened = Path.open

    def failing(path: Path, *args: Any, **kwargs: Any) -> Any:
        if path.name == "bad.jpg":
            raise error
        return opened(path, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", failing)
        assert read(store, folder).statuses == {"unreachable": 1, "ok": 1}
        assert rows(store)["folder:bad.jpg"].detail == error.strerror
    assert read(store, folder).became == {"ok": 1}


@pytest.fixture
def three(folder: Path, store: Store) -> Path:
    """A folder of three pictures that were read: two that fit, and a larger one."""
    for number, side in enumerate((90, 96, 1500)):
        (folder / f"{number}.jpg").write_bytes(jpeg(number, size=(side, 60)))
    assert read(store, folder).statuses == {"ok": 3}
    return folder


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The sizes of the files that are decoded from now on."""
    seen: list[int] = []
    decode = folder_pictures.fitted

    def counting(content: bytes, *args: Any) -> bytes:
        seen.append(len(content))
        return decode(content, *args)

    monkeypatch.setattr(folder_pictures, "fitted", counting)
    return seen


PNG = encoded(quarters(), "PNG")
PNG_PIXELS = 96 * 64


@pytest.mark.parametrize(
    ("pixels", "most"), [(1, 1), (2 * PNG_PIXELS, 2), (3 * PNG_PIXELS - 1, 2), (9 * PNG_PIXELS, 8)]
)
def test_no_more_pixels_are_decoded_at_once_than_memory_is_for(
    folder: Path, monkeypatch: pytest.MonkeyPatch, pixels: int, most: int
) -> None:
    """One picture is, however large."""
    lock, at_once, seen = threading.Lock(), [0], []
    flatten = folder_pictures.flat_rgb

    def slowly(picture: Image.Image) -> Image.Image:
        with lock:
            at_once[0] += 1
            seen.append(at_once[0])
        time.sleep(0.05)  # for others to come, if they may
        with lock:
            at_once[0] -= 1
        return flatten(picture)

    monkeypatch.setattr(folder_pictures, "PIXELS", pixels)
    monkeypatch.setattr(folder_pictures, "flat_rgb", slowly)
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    reader = Files(folder, box=BOX)
    (folder / "a.png").write_bytes(PNG)
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(reader.fetch, ["a.png"] * 16))
    assert {answer.status for answer in answers} == {"ok"}
    assert max(seen) <= most
    assert max(seen) > 1 or most == 1


@pytest.mark.parametrize(
    ("content", "weight"),
    [
        (jpeg(size=(BOX, 300)), 0),
        (encoded(quarters(4096, 64), "PNG"), 4096 * 64),
        (encoded(quarters(4096, 4096), "JPEG"), 2048 * 2048),
        (encoded(quarters(4096, 4096), "JPEG", progressive=True), 4096 * 4096),
    ],
    ids=["a JPEG that fits", "PNG", "JPEG", "progressive JPEG"],
)
def test_a_picture_counts_for_the_pixels_that_are_held(content: bytes, weight: int) -> None:
    class Counting(PixelBudget):
        def taking(self, pixels: int) -> AbstractContextManager[None]:
            taken.append(pixels)
            return super().taking(pixels)

    taken: list[int] = []
    fitted(content, BOX, Counting(1))
    assert sum(taken) == weight


def test_a_broken_picture_gives_its_pixels_back(folder: Path) -> None:
    reader = Files(folder, box=BOX)
    (folder / "bad.png").write_bytes(PNG[:-40])
    (folder / "good.png").write_bytes(PNG)
    names = ["bad.png", "good.png"] * 4
    reader._budget = PixelBudget(PNG_PIXELS)
    statuses = [reader.fetch(name).status for name in names]
    assert statuses == ["truncated", "ok"] * 4


def touch(path: Path) -> None:
    os.utime(path, ns=(1, 1))


def test_what_did_not_change_is_not_read(
    three: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Files, "fetch", lambda *_, **__: pytest.fail("a file was read"))
    assert read(store, three).asked == 0


def test_a_file_with_another_time_and_the_same_bytes_is_hashed_and_no_more(
    three: Path, store: Store, decoded: list[int]
) -> None:
    before = rows(store)
    for path in three.iterdir():
        touch(path)
    summary = read(store, three)
    assert (summary.asked, summary.unchanged, decoded) == (3, 3, [])
    assert {id_: row.sha256 for id_, row in rows(store).items()} == {
        id_: row.sha256 for id_, row in before.items()
    }
    assert read(store, three).asked == 0


def test_a_replaced_file_brings_its_picture_and_no_other(
    three: Path, store: Store, decoded: list[int]
) -> None:
    before = rows(store)
    content = jpeg(9, size=(80, 60))
    (three / "1.jpg").write_bytes(content)
    summary = read(store, three)
    assert (summary.asked, summary.unchanged, decoded) == (1, 0, [len(content)])
    changed = {id_ for id_, row in rows(store).items() if row.sha256 != before[id_].sha256}
    assert changed == {"folder:1.jpg"}


def test_another_box_makes_the_pictures_anew(three: Path, store: Store) -> None:
    other = [replace(work, image_modified="another box") for work in works(three)]
    read(store, three, other, box=512)
    assert {row.width for row in rows(store).values()} == {90, 96, 512}


def break_off(path: Path) -> None:
    path.write_bytes(jpeg(5)[:-300])


def take_away(path: Path) -> None:
    path.unlink()


@pytest.mark.parametrize(
    ("change", "detail"),
    [(break_off, "kept, after truncated"), (take_away, "kept, after unreachable")],
)
def test_a_listed_file_that_breaks_or_is_not_found_keeps_its_picture(
    three: Path, store: Store, change: Callable[[Path], None], detail: str
) -> None:
    found = [replace(work, image_modified="later") for work in works(three)]
    change(three / "1.jpg")
    read(store, three, found)
    row = rows(store)["folder:1.jpg"]
    assert row.status == "ok"
    assert detail in row.detail
    assert row.sha256 is not None
    (three / "1.jpg").write_bytes(jpeg(6))
    read(store, three)
    assert (rows(store)["folder:1.jpg"].status, rows(store)["folder:1.jpg"].detail) == ("ok", "")


def test_a_broken_file_is_looked_at_again_only_when_it_changed(
    folder: Path, store: Store, decoded: list[int]
) -> None:
    (folder / "bad.jpg").write_bytes(b"<html>")
    read(store, folder)
    assert read(store, folder).asked == 0
    assert len(decoded) == 1
    (folder / "bad.jpg").write_bytes(jpeg())
    assert read(store, folder).statuses == {"ok": 1}
