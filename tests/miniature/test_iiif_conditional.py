"""The IIIF server sends no picture again that the client holds."""

import os
from pathlib import Path

import pytest
import requests

from retrievals_pipeline.miniature.iiif.pictures import FolderPictures
from retrievals_pipeline.miniature.iiif.server import museum_app
from retrievals_serving.http_server import serving
from tests.miniature.gradients import gradient, picture


def test_a_picture_that_the_client_holds_is_not_sent_again(server: str) -> None:
    url = f"{server}/iiif/wide/full/!90,90/0/default.jpg"
    first = requests.get(url, timeout=10)
    etag = first.headers["etag"]
    assert etag.startswith('"')
    for held in (etag, f'"other", {etag}', f"W/{etag}", "*"):
        again = requests.get(url, headers={"If-None-Match": held}, timeout=10)
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == etag
        assert again.headers["cache-control"] == first.headers["cache-control"]
    other = requests.get(url, headers={"If-None-Match": '"other"'}, timeout=10)
    assert (other.status_code, other.content) == (200, first.content)


def test_each_rendering_has_an_etag_of_its_own(server: str) -> None:
    paths = [
        f"{identifier}/{region}/{size}/{rotation}/{quality}"
        for identifier in ("wide", "tall")
        for region in ("full", "square")
        for size in ("90,", ",90")
        for rotation in (0, 90)
        for quality in ("default.jpg", "gray.jpg", "gray.png")
    ]
    etags = {requests.head(f"{server}/iiif/{path}", timeout=10).headers["etag"] for path in paths}
    assert len(etags) == len(paths)


def test_a_replaced_picture_is_served_under_a_new_etag(tmp_path: Path) -> None:
    gradient(50, 40).save(tmp_path / "work.png")
    with serving(museum_app(FolderPictures(tmp_path))) as server:
        url = f"{server}/iiif/work/full/max/0/default.png"
        first = requests.get(url, timeout=10)
        gradient(60, 40).save(tmp_path / "work.png")
        os.utime(tmp_path / "work.png", (1e9, 1e9))
        second = requests.get(url, headers={"If-None-Match": first.headers["etag"]}, timeout=10)
        assert picture(second).size == (60, 40)


@pytest.mark.parametrize("path", ["full/!90,90/0/default.jpg", "info.json"])
def test_head_answers_as_get_does_without_the_body(server: str, path: str) -> None:
    get = requests.get(f"{server}/iiif/wide/{path}", timeout=10)
    head = requests.head(f"{server}/iiif/wide/{path}", timeout=10)
    assert (head.status_code, head.content) == (200, b"")
    for name in ("content-length", "content-type", "etag", "cache-control"):
        assert head.headers[name] == get.headers[name]
