"""Checkpoints of the Qwen3-VL architecture with random weights, of the shapes that are measured.

Speed depends on the shapes alone. Tokenizer and chat template are those of the shipped miniature:
3,235 tokens instead of 151,936. Looking up an embedding takes no work, and the prompts come to
about as many tokens as with the real tokenizer, since the small one was made from these prompts.
"""

import json
import shutil
from pathlib import Path
from typing import Any

import torch

from retrievals_serving.models.checkpoints import SHIPPED

# The config of Qwen/Qwen3-VL-Embedding-2B and Qwen/Qwen3-VL-Reranker-2B, but for the vocabulary.
TWO_B: dict[str, dict[str, Any]] = {
    "text_config": {
        "hidden_size": 2048,
        "num_hidden_layers": 28,
        "num_attention_heads": 16,
        "num_key_value_heads": 8,
        "head_dim": 128,
        "intermediate_size": 6144,
        "rope_scaling": {
            "mrope_interleaved": True,
            "mrope_section": [24, 20, 20],
            "rope_type": "default",
        },
    },
    "vision_config": {
        "hidden_size": 1024,
        "depth": 24,
        "num_heads": 16,
        "intermediate_size": 4096,
        "out_hidden_size": 2048,
        "deepstack_visual_indexes": [5, 11, 17],
        "num_position_embeddings": 2304,
    },
}
# Half as wide, heads as wide as before. The depths are those at which the network has about 150 M
# parameters and the vision tower takes about 40 % of the work at 256 visual tokens; its states are
# taken after the same quarters of its depth.
SMALL: dict[str, dict[str, Any]] = {
    "text_config": TWO_B["text_config"]
    | {
        "hidden_size": 1024,
        "num_hidden_layers": 9,
        "num_attention_heads": 8,
        "num_key_value_heads": 4,
        "intermediate_size": 3072,
    },
    "vision_config": TWO_B["vision_config"]
    | {
        "hidden_size": 512,
        "depth": 4,
        "num_heads": 8,
        "intermediate_size": 2048,
        "out_hidden_size": 1024,
        "deepstack_visual_indexes": [0, 1, 2],
    },
}
SHAPES = {"small": SMALL, "2b": TWO_B}
STD = 0.02  # of the weights, the family's own `initializer_range`


def write(folder: Path, shape: str, kind: str, *, dtype: str, seed: int = 0) -> dict[str, Any]:
    """Write a checkpoint in the layout of the shipped ones and return its config.

    Args:
        folder: Where to; made when it is not there.
        shape: One of `SHAPES`.
        kind: `embedder` or `reranker`; they differ in the tokenizer.
        dtype: Of the weights, as torch names it.
        seed: Of the weights. The output layer is the input embedding.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for file in (SHIPPED / kind).iterdir():
        if file.name not in ("config.json", "model.safetensors"):
            shutil.copy(file, folder)
    config = config_of(shape, kind) | {"dtype": dtype}
    (folder / "config.json").write_text(json.dumps(config, indent=2), encoding="utf-8")

    save_weights(folder / "model.safetensors", config, dtype, seed)
    return config


def config_of(shape: str, kind: str) -> dict[str, Any]:
    """Return the content of `config.json`: the shipped one's, with the sizes of `shape`."""
    config: dict[str, Any] = json.loads((SHIPPED / kind / "config.json").read_bytes())
    for part, sizes in SHAPES[shape].items():
        config[part] |= sizes
    return config


def save_weights(path: Path, config: dict[str, Any], dtype: str, seed: int) -> None:
    """Write the weights: normal, biases 0, norms 1."""
    from safetensors.torch import save_file

    random = torch.Generator().manual_seed(seed)
    weights = {}
    for name, size in weight_sizes(config).items():
        if len(size) > 1:
            values = torch.empty(size).normal_(0, STD, generator=random)
        else:
            values = torch.full(size, float(name.endswith("weight")))
        weights[name] = values.to(getattr(torch, dtype))
    save_file(weights, path, metadata={"format": "pt"})


def weight_sizes(config: dict[str, Any]) -> dict[str, torch.Size]:
    """Return the size of each weight of a config, tied ones once, by its name in the file."""
    from transformers import Qwen3VLConfig, Qwen3VLForConditionalGeneration

    with torch.device("meta"):
        model = Qwen3VLForConditionalGeneration(Qwen3VLConfig.from_dict(config))
    return {name: weight.shape for name, weight in model.named_parameters()}


def parameters(config: dict[str, Any]) -> int:
    """Return how many parameters a network has, without its vocabulary."""
    sizes = weight_sizes(config)
    return sum(size.numel() for name, size in sizes.items() if "embed_tokens" not in name)
