"""Golden vectors are of the same texts and pictures everywhere, and are made once for a model."""

import copy
import dataclasses
import hashlib
import io
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from retrievals_pipeline.defs.embeddings.golden import (
    golden_items,
    golden_name,
    keep_golden,
    same_as_before,
)
from retrievals_serving.errors import BuildError
from retrievals_serving.golden import FLOOR_FLOAT32, deviations
from retrievals_serving.models import Description, Embedder, describe_checkpoint, load_embedder
from retrievals_serving.models.contracts import Contract
from retrievals_serving.questions import clean_text
from retrievals_serving.store import Store

# Random weights, which no change of a pixel or a weight leaves as they are.
TINY = Path(__file__).parents[1] / "fixtures" / "qwen3-vl" / "tiny-embedder"
PIXELS = "903025ccb76e9e098dfe90444c13a039e0598f0183038cb795bda42daa3f0f28"


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return load_embedder(str(TINY), device="cpu")


@pytest.fixture
def description() -> Description:
    return describe_checkpoint(str(TINY))


@pytest.fixture
def loads(embedder: Embedder) -> Callable[[], Embedder]:
    """Returns the model; `loads.count` says how often."""

    def load() -> Embedder:
        load.count += 1
        return embedder

    load.count = 0
    return load


def pictures() -> list[Image.Image]:
    return [Image.open(io.BytesIO(item.picture)) for item in golden_items() if item.picture]


def test_there_are_a_dozen_texts_that_can_be_asked_and_a_few_pictures_that_are_resized() -> None:
    texts = [item.text for item in golden_items() if item.text is not None]
    assert len(set(texts)) == 12
    assert [clean_text("query", text) for text in texts] == texts
    assert len({item.name for item in golden_items()}) == len(golden_items())
    assert len({picture.width / picture.height for picture in pictures()}) == 4
    for picture in pictures():
        assert picture.mode == "RGB"
        assert max(picture.size) <= 256
        assert all(side % 32 for side in picture.size)


def test_the_pictures_are_drawn_alike_everywhere() -> None:
    digest = hashlib.sha256(b"".join(picture.tobytes() for picture in pictures())).hexdigest()
    assert digest == PIXELS


def test_they_are_made_once_for_a_model_and_kept(
    tmp_path: Path, description: Description, loads: Callable[[], Embedder], embedder: Embedder
) -> None:
    store = Store(tmp_path)
    made = keep_golden(store, description, loads)
    written = store.path(golden_name(description)).stat().st_mtime_ns
    kept = keep_golden(store, description, loads)
    assert loads.count == 1
    assert store.path(golden_name(description)).stat().st_mtime_ns == written
    assert (kept.items, kept.made_on) == (made.items, made.made_on)
    np.testing.assert_array_equal(kept.vectors, made.vectors)
    assert made.vectors.shape == (16, description.dimension)
    assert made.vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(made.vectors, axis=1), 1, atol=1e-6)
    assert deviations(kept, embedder) == {}


def test_texts_are_embedded_as_queries_and_pictures_as_documents(
    tmp_path: Path, description: Description, loads: Callable[[], Embedder], embedder: Embedder
) -> None:
    golden = keep_golden(Store(tmp_path), description, loads)
    texts = [item.text for item in golden.items if item.text is not None]
    instruction = description.query_contract.parts["instruction"]
    expected = [
        embedder.embed_texts(texts, instruction=instruction),
        embedder.embed_images(pictures()),
    ]
    np.testing.assert_allclose(golden.vectors, np.concatenate(expected), atol=1e-5)


@pytest.mark.parametrize("side", ["corpus_contract", "query_contract"])
def test_a_change_of_either_contract_makes_others(
    tmp_path: Path, description: Description, embedder: Embedder, side: str
) -> None:
    store = Store(tmp_path)
    keep_golden(store, description, lambda: embedder)
    other = Contract(getattr(description, side).parts | {"instruction": "Another."})
    changed = copy.copy(embedder)
    setattr(changed, side, other)
    keep_golden(store, dataclasses.replace(description, **{side: other}), lambda: changed)
    assert len(store.names("embeddings/golden/*")) == 2


