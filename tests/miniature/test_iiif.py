"""The IIIF server, over real HTTP on loopback, with real files."""

import http.client
import io
import math
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from urllib.parse import urlsplit

import numpy as np
import pytest
import requests
from PIL import Image

from retrievals_pipeline.miniature.iiif.pictures import DecodedPictures, FolderPictures
from retrievals_pipeline.miniature.iiif.server import museum_app
from retrievals_serving.errors import PictureError, SettingsError
from retrievals_serving.http_server import serving

WIDTH, HEIGHT = 1000, 600
FORMATS = {"jpg": "JPEG", "png": "PNG", "webp": "WEBP"}


def gradient(width: int, height: int) -> Image.Image:
    """A picture each of whose pixels can be told from its neighbours."""
    x, y = np.arange(width)[None, :], np.arange(height)[:, None]
    channels = [(x + 0 * y) % 256, (0 * x + y) % 256, (x // 4 + y // 4) % 256]
    return Image.fromarray(np.stack(channels, axis=-1).astype(np.uint8))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    above = tmp_path_factory.mktemp("museum")
    gradient(8, 8).save(above / "secret.png")
    folder = above / "pictures"
    folder.mkdir()
    gradient(WIDTH, HEIGHT).save(folder / "wide.png")
    gradient(300, 700).save(folder / "tall.jpg")
    gradient(5000, 50).save(folder / "frieze.png")
    gradient(40, 30).convert("RGBA").save(folder / "clear.webp")
    (folder / "torn.jpg").write_bytes((folder / "tall.jpg").read_bytes()[:700])
    (folder / "notes.txt").write_text("not a picture", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[str]:
    with serving(museum_app(FolderPictures(folder))) as address:
        yield address


def picture(response: requests.Response) -> Image.Image:
    assert response.status_code == 200, response.text
    return Image.open(io.BytesIO(response.content))


REGIONS = {
    "full": (1000, 600),
    "square": (600, 600),
    "100,50,400,300": (400, 300),
    "900,500,400,400": (100, 100),  # cut at the picture's edge
    "pct:10,10,50,25.5": (500, 153),
}
SIZES: dict[str, Callable[[int, int], tuple[int, int]]] = {
    "full": lambda w, h: (w, h),
    "max": lambda w, h: (w, h),
    "!1024,1024": lambda w, h: (w, h),
    "!90,90": lambda w, h: (90, round(90 * h / w)) if w >= h else (round(90 * w / h), 90),
    "60,": lambda w, h: (60, round(60 * h / w)),
    ",50": lambda w, h: (round(50 * w / h), 50),
    "70,40": lambda _w, _h: (70, 40),
    "pct:50": lambda w, h: (round(w / 2), round(h / 2)),
}


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("region", REGIONS)
def test_every_region_comes_at_every_size_in_every_format(
    server: str, region: str, size: str, format_: str
) -> None:
    response = requests.get(f"{server}/iiif/wide/{region}/{size}/0/default.{format_}", timeout=10)
    answer = picture(response)
    assert answer.size == SIZES[size](*REGIONS[region])
    assert answer.format == FORMATS[format_]
    assert response.headers["content-type"] == f"image/{format_.replace('jpg', 'jpeg')}"


def test_a_region_holds_the_pixels_it_names(server: str) -> None:
    answer = picture(requests.get(f"{server}/iiif/wide/120,80,30,20/max/0/default.png", timeout=10))
    expected = gradient(WIDTH, HEIGHT).crop((120, 80, 150, 100))
    assert np.array_equal(np.asarray(answer), np.asarray(expected))


@pytest.mark.parametrize("box", ["!1000,1000", "!1024,1024", "!4096,4096", "!999999999,999999999"])
def test_a_picture_is_never_enlarged_to_fill_a_box(server: str, box: str) -> None:
    answer = picture(requests.get(f"{server}/iiif/wide/full/{box}/0/default.jpg", timeout=10))
    assert answer.size == (WIDTH, HEIGHT)


@pytest.mark.parametrize("size", ["max", "full", "!9000,9000"])
def test_no_side_is_longer_than_4096(server: str, size: str) -> None:
    answer = picture(requests.get(f"{server}/iiif/frieze/full/{size}/0/default.png", timeout=10))
    assert answer.size == (4096, 41)


@pytest.mark.parametrize(
    ("quality", "mode"), [("default", "RGB"), ("color", "RGB"), ("gray", "L"), ("bitonal", "1")]
)
def test_each_quality_has_its_colours(server: str, quality: str, mode: str) -> None:
    answer = picture(requests.get(f"{server}/iiif/wide/full/90,/0/{quality}.png", timeout=10))
    assert answer.mode == mode


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_a_rotation_turns_clockwise(server: str, turns: int) -> None:
    url = f"{server}/iiif/wide/0,0,30,20/max/{90 * turns}/default.png"
    expected = np.rot90(np.asarray(gradient(WIDTH, HEIGHT).crop((0, 0, 30, 20))), -turns)
    assert np.array_equal(np.asarray(picture(requests.get(url, timeout=10))), expected)


@pytest.mark.parametrize(
    ("path", "status", "names"),
    [
        ("everything/max/0/default.jpg", 400, "region 'everything'"),
        ("1,2,3/max/0/default.jpg", 400, "region '1,2,3'"),
        ("-1,0,9,9/max/0/default.jpg", 400, "region '-1,0,9,9'"),
        ("0,0,0,9/max/0/default.jpg", 400, "region '0,0,0,9'"),
        ("1000,0,9,9/max/0/default.jpg", 400, "1000 x 600"),
        ("pct:0,0,nan,9/max/0/default.jpg", 400, "region"),
        (f"0,0,{'9' * 5000},9/max/0/default.jpg", 400, "region"),
        ("full/big/0/default.jpg", 400, "size 'big'"),
        ("full/,/0/default.jpg", 400, "size ','"),
        ("full/!9,/0/default.jpg", 400, "size '!9,'"),
        ("full/0,/0/default.jpg", 400, "size '0,'"),
        ("full/!0,9/0/default.jpg", 400, "size '!0,9'"),
        ("full/1001,/0/default.jpg", 400, "1000 x 600"),
        ("full/,601/0/default.jpg", 400, "1000 x 600"),
        ("full/9,601/0/default.jpg", 400, "1000 x 600"),
        ("full/pct:101/0/default.jpg", 400, "1000 x 600"),
        ("full/pct:0/0/default.jpg", 400, "size 'pct:0'"),
        ("full/٣,/0/default.jpg", 400, "size"),
        ("full/^max/0/default.jpg", 501, "size '^max'"),
        ("full/max/45/default.jpg", 501, "rotation '45'"),
        ("full/max/!0/default.jpg", 501, "rotation '!0'"),
        ("full/max/361/default.jpg", 400, "rotation '361'"),
        ("full/max/left/default.jpg", 400, "rotation 'left'"),
        ("full/max/0/lovely.jpg", 400, "quality 'lovely'"),
        ("full/max/0/default.tif", 501, "format 'tif'"),
        ("full/max/0/default.exe", 400, "format 'exe'"),
    ],
)
def test_a_request_that_cannot_be_served_is_told_why(
    server: str, path: str, status: int, names: str
) -> None:
    response = requests.get(f"{server}/iiif/wide/{path}", timeout=10)
    assert response.status_code == status
    assert names in response.text
    assert response.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize("tail", ["", "/info.json", "/full/max/0/default.jpg"])
@pytest.mark.parametrize("identifier", ["unknown", "notes", "notes.txt", "wide.png", ".", "a b"])
def test_an_unknown_picture_is_not_found(server: str, identifier: str, tail: str) -> None:
    response = requests.get(f"{server}/iiif/{identifier}{tail}", timeout=10)
    assert response.status_code == 404


@pytest.mark.parametrize(
    "identifier",
    [
        "..%2fsecret",
        "%2e%2e%2fsecret",
        "..",
        "../secret",
        "..%5csecret",
        "%2fetc%2fpasswd",
        "a%00b",
    ],
)
def test_no_identifier_leaves_the_folder(server: str, identifier: str) -> None:
    connection = http.client.HTTPConnection(urlsplit(server).netloc, timeout=10)  # sends it as is
    connection.request("GET", f"/iiif/{identifier}/full/max/0/default.png")
    response = connection.getresponse()
    body = response.read()
    connection.close()
    assert response.status == 404
    assert not body.startswith(b"\x89PNG")


def test_no_identifier_opens_a_file_outside_the_folder(folder: Path) -> None:
    source = FolderPictures(folder)
    for identifier in ("../secret", str(folder.parent / "secret"), "..", "", "wide/../wide"):
        assert source.version(identifier) is None
        assert source.open(identifier) is None


def test_a_damaged_picture_is_an_error_of_its_own(server: str, folder: Path) -> None:
    assert requests.get(f"{server}/iiif/torn/info.json", timeout=10).status_code == 500
    assert requests.get(f"{server}/iiif/tall/info.json", timeout=10).status_code == 200
    with pytest.raises(PictureError, match=r"torn\.jpg"):
        FolderPictures(folder).open("torn")


def test_a_source_that_is_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="nowhere"):
        FolderPictures(tmp_path / "nowhere")


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


def test_the_address_of_a_picture_leads_to_its_description(server: str) -> None:
    response = requests.get(f"{server}/iiif/wide", allow_redirects=False, timeout=10)
    assert response.status_code == 303
    assert response.headers["location"] == f"{server}/iiif/wide/info.json"


def test_the_description_names_the_size_the_level_and_itself(server: str) -> None:
    response = requests.get(f"{server}/iiif/wide/info.json", timeout=10)
    info = response.json()
    assert response.headers["content-type"] == "application/json"
    assert response.headers["access-control-allow-origin"] == "*"
    assert info["@context"] == "http://iiif.io/api/image/2/context.json"
    assert info["@id"] == f"{server}/iiif/wide"
    assert (info["width"], info["height"]) == (WIDTH, HEIGHT)
    assert info["profile"][0] == "http://iiif.io/api/image/2/level2.json"
    linked = {"Accept": "application/ld+json"}
    response = requests.get(f"{server}/iiif/wide/info.json", headers=linked, timeout=10)
    assert response.headers["content-type"] == "application/ld+json"


def test_every_size_of_the_description_can_be_had(server: str) -> None:
    sizes = requests.get(f"{server}/iiif/wide/info.json", timeout=10).json()["sizes"]
    assert {"width": WIDTH, "height": HEIGHT} in sizes
    for size in sizes:
        url = f"{server}/iiif/wide/full/{size['width']},{size['height']}/0/default.jpg"
        answer = picture(requests.get(url, timeout=10))
        assert answer.size == (size["width"], size["height"])


def test_the_tiles_that_a_zooming_viewer_asks_for_make_up_the_picture(server: str) -> None:
    (tiles,) = requests.get(f"{server}/iiif/wide/info.json", timeout=10).json()["tiles"]
    for factor in tiles["scaleFactors"]:
        step = tiles["width"] * factor
        whole = Image.new("RGB", (math.ceil(WIDTH / factor), math.ceil(HEIGHT / factor)))
        for left in range(0, WIDTH, step):
            for top in range(0, HEIGHT, step):
                w, h = min(step, WIDTH - left), min(step, HEIGHT - top)
                url = f"{server}/iiif/wide/{left},{top},{w},{h}/{math.ceil(w / factor)},"
                tile = picture(requests.get(f"{url}/0/default.png", timeout=10))
                whole.paste(tile, (left // factor, top // factor))
        assert tiles["scaleFactors"][-1] * tiles["width"] >= WIDTH  # one tile shows it all
        if factor == 1:
            assert np.array_equal(np.asarray(whole), np.asarray(gradient(WIDTH, HEIGHT)))


def test_a_transparent_picture_becomes_a_jpeg(server: str) -> None:
    url = f"{server}/iiif/clear/full/max/0/default.jpg"
    assert picture(requests.get(url, timeout=10)).mode == "RGB"


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
