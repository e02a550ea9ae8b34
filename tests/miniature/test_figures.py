"""Pictures of people, of saints and of still lifes: what is named is painted where it is marked."""

import io
from collections import Counter
from dataclasses import replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from retrievals_pipeline.miniature.painting.canvas import Canvas, Mark
from retrievals_pipeline.miniature.painting.painter import LAYOUTS, paint, picture_size
from retrievals_pipeline.miniature.places import PLACES, SITTERS, WOMEN
from retrievals_pipeline.miniature.scenes import Scene, Subject, scene

SIDE = 256
INDOORS = [name for name, place in PLACES.items() if place.indoors]
Pixels = npt.NDArray[np.float64]


def pictures(setting: str, count: int) -> list[Scene]:
    """Return the first scenes of a setting."""
    chosen = (each for number in range(2000) if (each := scene(3, number)).setting == setting)
    return [next(chosen) for _ in range(count)]


def laid_out(painted: Scene, side: int = SIDE) -> tuple[Pixels, list[Mark]]:
    """Return the picture before it has a surface, float (h, w, 3), and its marks."""
    canvas = Canvas(painted, picture_size(painted, side))
    LAYOUTS[painted.setting](canvas)
    return np.asarray(canvas.image.reduce(2), np.float64), canvas.marks


def at(pixels: Pixels, mark: Mark) -> Pixels:
    """Return the part of a picture that a mark is about."""
    height, width = pixels.shape[:2]
    left, top, right, bottom = mark.box
    return pixels[round(top * height) : round(bottom * height),
                  round(left * width) : round(right * width)]  # fmt: skip


def sitting(*subjects: Subject, mood: str = "calm", seed: int = 5) -> Scene:
    """Return a portrait or, with an open book, a reader, in plain colours."""
    setting = "reading" if any(each.name == "open book" for each in subjects) else "portrait"
    return Scene(seed, subjects, setting, "", "", "", mood, "vivid", "oil")


@pytest.mark.parametrize("setting", INDOORS)
def test_every_subject_is_marked_as_often_as_it_is_there(setting: str) -> None:
    for painted in pictures(setting, 25):
        _, marks = laid_out(painted)
        counted = Counter(mark.subject.name for mark in marks)
        assert counted == {each.name: each.count for each in painted.subjects}, painted


@pytest.mark.parametrize("setting", INDOORS)
def test_marks_are_boxes_within_the_picture_that_can_be_seen(setting: str) -> None:
    for painted in pictures(setting, 25):
        for mark in laid_out(painted)[1]:
            left, top, right, bottom = mark.box
            assert 0 <= left < right <= 1
            assert 0 <= top < bottom <= 1
            assert (right - left) * (bottom - top) > 0.006, mark


@pytest.mark.parametrize("setting", INDOORS)
def test_equal_scenes_are_equal_pictures_and_other_seeds_are_others(setting: str) -> None:
    painted = pictures(setting, 1)[0]

    def stored(each: Scene) -> bytes:
        paint(each, SIDE).save(buffer := io.BytesIO(), "PNG")
        return buffer.getvalue()

    assert stored(painted) == stored(painted)
    assert stored(painted) != stored(replace(painted, seed=painted.seed + 1))


@pytest.mark.parametrize("setting", INDOORS)
def test_a_small_picture_is_the_large_one_made_smaller(setting: str) -> None:
    painted = pictures(setting, 1)[0]
    small, large = (laid_out(painted, side)[0].astype(np.uint8) for side in (512, 1024))
    halved = Image.fromarray(large).resize((small.shape[1], small.shape[0]))
    assert np.abs(small - np.asarray(halved, np.float64)).mean() < 4


@pytest.mark.parametrize(("color", "channel"), [("red", 0), ("green", 1), ("blue", 2)])
def test_the_coat_has_its_colour(color: str, channel: int) -> None:
    for sitter in SITTERS:
        pixels, marks = laid_out(sitting(Subject(sitter), Subject("coat", 1, color)))
        coat = next(mark for mark in marks if mark.subject.name == "coat")
        middle = at(pixels, coat)
        assert middle.mean(axis=(0, 1)).argmax() == channel, sitter