def test_a_model_that_is_not_the_one_described_is_refused(
    tmp_path: Path, description: Description, embedder: Embedder
) -> None:
    other = dataclasses.replace(description, corpus_contract=Contract({"weights": "others"}))
    with pytest.raises(BuildError, match="the model changed while it was in use"):
        keep_golden(Store(tmp_path), other, lambda: embedder)
    assert Store(tmp_path).names("embeddings/golden/*") == []


def test_a_model_that_makes_other_vectors_than_before_is_refused_before_it_embeds(
    tmp_path: Path, description: Description, embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(tmp_path)
    assert same_as_before(store, description, lambda: embedder) is embedder  # nothing to compare
    keep_golden(store, description, lambda: embedder)
    assert same_as_before(store, description, lambda: embedder) is embedder
    resize = Image.Image.resize
    monkeypatch.setattr(
        Image.Image, "resize", lambda self, size, _: resize(self, size, Image.Resampling.BILINEAR)
    )
    with pytest.raises(BuildError, match=r"other vectors here \(cpu, float32.*picture '\w+' 0\.99"):
        same_as_before(store, description, lambda: embedder)


@pytest.mark.parametrize("place", [0.2, 0.5, 0.9])
def test_one_flipped_bit_in_the_kept_file_is_seen_and_mended(
    tmp_path: Path, description: Description, embedder: Embedder, place: float
) -> None:
    store = Store(tmp_path)
    golden = keep_golden(store, description, lambda: embedder)
    content = bytearray(store.read_bytes(golden_name(description)))
    content[int(len(content) * place)] ^= 4
    store.write_bytes(golden_name(description), bytes(content))
    again = keep_golden(store, description, lambda: embedder)
    np.testing.assert_allclose(again.vectors, golden.vectors, atol=1e-6)
    assert [item.picture for item in again.items] == [item.picture for item in golden.items]


def test_a_file_that_cannot_be_read_is_made_again(
    tmp_path: Path, description: Description, loads: Callable[[], Embedder]
) -> None:
    store = Store(tmp_path)
    store.write_bytes(golden_name(description), b"")
    keep_golden(store, description, loads)
    keep_golden(store, description, loads)
    assert loads.count == 1


def test_weights_that_changed_a_little_are_named_by_every_item_they_move(
    tmp_path: Path, description: Description, loads: Callable[[], Embedder]
) -> None:
    golden = keep_golden(Store(tmp_path), description, loads)
    folder = Path(shutil.copytree(TINY, tmp_path / "checkpoint"))
    weights = load_file(folder / "model.safetensors")
    generator = torch.Generator().manual_seed(1)
    for name, weight in weights.items():
        if weight.ndim == 2 and "embed" not in name:
            weight += 0.01 * weight.std() * torch.randn(weight.shape, generator=generator)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    cosines = deviations(golden, load_embedder(str(folder), device="cpu"))
    assert len(cosines) == len(golden.items)
    assert all(0.9 < cosine < FLOOR_FLOAT32 for cosine in cosines.values())


def test_a_pillow_that_resizes_otherwise_shows_in_the_pictures_alone(
    tmp_path: Path,
    description: Description,
    loads: Callable[[], Embedder],
    embedder: Embedder,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    golden = keep_golden(Store(tmp_path), description, loads)
    resize = Image.Image.resize

    def bilinear(image: Image.Image, size: tuple[int, int], _: object) -> Image.Image:
        return resize(image, size, Image.Resampling.BILINEAR)

    monkeypatch.setattr(Image.Image, "resize", bilinear)
    cosines = deviations(golden, embedder)
    assert {"picture 'rings'", "picture 'weave'"} <= cosines.keys()
    assert not [name for name in cosines if name.startswith("text")]
