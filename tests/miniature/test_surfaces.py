"""The manners: each leaves its own surface on the same picture, and the picture stays itself."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from PIL import Image, ImageDraw

from retrievals_pipeline.miniature.painting.surfaces import SURFACES
from retrievals_pipeline.miniature.scenes import MANNERS, MONOCHROME, Scene, scene

SCENE = scene(7, 3)
COLORED = [manner for manner in MANNERS if manner not in MONOCHROME]
HUES = {"red": (188, 46, 40), "blue": (44, 84, 156), "green": (92, 138, 62),
        "yellow": (232, 192, 62)}  # fmt: skip
DISC = (0.38, 0.3, 0.62, 0.62)


def layout(
    size: tuple[int, int], disc: tuple[int, int, int] | None = HUES["red"], dim: float = 1.0
) -> Image.Image:
    """A pale sky over a grey-brown ground with one disc in front of both."""
    width, height = size
    rows = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    sky = np.asarray((150, 176, 196)) + rows * 40
    ground = np.asarray((128, 116, 96)) - rows * 30
    pixels = np.broadcast_to(np.where(rows < 0.55, sky, ground) * dim, (height, width, 3))
    picture = Image.fromarray(pixels.astype(np.uint8))
    box = [share * length for share, length in zip(DISC, (width, height) * 2, strict=True)]
    if disc:
        ImageDraw.Draw(picture).ellipse(box, fill=tuple(round(value * dim) for value in disc))
    return picture


def finished(manner: str, picture: Image.Image, of: Scene = SCENE) -> np.ndarray:
    return np.asarray(SURFACES[manner](picture, of), np.float32)


def coarse(pixels: np.ndarray, side: int = 24) -> np.ndarray:
    """The picture as a square of `side` mean colours."""
    small = Image.fromarray(pixels.astype(np.uint8)).resize((side, side), Image.Resampling.BOX)
    return np.asarray(small, np.float32)


def middle(pixels: np.ndarray) -> np.ndarray:
    """The mean colour of the inside of the disc."""
    height, width, _ = pixels.shape
    inside = pixels[int(height * 0.4) : int(height * 0.52), int(width * 0.45) : int(width * 0.55)]
    return inside.reshape(-1, 3).mean(0)


def grain(pixels: np.ndarray) -> np.ndarray:
    """How rough the surface is and in which direction, of the middle of the picture."""
    height, width, _ = pixels.shape
    grey = pixels[height // 8 : -height // 8, width // 8 : -width // 8].mean(2)
    return np.asarray([np.abs(np.diff(grey, axis=axis)).mean() for axis in (0, 1)])


def test_every_manner_has_a_surface() -> None:
    assert tuple(SURFACES) == MANNERS


@pytest.mark.parametrize("manner", MANNERS)
@pytest.mark.parametrize("size", [(320, 230), (230, 320), (97, 64), (40, 40)])
def test_a_surface_keeps_the_size_and_the_layout(manner: str, size: tuple[int, int]) -> None:
    picture = layout(size)
    before = picture.tobytes()
    made = SURFACES[manner](picture, SCENE)
    assert (made.size, made.mode) == (size, "RGB")
    assert picture.tobytes() == before
    assert made.tobytes() != before


@pytest.mark.parametrize("manner", MANNERS)
def test_equal_layouts_and_scenes_give_equal_pixels(manner: str) -> None:
    first, again = (SURFACES[manner](layout((320, 240)), SCENE).tobytes() for _ in range(2))
    assert first == again


@pytest.mark.parametrize("manner", MANNERS)
def test_no_two_scenes_have_the_same_stains(manner: str) -> None:
    other = replace(SCENE, seed=SCENE.seed ^ 3)
    picture = layout((320, 240))
    assert not np.array_equal(finished(manner, picture), finished(manner, picture, other))


def test_no_two_manners_look_alike() -> None:
    picture = layout((512, 380))
    made = {manner: finished(manner, picture) for manner in MANNERS}
    for one, other in combinations(MANNERS, 2):
        tones = np.abs(coarse(made[one]) - coarse(made[other])).mean()
        texture = np.abs(grain(made[one]) - grain(made[other])).max()
        assert tones > 8 or texture > 1.5, (one, other, tones, texture)


@pytest.mark.parametrize("manner", COLORED)
@pytest.mark.parametrize("color", HUES)
def test_a_thing_keeps_its_colour(manner: str, color: str) -> None:
    shown = middle(finished(manner, layout((512, 380), HUES[color])))
    shown = (shown - shown.mean()) / np.linalg.norm(shown - shown.mean())
    likeness = {}
    for name, hue in HUES.items():
        pure = np.asarray(hue, np.float32) - np.mean(hue)
        likeness[name] = float(shown @ pure / np.linalg.norm(pure))
    assert max(likeness, key=likeness.__getitem__) == color
    assert likeness[color] > 0.9


@pytest.mark.parametrize("manner", MONOCHROME)
def test_a_manner_without_colours_shows_none(manner: str) -> None:
    red, green = (
        middle(finished(manner, layout((512, 380), HUES[name])))
        for name in HUES
        if name in ("red", "green")
    )
    for shown in (red, green):
        assert shown.max() - shown.min() < 40  # the warmth of the paper


@pytest.mark.parametrize("manner", MANNERS)
def test_night_stays_dark(manner: str) -> None:
    day, night = (finished(manner, layout((512, 380), dim=dim)) for dim in (1.0, 0.3))
    inside = np.s_[60:-60, 60:-60]
    assert night[inside].mean() < 0.72 * day[inside].mean()
    assert night[inside].mean() < 112


@pytest.mark.parametrize("manner", MANNERS)
def test_a_thing_stands_out_in_each_manner(manner: str) -> None:
    with_it = finished(manner, layout((512, 380)))
    without = finished(manner, layout((512, 380), disc=None))
    assert np.abs(middle(with_it) - middle(without)).max() > 30


@pytest.mark.parametrize("manner", MANNERS)
def test_a_small_picture_looks_like_a_large_one_made_smaller(manner: str) -> None:
    large, small = (finished(manner, layout(size)) for size in ((1024, 760), (512, 380)))
    assert np.abs(coarse(large) - coarse(small)).mean() < 6


@pytest.mark.parametrize("manner", MANNERS)
def test_a_layout_of_one_colour_is_painted_too(manner: str) -> None:
    made = finished(manner, Image.new("RGB", (256, 190), (120, 130, 140)))
    assert made.shape == (190, 256, 3)
