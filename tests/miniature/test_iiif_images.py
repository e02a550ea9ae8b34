"""The IIIF server, over real HTTP: every region, size, rotation, quality and format, or why not."""

from collections.abc import Callable

import numpy as np
import pytest
import requests

from tests.miniature.gradients import HEIGHT, WIDTH, gradient, picture

FORMATS = {"jpg": "JPEG", "png": "PNG", "webp": "WEBP"}
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


def test_a_transparent_picture_becomes_a_jpeg(server: str) -> None:
    url = f"{server}/iiif/clear/full/max/0/default.jpg"
    assert picture(requests.get(url, timeout=10)).mode == "RGB"
