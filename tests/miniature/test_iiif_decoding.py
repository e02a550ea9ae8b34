"""The IIIF server decodes a picture once for all who ask, beside other requests."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest
import requests
from PIL import Image

from retrievals_pipeline.miniature.iiif.pictures import DecodedPictures, FolderPictures
from retrievals_pipeline.miniature.iiif.server import museum_app
from retrievals_serving.errors import PictureError
from retrievals_serving.http_server import serving
from tests.miniature.gradients import gradient


class CountedPictures:
    """Pictures named by their side; counts how often each is decoded, and waits where told."""

    def __init__(self) -> None:
        self.opened: list[str] = []
        self.go = Event()
        self.go.set()

    def version(self, identifier: str) -> str | None:
        return "1" if identifier.isdigit() else None

    def open(self, identifier: str) -> Image.Image | None:
        self.opened.append(identifier)
        assert self.go.wait(10)
        return gradient(int(identifier), int(identifier))


def test_sixteen_clients_at_once_share_one_decoding_and_get_one_answer() -> None:
    source = CountedPictures()
    with serving(museum_app(source)) as server, ThreadPoolExecutor(16) as pool:
        sizes = [f"!{side},{side}" for side in (64, 100, 200, 256)]
        urls = [f"{server}/iiif/256/full/{size}/0/default.png" for size in sizes] * 16
        answers = list(pool.map(lambda url: requests.get(url, timeout=10), urls))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == len(sizes)
    assert source.opened == ["256"]


def test_other_requests_are_answered_while_a_picture_is_decoded() -> None:
    source = CountedPictures()
    source.go.clear()
    with serving(museum_app(source)) as server, ThreadPoolExecutor(1) as pool:
        slow = pool.submit(requests.get, f"{server}/iiif/64/info.json", timeout=10)
        try:
            assert requests.get(f"{server}/robots.txt", timeout=5).status_code == 200
            assert not slow.done()
        finally:
            source.go.set()
        assert slow.result().json()["width"] == 64


def test_decoded_pictures_are_kept_within_their_bytes() -> None:
    source = CountedPictures()
    decoded = DecodedPictures(source, max_bytes=2 * 10 * 10 * 4)  # room for two
    for side in ("10", "9", "10", "8", "10"):
        decoded.get(side, "1")
    assert source.opened == ["10", "9", "8"]
    decoded.get("9", "1")  # the one used least lately had made way
    assert source.opened == ["10", "9", "8", "9"]


def test_a_picture_that_failed_to_decode_is_tried_again(tmp_path: Path) -> None:
    (tmp_path / "work.png").write_bytes(b"\x89PNG")
    decoded = DecodedPictures(FolderPictures(tmp_path))
    with pytest.raises(PictureError):
        decoded.get("work", "1")
    gradient(5, 5).save(tmp_path / "work.png")
    repaired = decoded.get("work", "1")
    assert repaired is not None
    assert repaired.size == (5, 5)
