"""A server answers only with a model that makes the release's golden vectors again."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from retrievals_serving import SearchEngine, Settings
from retrievals_serving.errors import ReleaseDamaged, ReleaseError
from retrievals_serving.golden import Golden, machine, read_golden, write_golden
from retrievals_serving.release import GOLDEN, Release
from retrievals_serving.store import Store
from tests.serving.small_release import (
    GOLDEN_TEXTS,
    RELEASE,
    WORKS,
    TurnedEmbedder,
    WordEmbedder,
    golden_items,
    seal,
)


@pytest.fixture
def release(home: Path, tmp_path: Path) -> Release:
    """A copy of the release, the test's own to change."""
    shutil.copytree(home, tmp_path / "home")
    return Release(Store(tmp_path / "home"), RELEASE)


def make_on(release: Release, **made_on: object) -> None:
    """Let the golden vectors of `release` have been made on another machine."""
    golden = read_golden(release.path(GOLDEN))
    there = golden.made_on.model_copy(update=made_on)
    write_golden(Golden(golden.items, golden.vectors, there), release.path(GOLDEN))
    seal(release, WORKS)


def open_with(release: Release, embedder: WordEmbedder) -> SearchEngine:
    return SearchEngine.open(release.store.root, embedder=embedder)


def test_golden_vectors_are_read_as_they_were_written(release: Release) -> None:
    golden = read_golden(release.path(GOLDEN))
    assert list(golden.items) == golden_items()
    expected = WordEmbedder().embed_texts([*GOLDEN_TEXTS, "40 by 30"])
    np.testing.assert_array_equal(golden.vectors, expected)
    assert golden.made_on == machine(WordEmbedder()) == release.manifest.golden
    assert golden.made_on.libraries.keys() >= {"torch", "transformers", "pillow", "numpy"}


def test_a_model_is_asked_for_every_item_before_it_is_taken(release: Release) -> None:
    embedder = WordEmbedder()
    with open_with(release, embedder) as engine:
        assert engine.embedder is embedder
    assert (embedder.queries, embedder.pictures) == (GOLDEN_TEXTS, 1)


def test_other_vectors_are_refused_by_item_cosine_and_machine(release: Release) -> None:
    make_on(release, device="cuda:0", dtype="bfloat16", libraries={"pillow": "1.0"})
    with pytest.raises(ReleaseError) as caught:
        open_with(release, TurnedEmbedder(0.9, dtype="float16"))
    message = str(caught.value)
    assert f"release {RELEASE}: the same model makes other vectors here (cpu, float16)" in message
    assert "was made (cuda:0, bfloat16), with cosines under 0.998: " in message
    assert "under 0.998: text 'text 1' 0.900000, picture 'blue' 0.900000. Lib" in message
    assert "pillow: 1" in message
    assert "here, 1.0 there" in message


@pytest.mark.parametrize(
    ("here", "there", "passing", "failing"),
    [
        ("float32", "float32", 0.99995, 0.9998),
        ("float32", "bfloat16", 0.9985, 0.9975),
        ("bfloat16", "float32", 0.9985, 0.9975),
        ("bfloat16", "bfloat16", 0.9985, 0.9975),
    ],
)
def test_half_precision_is_given_more_room_than_float32(
    release: Release, here: str, there: str, passing: float, failing: float
) -> None:
    make_on(release, dtype=there)
    open_with(release, TurnedEmbedder(passing, dtype=here)).close()
    with pytest.raises(ReleaseError, match=f"{failing:.5f}"):
        open_with(release, TurnedEmbedder(failing, dtype=here))


def test_vectors_that_are_no_numbers_are_refused(release: Release) -> None:
    with pytest.raises(ReleaseError, match="picture 'blue' nan"):
        open_with(release, TurnedEmbedder(np.nan))


def test_what_was_refused_stands_for_searches_and_is_tried_again_when_asked(
    release: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = [TurnedEmbedder(0.9), WordEmbedder()]
    monkeypatch.setattr("retrievals_serving.queries.load_embedder", lambda *_, **__: models.pop(0))
    with SearchEngine.open(settings=Settings.load(home=release.store.root)) as engine:
        for _ in range(3):  # of which none waits for it to be loaded again
            with pytest.raises(ReleaseError, match="other vectors"):
                engine.search("boat")
        assert engine.embedder is None
        engine.warm_search()
        assert engine.search("boat").results


def test_a_damaged_file_is_refused_when_the_model_is_loaded(release: Release) -> None:
    content = bytearray(release.path(GOLDEN).read_bytes())
    content[len(content) // 2] ^= 1
    release.path(GOLDEN).write_bytes(content)
    with SearchEngine.open(release.store.root) as engine:
        assert engine.similar("test:1001").results
    with pytest.raises(ReleaseDamaged, match=r"golden\.parquet differs from its sha256"):
        open_with(release, WordEmbedder())


def test_a_file_that_holds_something_else_is_named(tmp_path: Path) -> None:
    (tmp_path / GOLDEN).write_bytes(b"no vectors")
    with pytest.raises(ReleaseDamaged, match=r"golden\.parquet cannot be read as golden vectors"):
        read_golden(tmp_path / GOLDEN)
