"""A picture seen before costs the language half only, and memory for it is bounded."""

import numpy as np
import pytest
import torch
from PIL import Image

from retrievals_serving.models import load_reranker
from retrievals_serving.models.qwen3_vl.features import FeatureStore, picture_key
from retrievals_serving.models.qwen3_vl.pixels import Grid

GRID = Grid(2, 2)


def features(value):
    return torch.full((2, 4, 8), float(value))  # 256 bytes


def test_what_was_put_is_found():
    store = FeatureStore(1000)
    store.put("a", GRID, features(1))
    assert store.get("a").grid == GRID
    assert (store.get("a").features == 1).all()
    assert store.get("b") is None


def test_the_bytes_are_bounded_and_what_was_used_last_stays():
    store = FeatureStore(3 * 256)
    for key in "abc":
        store.put(key, GRID, features(0))
    store.get("a")
    store.put("d", GRID, features(0))
    assert [key for key in "abcd" if store.get(key)] == ["a", "c", "d"]
    assert store.bytes == 3 * 256


def test_a_picture_larger_than_the_store_is_not_kept():
    store = FeatureStore(255)
    store.put("a", GRID, features(0))
    assert (store.get("a"), store.bytes) == (None, 0)


def test_the_same_picture_put_twice_counts_once():
    store = FeatureStore(1000)
    store.put("a", GRID, features(0))
    store.put("a", GRID, features(0))
    assert store.bytes == 256


def test_a_view_of_a_batch_does_not_hold_the_batch():
    store, batch = FeatureStore(1000), torch.zeros(2, 400, 8)
    store.put("a", GRID, batch[:, :4])
    assert store.get("a").features.untyped_storage().nbytes() == 256


def test_a_file_is_known_by_what_it_holds_and_a_picture_by_its_pixels(tmp_path):
    path = tmp_path / "picture.png"
    Image.new("RGB", (64, 64), "teal").save(path)
    before = picture_key(path)
    assert picture_key(str(path)) == before
    assert picture_key(path) == before
    Image.new("RGB", (64, 65), "coral").save(path)
    assert picture_key(path) != before
    teal, coral = (Image.new("RGB", (64, 64), colour) for colour in ("teal", "coral"))
    assert picture_key(teal) == picture_key(teal.copy()) != picture_key(coral)
    assert picture_key(Image.new("RGB", (32, 64))) != picture_key(Image.new("RGB", (64, 32)))


@pytest.fixture
def towers(reranker_checkpoint):
    """A reranker that knows no picture, and how many pictures its tower saw in each forward."""
    reranker = load_reranker(str(reranker_checkpoint), device="cpu", dtype="float32")
    seen = []
    reranker._body.network.visual.register_forward_pre_hook(
        lambda _module, args: seen.append(len(args[0]))
    )
    return reranker, seen


def test_a_known_picture_passes_the_tower_once_and_scores_the_same(towers, paths):
    reranker, seen = towers
    cold = reranker.score("boat", paths)
    assert sum(seen) == len(paths)
    np.testing.assert_array_equal(reranker.score("boat", paths), cold)
    assert sum(seen) == len(paths)
    other = reranker.score("a windmill", paths)
    assert sum(seen) == len(paths)
    assert np.abs(other - cold).max() > 1e-4


def test_known_and_new_pictures_share_a_batch(towers, paths):
    reranker, seen = towers
    reranker.score("boat", paths[1:3])
    seen.clear()
    mixed = reranker.score("boat", paths)
    assert sum(seen) == 2
    np.testing.assert_allclose(mixed, reranker.score("boat", paths), atol=1e-6)


def test_a_picture_that_changed_is_seen_anew(towers, paths, tmp_path):
    reranker, seen = towers
    path = tmp_path / "picture.png"
    path.write_bytes(paths[0].read_bytes())
    before = reranker.score("boat", [path])
    path.write_bytes(paths[1].read_bytes())
    after = reranker.score("boat", [path])
    assert sum(seen) == 2
    assert before != after


def test_what_stands_before_the_candidates_is_computed_once(towers, paths):
    reranker, _ = towers
    kept = []
    reranker._body.network.language_model.register_forward_pre_hook(
        lambda _module, _args, kwargs: kept.append(kwargs.get("keep", False)), with_kwargs=True
    )
    reranker._budget.tokens = 1
    reranker.score("boat", paths)
    assert kept == [True, False, False, False, False]
