"""Checkpoints of the miniature models in the layout of the hub, written for serving to load."""

import json
import math
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from torch import Tensor, nn

from retrievals_pipeline.miniature.train.tokenizer import LONGEST, save_tokenizer
from retrievals_serving.models.checkpoints import Checkpoint
from retrievals_serving.models.qwen3_vl.network.config import read_shape
from retrievals_serving.models.qwen3_vl.network.loading import Network, unfuse

WIDTH, DEPTH, HEADS = 128, 4, 4
RERANKER_DEPTH = 7  # of the language model
SECTIONS = (6, 5, 5)  # of a head's 16 frequencies, for time, height and width
DTYPE = torch.bfloat16
PREPROCESSING = {
    "size": {"shortest_edge": 65536, "longest_edge": 16777216},
    "patch_size": 16,
    "temporal_patch_size": 2,
    "merge_size": 2,
    "image_mean": [0.5, 0.5, 0.5],
    "image_std": [0.5, 0.5, 0.5],
    "image_processor_type": "Qwen2VLImageProcessorFast",
    "processor_class": "Qwen3VLProcessor",
}


def config_of(tokenizer: Tokenizer) -> dict[str, Any]:
    """Return the content of `config.json`: the family's architecture, in miniature."""
    return {
        "architectures": ["Qwen3VLForConditionalGeneration"],
        "model_type": "qwen3_vl",
        "dtype": "bfloat16",
        "tie_word_embeddings": True,
        "image_token_id": tokenizer.token_to_id("<|image_pad|>"),
        "video_token_id": tokenizer.token_to_id("<|video_pad|>"),
        "vision_start_token_id": tokenizer.token_to_id("<|vision_start|>"),
        "vision_end_token_id": tokenizer.token_to_id("<|vision_end|>"),
        "text_config": {
            "model_type": "qwen3_vl_text",
            "vocab_size": tokenizer.get_vocab_size(),
            "hidden_size": WIDTH,
            "intermediate_size": 3 * WIDTH,
            "num_hidden_layers": DEPTH,
            "num_attention_heads": HEADS,
            "num_key_value_heads": HEADS // 2,
            "head_dim": WIDTH // HEADS,
            "hidden_act": "silu",
            "attention_bias": False,
            "rms_norm_eps": 1e-6,
            "max_position_embeddings": LONGEST,
            "rope_theta": 5000000,
            "rope_scaling": {
                "rope_type": "default",
                "mrope_interleaved": True,
                "mrope_section": list(SECTIONS),
            },
            "tie_word_embeddings": True,
        },
        "vision_config": {
            "model_type": "qwen3_vl_vision",
            "hidden_size": WIDTH,
            "intermediate_size": 3 * WIDTH,
            "depth": DEPTH,
            "num_heads": HEADS,
            "hidden_act": "gelu_pytorch_tanh",
            "out_hidden_size": WIDTH,
            "num_position_embeddings": 16**2,
            "deepstack_visual_indexes": [1],
            "in_channels": 3,
            "patch_size": 16,
            "spatial_merge_size": 2,
            "temporal_patch_size": 2,
        },
    }


def write_checkpoint(folder: Path, tokenizer: Tokenizer) -> None:
    """Write a checkpoint with random weights from torch's present seed."""
    folder.mkdir(parents=True, exist_ok=True)
    config = config_of(tokenizer)
    for name, content in (("config.json", config), ("preprocessor_config.json", PREPROCESSING)):
        (folder / name).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    save_tokenizer(tokenizer, folder)
    network = Network(read_shape(Checkpoint("miniature", folder)))
    for name, parameter in network.named_parameters():
        _initialise(name, parameter)
    save_network(network, folder)


def deepen(folder: Path) -> None:
    """Give the language model of a checkpoint the layers that a reranker compares with.

    They are copies of its last one that add nothing yet.
    """
    config_file = folder / "config.json"
    config = json.loads(config_file.read_text(encoding="utf-8"))
    weights = folder / "model.safetensors"
    tensors = load_file(weights)
    layers = "model.language_model.layers"
    last = {
        name.removeprefix(f"{layers}.{DEPTH - 1}."): tensor
        for name, tensor in tensors.items()
        if name.startswith(f"{layers}.{DEPTH - 1}.")
    }
    for layer in range(DEPTH, RERANKER_DEPTH):
        for name, tensor in last.items():
            adds = name.endswith(("o_proj.weight", "down_proj.weight"))
            tensors[f"{layers}.{layer}.{name}"] = tensor * 0 if adds else tensor.clone()
    config["text_config"]["num_hidden_layers"] = RERANKER_DEPTH
    config_file.write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    save_file(tensors, weights, metadata={"format": "pt"})


def save_network(network: nn.Module, folder: Path) -> None:
    """Write the weights under the names that the family's checkpoints have, in bfloat16.

    All may read them, as the files beside: safetensors itself leaves a file to its owner.
    """
    tensors = {
        f"model.{name}": tensor.to("cpu", DTYPE).contiguous()
        for name, tensor in unfuse(dict(network.named_parameters())).items()
    }
    weights = folder / "model.safetensors"
    save_file(tensors, weights, metadata={"format": "pt"})
    weights.chmod(0o644)


@torch.no_grad()
def _initialise(name: str, parameter: Tensor) -> None:
    if name.endswith("bias"):
        parameter.zero_()
    elif parameter.ndim == 1:
        parameter.fill_(1)  # norms
    elif "embed" in name and "patch" not in name:
        parameter.normal_(std=0.02)
    else:
        parameter.normal_(std=1 / math.sqrt(parameter.shape[1]))
        if name.endswith(
            ("o_proj.weight", "down_proj.weight", "attn.proj.weight", "mlp.linear_fc2.weight")
        ):
            parameter.mul_(1 / math.sqrt(2 * DEPTH))
