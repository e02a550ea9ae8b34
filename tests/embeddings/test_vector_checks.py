"""The checks of the stored vectors, on shards that hold what a model gone wrong would make."""

import io
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from retrievals_pipeline.defs.embeddings.vectors import VectorShard
from retrievals_pipeline.defs.embeddings.verification import check_variety, check_vectors, survey
from retrievals_serving.golden import FLOOR
from retrievals_serving.store import Store, thumbnail_name

DIMENSION = 32
SHARDS = ["0-of-2", "1-of-2"]
DESCRIPTION: Any = SimpleNamespace(
    dimension=DIMENSION, corpus_contract=SimpleNamespace(digest="contract")
)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


def unit(count: int, dimension: int = DIMENSION, seed: int = 0) -> np.ndarray:
    vectors = np.random.default_rng(seed).normal(size=(count, dimension))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def keep(store: Store, vectors: np.ndarray, *, shard: str = SHARDS[0], alike: bool = False) -> None:
    """Store vectors of pictures that look different, or `alike` as copies of one that were saved
    anew do.
    """
    pictures = [picture(shard, row) for row in range(len(vectors))]
    VectorShard(store, "contract", shard).append([(sha, sha) for sha in pictures], vectors)
    for number, sha in enumerate(pictures):
        store.write_bytes(thumbnail_name(sha), painting(0 if alike else sha, quality=60 + number))


def picture(shard: str, row: int) -> str:
    return f"{shard}{row:04x}"


def painting(seed: object, quality: int) -> bytes:
    colors = np.random.default_rng([*str(seed).encode()]).integers(0, 255, (3, 4, 3), np.uint8)
    content = io.BytesIO()
    Image.fromarray(colors).resize((40, 30)).save(content, "WEBP", quality=quality)
    return content.getvalue()


def test_sound_vectors_pass(store: Store) -> None:
    keep(store, unit(20))
    keep(store, unit(20, seed=1), shard=SHARDS[1])
    seen = survey(store, SHARDS, DESCRIPTION)
    assert check_vectors(seen).passed
    variety = check_variety(seen, store)
    assert variety.passed
    assert (variety.details["vectors"], variety.details["repeated"]) == (40, 0)
    cosines = unit_pairs(np.concatenate([unit(20), unit(20, seed=1)]))
    assert variety.details["mean_cosine"] == pytest.approx(cosines.mean(), abs=1e-3)


def unit_pairs(vectors: np.ndarray) -> np.ndarray:
    """The cosines of all pairs of different vectors."""
    return (vectors @ vectors.T)[~np.eye(len(vectors), dtype=bool)]


@pytest.mark.parametrize(
    ("spoiled", "fault"),
    [
        (np.full(DIMENSION, np.nan), "not_finite"),
        (np.full(DIMENSION, np.inf), "not_finite"),
        (np.eye(DIMENSION)[0] * 1.02, "not_of_length_1"),
        (np.zeros(DIMENSION), "not_of_length_1"),
    ],
)
def test_a_vector_that_cannot_be_compared_is_refused(
    store: Store, spoiled: np.ndarray, fault: str
) -> None:
    vectors = unit(20)
    vectors[3] = spoiled
    keep(store, vectors, shard=SHARDS[1])
    verdict = check_vectors(survey(store, SHARDS, DESCRIPTION))
    assert not verdict.passed
    assert verdict.details[fault] == 1
    sha = picture(SHARDS[1], 3)
    assert verdict.details["faulty"] == [f"{fault}: picture {sha} of shard {SHARDS[1]}"]
    folder = store.path(f"embeddings/contract/{SHARDS[1]}")
    assert verdict.details["remedy"].startswith(f"Remove {folder}, and build again")


def test_vectors_of_another_model_are_refused(store: Store) -> None:
    keep(store, unit(20))
    keep(store, unit(3, dimension=16), shard=SHARDS[1])
    verdict = check_vectors(survey(store, SHARDS, DESCRIPTION))
    assert not verdict.passed
    assert verdict.details["of_another_width"] == 3
    assert len(verdict.details["faulty"]) == 3
    assert str(store.path(f"embeddings/contract/{SHARDS[0]}")) not in verdict.details["remedy"]


def test_what_the_remedy_says_mends_it(store: Store) -> None:
    keep(store, unit(20))
    keep(store, 2 * unit(3), shard=SHARDS[1])
    remedy = check_vectors(survey(store, SHARDS, DESCRIPTION)).details["remedy"]
    shutil.rmtree(remedy.removeprefix("Remove ").partition(",")[0])
    assert check_vectors(survey(store, SHARDS, DESCRIPTION)).passed
    assert VectorShard(store, "contract", SHARDS[1]).pairs() == set()


