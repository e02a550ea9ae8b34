"""The benchmarks measure against a faithful loop, and count the work that torch counts."""

import json

import numpy as np
import pytest
from torch.utils.flop_counter import FlopCounterMode

from benchmarks import checkpoints, flops
from benchmarks.loop import DOCUMENT, EmbeddingLoop, RerankingLoop
from benchmarks.pictures import paint_many
from benchmarks.sections import replaced
from retrievals_serving.models import Input, load_embedder, load_reranker

TOLERANCE = 1e-5
SMALLEST = {
    "text_config": checkpoints.SMALL["text_config"] | {"num_hidden_layers": 1},
    "vision_config": checkpoints.SMALL["vision_config"]
    | {"depth": 1, "deepstack_visual_indexes": [0]},
}


@pytest.fixture(scope="module")
def tiny(request):
    """The folder with the tiny checkpoints and the output of the models' reference code."""
    return request.config.rootpath / "tests/fixtures/qwen3-vl"


@pytest.fixture(scope="module")
def golden(tiny):
    return json.loads((tiny / "golden.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def paths(tiny):
    return sorted((tiny / "inputs").iterdir())


@pytest.fixture(scope="module")
def loop(tiny):
    return EmbeddingLoop(tiny / "tiny-embedder", device="cpu", dtype="float32")


def assert_same(numbers, expected):
    np.testing.assert_allclose(numbers, np.array(expected), rtol=0, atol=TOLERANCE)


def test_the_loop_embeds_as_the_reference_does(loop, golden, paths):
    assert_same(loop.embed_images(paths), golden["image_default"])


def test_the_loop_keeps_to_a_pixel_budget(tiny, golden, paths):
    loop = EmbeddingLoop(
        tiny / "tiny-embedder", device="cpu", dtype="float32", max_pixels=512 * 512
    )
    assert_same(loop.embed_images(paths), golden["image_max_pixels_262144"])


def test_the_loop_scores_as_the_reference_does(tiny, golden, paths):
    loop = RerankingLoop(tiny / "tiny-reranker", device="cpu", dtype="float32")
    for query, expected in golden["rerank"].items():
        assert_same(loop.score(query, paths), expected)


def test_the_work_is_what_torch_counts(tiny, paths):
    loop = EmbeddingLoop(tiny / "tiny-embedder", device="cpu", dtype="float32")
    loop.model.set_attn_implementation("eager")  # whose products the counter sees, masked or not
    inputs = loop.prepare(DOCUMENT, [[paths[0]]])
    with FlopCounterMode(display=False) as counter:
        loop.last_states(inputs)

    config = json.loads((tiny / "tiny-embedder" / "config.json").read_text(encoding="utf-8"))
    tokens, text = inputs["input_ids"].shape[1], config["text_config"]
    queries = text["num_attention_heads"] * text["head_dim"]
    masked = 4 * text["num_hidden_layers"] * queries * tokens * (tokens - 1) // 2
    patches = len(inputs["pixel_values"])
    counted = flops.prompt_flops(config, patches=patches, tokens=tokens)
    assert counter.get_total_flops() == counted + masked


def test_the_small_model_has_the_size_and_the_balance_it_is_said_to_have():
    config = checkpoints.config_of("small", "reranker")
    vision, language = flops.vision_flops(config, 1024), flops.language_flops(config, 332)
    assert checkpoints.parameters(config) == pytest.approx(150e6, rel=0.03)
    assert vision / (vision + language) == pytest.approx(0.4, abs=0.02)


def test_both_sides_load_what_is_written_and_agree(monkeypatch, tmp_path):
    monkeypatch.setitem(checkpoints.SHAPES, "smallest", SMALLEST)
    pictures = paint_many(tmp_path, 3, [(96, 64), (64, 64)])
    chosen = {"device": "cpu", "dtype": "float32"}

    embedder = tmp_path / "embedder"
    checkpoints.write(embedder, "smallest", "embedder", dtype="bfloat16")
    ours, loop = load_embedder(str(embedder), **chosen), EmbeddingLoop(embedder, **chosen)
    vectors = loop.embed_images(pictures)
    assert_same(ours.embed_images(pictures), vectors)
    assert_same(ours.embed_queries([Input(text="boat")]), loop.embed_query("boat"))
    assert (vectors @ vectors.T)[~np.eye(3, dtype=bool)].max() < 0.99

    reranker = tmp_path / "reranker"
    checkpoints.write(reranker, "smallest", "reranker", dtype="bfloat16")
    scores = load_reranker(str(reranker), **chosen).score("boat", pictures)
    assert_same(scores, RerankingLoop(reranker, **chosen).score("boat", pictures))


def test_a_section_takes_the_place_of_the_one_of_its_title():
    text = "# Benchmarks\n\nHead.\n\n## A\n\nold\n\n## B\n\nkept\n"
    assert (
        replaced(text, "## A\n\nnew\n") == "# Benchmarks\n\nHead.\n\n## A\n\nnew\n\n## B\n\nkept\n"
    )
    assert replaced(text, "## C\n\nnew\n") == text + "\n## C\n\nnew\n"
