"""The map of a build: every work has a place, begun at the one it has in the map being served."""

import logging
import shutil
from datetime import UTC, datetime

import numpy as np
import pytest

from retrievals_pipeline.defs.index.collection_map import build_map, moved, places_before
from retrievals_pipeline.defs.index.plan import ReleasePlan
from retrievals_pipeline.defs.map_picture import GROUND, draw_map
from retrievals_serving.collection_map import CollectionMap, read_map, to_units, write_map
from retrievals_serving.release import MAP, Manifest, Release, open_release
from retrievals_serving.settings import Settings
from tests.conftest import WORKS
from tests.index.test_plan import plan
from tests.pipeline.test_checks import edit_manifest, reseal


def next_plan(settings: Settings) -> ReleasePlan:
    """Another release, of the same works."""
    return plan(settings).forced(settings.store, datetime(2031, 1, 1, tzinfo=UTC))


def served_map(settings: Settings) -> CollectionMap:
    return read_map(open_release(settings.store).path(MAP))


def test_each_work_has_a_place_in_the_order_of_the_rows(built: Settings) -> None:
    made = served_map(built)
    assert made.ids == plan(built).works["id"].to_pylist()
    assert made.places.shape == (WORKS, 2)
    assert len(np.unique(made.places, axis=0)) == WORKS
    assert made.figures["neighbours_kept"] > 1.2 * made.figures["neighbours_kept_by_chance"]
    assert made.figures["placed_before"] == 0


def test_works_that_stay_hardly_move(built: Settings) -> None:
    before = served_map(built)
    after = read_map(build_map(built.store, next_plan(built)))
    assert after.figures["placed_before"] == WORKS
    assert after.figures["median_move"] < 0.1
    moves = np.linalg.norm(to_units(after.places) - to_units(before.places), axis=1)
    assert np.median(moves) / np.sqrt(to_units(after.places).var(axis=0).sum()) == pytest.approx(
        after.figures["median_move"]
    )


def test_places_are_found_by_id(built: Settings) -> None:
    """Where works come and go, a work has another row."""
    made = served_map(built)
    release = open_release(built.store)
    others = CollectionMap(["gone", *made.ids[2:]], made.places[1:], made.figures)
    write_map(others, release.path(MAP))
    reseal(release)
    start = places_before(built.store, next_plan(built))
    assert np.isnan(start[:2]).all()
    assert np.array_equal(start[2:], to_units(made.places[2:]))


def test_the_map_of_another_model_is_no_start(built: Settings) -> None:
    release = open_release(built.store)
    edit_manifest(release, embedder=with_another_corpus_contract(release.manifest))
    assert np.isnan(places_before(built.store, next_plan(built))).all()


def with_another_corpus_contract(manifest: Manifest) -> object:
    contract = manifest.embedder.corpus_contract.model_copy(update={"digest": "another"})
    return manifest.embedder.model_copy(update={"corpus_contract": contract})


def without_map(release: Release) -> None:
    release.path(MAP).unlink()


def with_a_broken_map(release: Release) -> None:
    path = release.path(MAP)
    path.write_bytes(b"?" * path.stat().st_size)


def without_its_folder(release: Release) -> None:
    shutil.rmtree(release.path(""))


@pytest.mark.parametrize("spoil", [without_map, with_a_broken_map, without_its_folder])
def test_a_served_map_that_is_damaged_is_no_start_and_is_named(
    built: Settings, caplog: pytest.LogCaptureFixture, spoil: object
) -> None:
    release, planned = open_release(built.store), next_plan(built)
    assert callable(spoil)
    spoil(release)
    with caplog.at_level(logging.WARNING):
        assert np.isnan(places_before(built.store, planned)).all()
    assert "the map begins anew" in caplog.text
    assert release.release_id in caplog.text


def test_before_the_first_release_all_begin_anew(
    built: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    shutil.rmtree(built.store.path("releases"))
    assert np.isnan(places_before(built.store, plan(built))).all()
    assert not caplog.records


def test_moves_are_told_of_works_that_stayed_in_parts_of_the_spread() -> None:
    before = np.array([[np.nan, np.nan], [0, 0], [10, 0]], np.float32)
    after = np.array([[5, 9], [0, 1], [10, 3]], np.float32)
    figures = moved(before, after)
    assert figures["placed_before"] == 2
    assert figures["median_move"] == pytest.approx(2 / np.sqrt(after.var(axis=0).sum()))
    assert moved(before[:1], after[:1]) == {"placed_before": 0}


def test_a_picture_of_the_map_has_each_work_in_its_colour_where_it_lies() -> None:
    places = np.array([[-900, -300], [700, -300], [-900, 500]], np.int16)
    drawn = draw_map(places, ["#ff0000", "#0000ff", None], side=200)
    assert drawn.size == (200, 200)
    # The middle of the works is that of the picture; 1,600 steps are its width without the margin.
    assert drawn.getpixel((6, 53)) == (255, 0, 0)
    assert drawn.getpixel((193, 53)) == (0, 0, 255)
    assert drawn.getpixel((6, 146)) == (0x8A, 0x83, 0x78)
    assert "#{:02x}{:02x}{:02x}".format(*drawn.getpixel((100, 100))) == GROUND


def test_a_picture_of_one_work_has_it_in_the_middle() -> None:
    drawn = draw_map(np.array([[31000, -9]], np.int16), ["#00ff00"], side=100)
    assert drawn.getpixel((50, 50)) == (0, 255, 0)
