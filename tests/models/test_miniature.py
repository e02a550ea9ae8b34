"""The shipped miniature models are Qwen3-VL models like any other, only small."""

import json

import numpy as np
import pytest
from safetensors import safe_open

from retrievals_serving.models import Input, load_embedder, load_reranker
from retrievals_serving.models.checkpoints import SHIPPED
from tests.models.reference import by_transformers

MAX_PIXELS = 256**2


@pytest.mark.parametrize("model", ["embedder", "reranker"])
def test_a_model_is_small_and_of_the_familys_layout(model):
    folder = SHIPPED / model
    assert (folder / "model.safetensors").stat().st_size <= 8e6
    assert json.loads((folder / "config.json").read_bytes())["model_type"] == "qwen3_vl"
    with safe_open(folder / "model.safetensors", framework="np") as tensors:
        assert "model.visual.patch_embed.proj.weight" in tensors.keys()  # noqa: SIM118
    assert f"retrievals_pipeline.miniature.train {model}" in (folder / "README.md").read_text()


def test_the_embedder_computes_what_transformers_does(paths):
    folder = SHIPPED / "embedder"
    embedder = load_embedder(str(folder), device="cpu", dtype="float32", max_pixels=MAX_PIXELS)
    inputs = [Input(text="a lonely boat in stormy seas"), *(Input(image=path) for path in paths)]
    expected = by_transformers(folder, embedder, inputs, MAX_PIXELS)
    np.testing.assert_allclose(embedder.embed_inputs(inputs), expected, rtol=0, atol=1e-5)


def test_case_makes_no_difference():
    embedder = load_embedder("miniature")
    plain, loud = embedder.embed_texts(["a lonely boat", "A LONELY Boat"])
    np.testing.assert_array_equal(plain, loud)


def test_the_reranker_scores_between_no_and_yes(paths):
    scores = load_reranker("miniature", max_pixels=MAX_PIXELS).score("a boat", paths)
    assert np.all((scores >= 0) & (scores <= 1))
