"""The description of a picture (`info.json`) names what can be had of it."""

import math

import numpy as np
import requests
from PIL import Image

from tests.miniature.gradients import HEIGHT, WIDTH, gradient, picture


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
