"""The network computes what transformers' own does, in shapes that the fixture does not have."""

import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from transformers import Qwen3VLConfig, Qwen3VLModel

from retrievals_serving.models import Input, load_embedder
from retrievals_serving.models.checkpoints import SHIPPED, open_checkpoint
from retrievals_serving.models.qwen3_vl import pixels
from retrievals_serving.models.qwen3_vl.network.config import read_shape
from retrievals_serving.models.qwen3_vl.network.language import Tokens
from retrievals_serving.models.qwen3_vl.network.loading import Network, load_network, unfuse
from retrievals_serving.models.qwen3_vl.network.rotation import rotate
from retrievals_serving.models.qwen3_vl.prompts import positions_of
from tests.models.reference import by_transformers

SHAPES = {
    "no groups of heads": {"text_config": {"num_key_value_heads": 4}},
    "one key head, deep": {"text_config": {"num_key_value_heads": 1, "num_hidden_layers": 7}},
    "deepstack of one layer": {"vision_config": {"deepstack_visual_indexes": [2], "depth": 5}},
    "deepstack as deep as the language model": {"text_config": {"num_hidden_layers": 3}},
    "other widths": {
        "text_config": {"hidden_size": 96, "head_dim": 32, "intermediate_size": 200},
        "vision_config": {"hidden_size": 64, "out_hidden_size": 96, "num_position_embeddings": 64},
    },
}


@pytest.fixture(params=SHAPES)
def folder(request, checkpoint):
    """A checkpoint of another shape, with random weights that leave nothing at rest."""
    config = json.loads((checkpoint / "config.json").read_text())
    for section, changes in SHAPES[request.param].items():
        config[section] |= changes
    half = config["text_config"]["head_dim"] // 2
    section = [half - 2 * (half // 3), half // 3, half // 3]
    config["text_config"]["rope_scaling"]["mrope_section"] = section
    torch.manual_seed(5)
    model = Qwen3VLModel(Qwen3VLConfig.from_dict(config)).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.05)
    model.save_pretrained(checkpoint)
    return checkpoint


def test_a_network_of_any_shape_computes_what_transformers_does(folder, paths):
    embedder = load_embedder(str(folder), device="cpu", dtype="float32")
    inputs = [
        *(Input(text=text) for text in ("a lonely boat", "sea")),
        *(Input(image=path) for path in paths),
        Input(text="a mill", image=paths[0]),
    ]
    expected = by_transformers(folder, embedder, inputs)
    np.testing.assert_allclose(embedder.embed_inputs(inputs), expected, rtol=0, atol=1e-5)


def test_unfused_parameters_are_the_tensors_of_the_file():
    checkpoint = open_checkpoint("miniature", kind="embedder")
    network, _, _ = load_network(checkpoint, device="cpu", dtype="bfloat16")
    unfused = unfuse(dict(network.named_parameters()))
    stored = load_file(SHIPPED / "embedder" / "model.safetensors")
    assert {f"model.{name}" for name in unfused} == set(stored)
    for name, tensor in unfused.items():
        assert torch.equal(tensor, stored[f"model.{name}"]), name


def test_a_rotation_is_the_same_with_gradients_which_flow():
    torch.manual_seed(7)
    states = torch.randn(2, 3, 8, dtype=torch.float64, requires_grad=True)
    turns = torch.randn(3, 4, dtype=torch.float64)
    angles = turns.cos(), turns.sin()
    with torch.no_grad():
        served = rotate(states, angles)
    trained = rotate(states, angles)
    torch.testing.assert_close(trained.detach(), served, rtol=0, atol=1e-12)
    weights = torch.randn_like(served)
    (gradient,) = torch.autograd.grad((trained * weights).sum(), states)
    with torch.no_grad():  # what turns back is a rotation's gradient
        back = rotate(weights, (angles[0], -angles[1]))
    torch.testing.assert_close(gradient, back, rtol=0, atol=1e-12)


def test_positions_advance_with_texts_and_by_the_longer_side_of_a_picture():
    positions = positions_of(5, [1, 3], [pixels.Grid(1, 3), pixels.Grid(2, 1)])
    assert positions.tolist() == [
        [0, 0, 0],
        *([1, 1, 1], [1, 1, 2], [1, 1, 3]),
        [4, 4, 4],
        *([5, 5, 5], [5, 6, 5]),
        [7, 7, 7],
    ]


def test_a_forward_stays_on_its_device():
    """On `meta`, where nothing is computed, a tensor left behind on the CPU is an error."""
    shape = read_shape(open_checkpoint("miniature", kind="embedder"))
    with torch.inference_mode(), torch.device("meta"):
        network = Network(shape).to("meta", torch.bfloat16)
        sizes = [(64, 96), (96, 64), (64, 64)]
        features = network.visual([torch.zeros(*size, 3, dtype=torch.uint8) for size in sizes])
        assert [each.shape[1] for each in features] == [6, 6, 4]
        tokens, *deepstack = torch.cat(features, dim=1)
        visual, last = torch.arange(16), torch.tensor([19, 18, 10])
        embeddings = network.language_model.embed_tokens(torch.zeros(3, 20, dtype=torch.int64))
        embeddings.flatten(0, 1).index_copy_(0, visual, tokens)
        positions = torch.zeros(3, 20, 3, dtype=torch.int64)
        batch = Tokens(embeddings, positions, last, visual, deepstack)
        _, kept = network.language_model(batch, keep=True)
        one = [(keys[:1], values[:1]) for keys, values in kept]
        states, _ = network.language_model(batch, one)
    assert (states.shape, states.dtype) == ((3, shape.language.width), torch.bfloat16)
    assert states.device.type == "meta"
