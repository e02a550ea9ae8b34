"""Places in two dimensions: alike vectors lie together, and what stays hardly moves."""

import numpy as np
import pytest
from sklearn.manifold import trustworthiness

from retrievals_pipeline.defs.index import blocks, projection
from retrievals_pipeline.defs.index.projection import (
    filled,
    nearest,
    neighbourhoods_kept,
    project,
)

SUBJECTS = 8


def make_vectors(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Unit float16 vectors around a few subjects, and the subject of each."""
    subjects = np.random.default_rng(99).standard_normal((SUBJECTS, 64))
    chance = np.random.default_rng(seed)
    of = chance.integers(SUBJECTS, size=count)
    vectors = subjects[of] + 0.6 * chance.standard_normal((count, 64))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float16), of


def nowhere(count: int) -> np.ndarray:
    return np.full((count, 2), np.nan, np.float32)


def nearest_others(places: np.ndarray) -> np.ndarray:
    apart = np.linalg.norm(places[:, None] - places[None], axis=-1)
    np.fill_diagonal(apart, np.inf)
    return apart.argmin(axis=1)


def spread(places: np.ndarray) -> float:
    return float(np.sqrt(places.var(axis=0).sum()))


def test_alike_vectors_lie_together() -> None:
    vectors, of = make_vectors(300)
    places = project(vectors, nowhere(300))
    assert (places.dtype, places.shape) == (np.float32, (300, 2))
    assert (of[nearest_others(places)] == of).mean() > 0.95
    figures = neighbourhoods_kept(vectors, places)
    assert figures["neighbours_kept"] > 5 * figures["neighbours_kept_by_chance"]


def test_the_same_vectors_have_the_same_places() -> None:
    vectors, _ = make_vectors(120)
    assert np.array_equal(project(vectors, nowhere(120)), project(vectors, nowhere(120)))


@pytest.mark.parametrize("count", [1, 2, 3, 5, 9, 10, 20, 50])
def test_a_few_works_have_places_of_their_own(count: int) -> None:
    vectors, _ = make_vectors(count)
    places = project(vectors, nowhere(count))
    assert places.shape == (count, 2)
    assert np.isfinite(places).all()
    assert len(np.unique(places.round(2), axis=0)) == count


@pytest.mark.parametrize("count", [2, 5, 40])
def test_works_that_are_all_the_same_have_one_place(count: int) -> None:
    vectors = np.repeat(make_vectors(1)[0], count, axis=0)
    assert project(vectors, nowhere(count)) == pytest.approx(0, abs=1e-2)


def test_many_copies_of_one_picture_disturb_no_other() -> None:
    vectors, of = make_vectors(150)
    vectors[100:] = vectors[0]  # more than a work has neighbours
    places = project(vectors, nowhere(150))
    assert np.isfinite(places).all()
    assert (of[:100][nearest_others(places[:100])] == of[:100]).mean() > 0.9


def test_works_that_stay_hardly_move_and_others_come_where_they_belong() -> None:
    vectors, of = make_vectors(412)
    before = project(vectors[:400], nowhere(400))
    stay, new = np.arange(12, 400), np.arange(388, 400)
    start = np.concatenate([before[stay], nowhere(12)])
    changed = vectors[12:]

    after = project(changed, start)
    anew = project(changed, nowhere(400))
    moves, moves_anew = (
        np.median(np.linalg.norm(places[:388] - before[stay], axis=1)) / spread(before)
        for places in (after, anew)
    )
    assert moves < 0.05
    assert moves < moves_anew / 3
    assert (of[12:][nearest_others(after)] == of[12:])[new].mean() > 0.9
    kept, kept_anew = (
        neighbourhoods_kept(changed, places)["neighbours_kept"] for places in (after, anew)
    )
    assert kept > kept_anew - 0.05


def test_a_work_without_a_place_begins_beside_the_nearest_that_has_one() -> None:
    points = np.array([[0, 0], [5, 5], [9, 9], [5, 6], [1, 0]], np.float32)
    start = np.array([[40, 0], [np.nan] * 2, [-40, 7], [-9, -9], [np.nan] * 2], np.float32)
    places = filled(start, points)
    assert np.array_equal(places[[0, 2, 3]], start[[0, 2, 3]])
    assert places[[1, 4]] == pytest.approx(start[[3, 0]], abs=0.5)
    assert len(np.unique(places, axis=0)) == 5  # on one place, forces could not part them


def test_the_nearest_are_all_others_by_distance_and_never_the_work_itself() -> None:
    points = np.random.default_rng(3).standard_normal((40, 5)).astype(np.float32)
    points[20:] = points[0]  # more copies than are looked for
    found, distances = nearest(points, 12)
    assert (found != np.arange(40)[:, None]).all()
    apart = np.linalg.norm(points[:, None] - points[None], axis=-1)
    np.fill_diagonal(apart, np.inf)
    assert distances == pytest.approx(np.sort(apart, axis=1)[:, :12], abs=2e-3)
    assert np.take_along_axis(apart, found, axis=1) == pytest.approx(distances, abs=2e-3)


def test_where_few_have_a_place_all_begin_anew() -> None:
    vectors, _ = make_vectors(60)
    start = nowhere(60)
    start[:29] = 500
    assert np.array_equal(project(vectors, start), project(vectors, nowhere(60)))


def test_a_large_collection_is_placed_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    """By interpolated forces, which a small one goes on with here from where it was."""
    vectors, _ = make_vectors(300)
    start = project(vectors, nowhere(300))
    monkeypatch.setattr(projection, "INTERPOLATED", 100)
    monkeypatch.setattr(blocks, "BLOCK", 128)
    places = project(vectors, start)
    assert np.array_equal(places, project(vectors, start))
    assert np.median(np.linalg.norm(places - start, axis=1)) < 0.05 * spread(start)
    assert not np.array_equal(places, start)
    kept, kept_before = (
        neighbourhoods_kept(vectors, where)["neighbours_kept"] for where in (places, start)
    )
    assert kept > kept_before - 0.05


def test_neighbourhoods_are_counted_as_by_scikit_learn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "BLOCK", 16)
    vectors, _ = make_vectors(100)
    places = np.random.default_rng(1).integers(-900, 900, (100, 2)).astype(np.int16)
    places[:50] = 900 * vectors[:50, :2]  # some order in it
    figures = neighbourhoods_kept(vectors, places)
    expected = trustworthiness(vectors.astype(np.float64), places, n_neighbors=10, metric="cosine")
    assert figures["trustworthiness"] == pytest.approx(expected, abs=1e-6)
    assert figures["neighbours_kept"] < 0.3


def test_a_map_that_is_the_vectors_keeps_all() -> None:
    angles = np.sort(np.random.default_rng(2).uniform(0, 2 * np.pi, 90))
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    figures = neighbourhoods_kept(vectors, vectors)
    assert (figures["neighbours_kept"], figures["trustworthiness"]) == (1, 1)
    assert figures["neighbours_kept_by_chance"] == 10 / 89


@pytest.mark.parametrize("count", [1, 2])
def test_of_too_few_works_nothing_is_said(count: int) -> None:
    vectors, _ = make_vectors(count)
    assert neighbourhoods_kept(vectors, np.zeros((count, 2))) == {}