def test_a_model_that_makes_one_vector_of_everything_is_refused(store: Store) -> None:
    nearly_one = np.eye(DIMENSION)[0] + 0.01 * unit(20)
    keep(store, nearly_one / np.linalg.norm(nearly_one, axis=1, keepdims=True))
    seen = survey(store, SHARDS, DESCRIPTION)
    assert check_vectors(seen).passed
    verdict = check_variety(seen, store)
    assert not verdict.passed
    assert verdict.details["mean_cosine"] > FLOOR
    assert verdict.details["repeated"] <= verdict.details["maximum_repeated"]
    first, second = picture(SHARDS[0], 0), picture(SHARDS[0], 1)
    assert verdict.details["of_one_vector"][0] == f"{first} and {second}"
    assert "RETRIEVALS_EMBEDDER" in verdict.details["remedy"]


def test_a_batch_that_was_written_twice_is_refused_across_shards(store: Store) -> None:
    keep(store, unit(20))
    keep(store, np.concatenate([unit(20)[:4], unit(20, seed=1)]), shard=SHARDS[1])
    verdict = check_variety(survey(store, SHARDS, DESCRIPTION), store)
    assert not verdict.passed
    assert (verdict.details["repeated"], verdict.details["maximum_repeated"]) == (4, 2)
    assert verdict.details["of_one_vector"] == [
        f"{picture(SHARDS[0], row)} and {picture(SHARDS[1], row)}" for row in range(4)
    ]
    assert str(store.path("embeddings/contract")) in verdict.details["remedy"]


def test_copies_of_a_picture_may_have_one_vector(store: Store) -> None:
    keep(store, np.concatenate([unit(20), unit(20)]), alike=True)
    verdict = check_variety(survey(store, SHARDS, DESCRIPTION), store)
    assert verdict.passed
    assert verdict.details["repeated"] == 0


def test_a_folder_of_nothing_but_copies_of_a_picture_is_no_fault_of_the_model(store: Store) -> None:
    keep(store, np.repeat(unit(1), 11, axis=0), alike=True)
    verdict = check_variety(survey(store, SHARDS, DESCRIPTION), store)
    assert verdict.passed
    assert verdict.details["mean_cosine"] > FLOOR


def test_a_thumbnail_that_is_lost_or_damaged_hides_no_other(store: Store) -> None:
    keep(store, np.repeat(unit(1), 11, axis=0))
    store.write_bytes(thumbnail_name(picture(SHARDS[0], 0)), b"no picture")
    store.remove(thumbnail_name(picture(SHARDS[0], 1)))
    verdict = check_variety(survey(store, SHARDS, DESCRIPTION), store)
    assert not verdict.passed
    assert verdict.details["repeated"] == 8


def test_where_it_cannot_look_it_says_so_by_name_and_what_mends_it(store: Store) -> None:
    keep(store, np.concatenate([unit(20), unit(20)]), alike=True)
    unread = [thumbnail_name(picture(SHARDS[0], row)) for row in (20, 21, 22)]
    for name in unread:
        store.write_bytes(name, b"no picture")
    verdict = check_variety(survey(store, SHARDS, DESCRIPTION), store)
    assert not verdict.passed
    assert (verdict.details["repeated"], verdict.details["repeated_unseen"]) == (0, 3)
    assert verdict.details["unreadable"] == [str(store.path(name)) for name in unread]
    assert "of 3 that cannot be read" in verdict.details["remedy"]
    store.write_bytes(unread[0], painting(0, quality=60))
    assert check_variety(survey(store, SHARDS, DESCRIPTION), store).passed


def test_nothing_is_said_of_vectors_that_are_all_one_where_no_picture_can_be_seen(
    store: Store,
) -> None:
    nearly_one = np.eye(DIMENSION)[0] + 0.01 * unit(20)
    keep(store, nearly_one / np.linalg.norm(nearly_one, axis=1, keepdims=True))
    for row in range(20):
        store.remove(thumbnail_name(picture(SHARDS[0], row)))
    verdict = check_variety(survey(store, SHARDS, DESCRIPTION), store)
    assert not verdict.passed
    assert "of 20 that cannot be read" in verdict.details["remedy"]


@pytest.mark.parametrize("count", [0, 1])
def test_of_one_picture_nothing_can_be_said(store: Store, count: int) -> None:
    if count:
        keep(store, unit(count))
    seen = survey(store, SHARDS, DESCRIPTION)
    assert check_vectors(seen).passed
    assert check_variety(seen, store).passed


def test_a_shard_that_cannot_be_read_is_named_and_spoils_no_other(store: Store) -> None:
    keep(store, unit(20))
    store.write_bytes(f"embeddings/contract/{SHARDS[1]}/part-000000.parquet", b"no parquet")
    verdict = check_vectors(survey(store, SHARDS, DESCRIPTION))
    assert verdict.passed
    assert verdict.details["unreadable_shards"] == [SHARDS[1]]
