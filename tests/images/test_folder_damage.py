"""A file of a folder that is broken, or cannot be read, fails alone and says why."""

import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from retrievals_pipeline.defs.images import folder_pictures
from retrievals_serving.store import Store
from tests.images.conftest import claiming, jpeg
from tests.images.folders import encoded, quarters, read, rows


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