def test_black_coats_are_darker_than_all_others() -> None:
    def tone(color: str) -> float:
        pixels, marks = laid_out(sitting(Subject("old woman"), Subject("coat", 1, color)))
        return float(at(pixels, marks[1]).mean())

    tones = {color: tone(color) for color in ("black", "blue", "red", "yellow", "white")}
    assert min(tones, key=lambda color: tones[color]) == "black"
    assert max(tones, key=lambda color: tones[color]) == "white"


@pytest.mark.parametrize("sitter", [sitter for sitter in SITTERS if "old" not in sitter])
def test_the_old_have_white_or_grey_hair_and_the_young_do_not(sitter: str) -> None:
    old = "old woman" if sitter in WOMEN else "old man"

    def grey(name: str) -> float:
        pixels, marks = laid_out(sitting(Subject(name), Subject("coat", 1, "red")))
        head = at(pixels, marks[0])
        colourless = np.ptp(head, axis=2) < 26
        return float((colourless & (head.mean(axis=2) > 110)).mean())

    assert grey(old) > 0.06
    assert grey(sitter) < grey(old) / 2


def test_the_mood_is_in_the_face() -> None:
    faces = {}
    for mood in ("cheerful", "calm", "melancholy"):
        posed = sitting(Subject("girl"), Subject("coat", 1, "red"), mood=mood)
        pixels, marks = laid_out(posed)
        faces[mood] = at(pixels, marks[0])
    assert faces["cheerful"].mean() > faces["calm"].mean() > faces["melancholy"].mean()


def test_a_candle_leaves_the_room_dark_and_shines_itself() -> None:
    for sitter in SITTERS:
        lit = sitting(Subject(sitter), Subject("coat", 1, "red"), Subject("candle"))
        pixels, marks = laid_out(lit)
        flame = at(pixels, next(mark for mark in marks if mark.subject.name == "candle"))
        assert flame.mean(axis=2).max() > 235
        assert np.median(pixels) < 70


def test_half_of_a_mysterious_face_is_dark() -> None:
    shown = (Subject("young man"), Subject("coat", 1, "red"), Subject("candle"))
    pixels, marks = laid_out(sitting(*shown, mood="mysterious"))
    face = at(pixels, marks[0]).mean(axis=2)
    face = face[face.shape[0] // 3 : -face.shape[0] // 6]
    half = face.shape[1] // 2
    left, right = face[:, half // 2 : half].mean(), face[:, half : half + half // 2].mean()
    assert max(left, right) > 1.8 * min(left, right)


@pytest.mark.parametrize("light", ["candle", "window"])
def test_an_open_book_shows_its_white_pages_and_its_cover(light: str) -> None:
    for seed in range(6):
        shown = (Subject("old man"), Subject("coat", 1, "blue"), Subject("open book", 1, "red"))
        pixels, marks = laid_out(sitting(*shown, Subject(light), seed=seed))
        book = at(pixels, next(mark for mark in marks if mark.subject.name == "open book"))
        red = (book[..., 0] > 1.8 * book[..., 1]) & (book[..., 0] > 60)
        pale = book.min(axis=2) > 105
        assert red.mean() > 0.06
        assert pale.mean() > 0.05


def test_gold_is_the_ground_of_an_icon() -> None:
    for painted in pictures("icon", 20):
        pixels, _ = laid_out(replace(painted, palette="vivid"))
        red, green, blue = pixels[..., 0], pixels[..., 1], pixels[..., 2]
        gold = (red > 140) & (green > 0.55 * red) & (green < 0.95 * red) & (blue < 0.62 * red)
        assert gold.mean() > 0.25, painted


def test_saints_and_halos_stand_apart() -> None:
    for painted in pictures("icon", 20):
        _, marks = laid_out(painted)
        halos = sorted(mark.box for mark in marks if mark.subject.name == "halo")
        for one, other in pairwise(halos):
            assert other[0] > one[0] + 0.6 * (one[2] - one[0])


def test_each_fruit_can_be_counted() -> None:
    for painted in pictures("table", 60):
        fruit = [mark.box for mark in laid_out(painted)[1]
                 if mark.subject.name in ("apple", "pear", "orange", "lemon")]  # fmt: skip
        for number, one in enumerate(fruit):
            for other in fruit[number + 1 :]:
                across = min(one[2], other[2]) - max(one[0], other[0])
                down = min(one[3], other[3]) - max(one[1], other[1])
                shared = max(0.0, across) * max(0.0, down)
                smaller = min((b[2] - b[0]) * (b[3] - b[1]) for b in (one, other))
                assert shared < 0.45 * smaller, painted
