"""The open-air pictures: what they say stands there, apart and where it is said to be."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from retrievals_pipeline.miniature.painting.canvas import Canvas, Mark
from retrievals_pipeline.miniature.painting.outdoors.things import THINGS
from retrievals_pipeline.miniature.painting.painter import paint, paint_marked
from retrievals_pipeline.miniature.places import PLACES
from retrievals_pipeline.miniature.scenes import Scene, Subject, scene

SIDE = 256
OUTDOORS = [name for name, place in PLACES.items() if not place.indoors]
SCENES = [each for each in (scene(3, number) for number in range(170)) if not each.indoors]


def view(*subjects: Subject, setting: str, **rest: str) -> Scene:
    plain = {"time_of_day": "noon", "weather": "clear", "season": "summer", "mood": "calm"}
    return Scene(7, subjects, setting, palette="vivid", manner="oil", **(plain | rest))


def pixels(picture: Image.Image) -> np.ndarray:
    return np.asarray(picture, np.float32)


def overlap(a: Mark, b: Mark) -> float:
    """The share of the narrower of two marks that the other covers."""
    wide = min(a.box[2], b.box[2]) - max(a.box[0], b.box[0])
    high = min(a.box[3], b.box[3]) - max(a.box[1], b.box[1])
    areas = [(m.box[2] - m.box[0]) * (m.box[3] - m.box[1]) for m in (a, b)]
    return max(0.0, wide) * max(0.0, high) / min(areas)


def test_the_scenes_of_this_test_show_every_place() -> None:
    assert {each.setting for each in SCENES} == set(OUTDOORS)


@pytest.mark.parametrize("number", range(0, len(SCENES), 2))
def test_each_thing_is_marked_once_large_enough_and_apart_from_its_like(number: int) -> None:
    shown = SCENES[number]
    picture, marks = paint_marked(shown, SIDE)
    for subject in shown.subjects:
        alike = [mark for mark in marks if mark.subject == subject]
        assert len(alike) == subject.count
        for place, mark in enumerate(alike):
            if subject.name not in ("moon", "sun", "flock of birds"):
                height = (mark.box[3] - mark.box[1]) * picture.height
                assert height >= min(picture.size) * 0.09, subject.name
            assert all(overlap(mark, other) < 0.12 for other in alike[:place])


def test_a_mark_is_where_the_picture_changes_with_its_subject() -> None:
    with_moon = view(Subject("tree", 2), Subject("moon"), setting="hills", time_of_day="night")
    picture, marks = paint_marked(with_moon, SIDE)
    (moon,) = (mark for mark in marks if mark.subject.name == "moon")
    left, top, right, bottom = moon.box
    size = picture.width, picture.height, picture.width, picture.height
    disc = picture.crop(tuple(round(a * b) for a, b in zip(moon.box, size, strict=True)))
    assert 0 < left < right < 1
    assert 0 < top < bottom < 0.5
    assert pixels(disc).mean() > pixels(picture).mean() + 80


def shape(name: str) -> np.ndarray:
    """A thing alone on an empty canvas, in grey where it has a colour of its own."""
    canvas = Canvas(view(setting="meadow"), (SIDE, SIDE))
    THINGS[name].paint(canvas, SIDE, SIDE * 1.7, SIDE * 0.9, (128, 128, 128))
    return pixels(canvas.image).sum(axis=-1) > 0


@pytest.mark.parametrize(("one", "other"), list(itertools.combinations(sorted(THINGS), 2)))
def test_no_two_things_have_nearly_the_same_outline(one: str, other: str) -> None:
    a, b = shape(one), shape(other)
    overlapping = max((a & b).sum() / (a | b).sum(), (a & b[:, ::-1]).sum() / (a | b).sum())
    assert overlapping < 0.75


@pytest.mark.parametrize("setting", OUTDOORS)
def test_night_is_darker_than_noon_and_dusk_is_warmer(setting: str) -> None:
    name, count, _ = PLACES[setting].main[0]
    noon = view(Subject(name, count, "white"), setting=setting)
    by_hour = {
        hour: pixels(paint(replace(noon, time_of_day=hour), SIDE))
        for hour in ("noon", "dusk", "night")
    }
    assert by_hour["night"].mean() < by_hour["noon"].mean() - 40
    warmth = {hour: (each[..., 0] - each[..., 2]).mean() for hour, each in by_hour.items()}
    assert warmth["dusk"] > warmth["noon"]
    assert warmth["dusk"] > warmth["night"] + 20


@pytest.mark.parametrize("setting", ["meadow", "hills", "river", "village", "forest"])
def test_winter_whitens_the_ground(setting: str) -> None:
    name, count, _ = PLACES[setting].main[0]
    summer = view(Subject(name, count, "red"), setting=setting)
    low = SIDE // 2
    green = pixels(paint(summer, SIDE))[low:]
    white = pixels(paint(replace(summer, season="winter"), SIDE))[low:]
    assert white.mean() > green.mean() + 25


def test_a_storm_darkens_the_sky_and_snow_falls_only_in_winter() -> None:
    clear = view(Subject("church"), setting="hills")
    sky = slice(0, SIDE // 4)
    storm = replace(clear, weather="stormy")
    assert pixels(paint(storm, SIDE))[sky].mean() < pixels(paint(clear, SIDE))[sky].mean() - 50
    snow = pixels(paint(replace(storm, season="winter"), SIDE))[sky]
    rain = pixels(paint(storm, SIDE))[sky]
    flakes = snow.min(axis=-1) > rain.min(axis=-1).max()
    assert flakes.sum() > 50


@pytest.mark.parametrize(("palette", "channel"), [("azure", 2), ("crimson", 0)])
@pytest.mark.parametrize("setting", OUTDOORS)
def test_a_palette_of_one_hue_rules_the_whole_picture(
    setting: str, palette: str, channel: int
) -> None:
    name, count, _ = PLACES[setting].main[0]
    tinted = replace(view(Subject(name, count, "white"), setting=setting), palette=palette)
    mean = pixels(paint(tinted, SIDE)).mean(axis=(0, 1))
    others = [mean[other] for other in range(3) if other != channel]
    assert mean[channel] > max(others) + 15


@pytest.mark.parametrize("setting", OUTDOORS)
def test_a_small_painting_is_the_large_one_made_smaller(setting: str) -> None:
    shown = next(each for each in SCENES if each.setting == setting and each.manner == "oil")
    small, large = paint(shown, 256), paint(shown, 512)
    assert np.abs(pixels(large.resize(small.size)) - pixels(small)).mean() < 12
