"""Colours are called what people call them."""

import numpy as np
import pytest
from PIL import Image

from retrievals_pipeline.miniature.truth.colors import NAMES, color_shares


@pytest.mark.parametrize(
    ("color", "name"),
    [
        ((10, 10, 14), "black"),
        ((250, 250, 248), "white"),
        ((128, 130, 128), "grey"),
        ((200, 30, 30), "red"),
        ((240, 130, 20), "orange"),
        ((250, 230, 40), "yellow"),
        ((40, 150, 60), "green"),
        ((30, 70, 200), "blue"),
        ((130, 60, 190), "violet"),
        ((240, 130, 180), "pink"),
        ((120, 80, 50), "brown"),
        ((212, 175, 55), "gold"),
    ],
)
def test_a_plain_picture_is_of_the_colour_that_people_name(
    color: tuple[int, int, int], name: str
) -> None:
    shares = color_shares(Image.new("RGB", (200, 120), color))
    assert shares[name] == 1
    assert sum(share for other, share in shares.items() if other not in ("gold", name)) <= 1
    others = {other for other, share in shares.items() if share and other != name}
    assert others <= {"gold", "yellow", "orange"}


def test_a_share_is_that_of_the_area() -> None:
    pixels = np.zeros((100, 200, 3), np.uint8)
    pixels[:, :50] = (200, 30, 30)
    pixels[:, 50:] = (30, 70, 200)
    shares = color_shares(Image.fromarray(pixels))
    assert shares["red"] == pytest.approx(0.25, abs=0.02)
    assert shares["blue"] == pytest.approx(0.75, abs=0.02)
    assert shares["green"] == 0


def test_every_colour_has_a_share_and_but_for_gold_they_make_the_whole() -> None:
    noise = np.random.default_rng(4).integers(0, 256, (300, 300, 3), dtype=np.uint8)
    small = Image.fromarray(noise).resize((40, 40))
    shares = color_shares(small)
    assert set(shares) == set(NAMES)
    assert sum(shares.values()) - shares["gold"] == pytest.approx(1)
