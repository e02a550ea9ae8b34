"""How much work a prompt is for a network of the Qwen3-VL architecture, counted from its config.

Two operations for each multiply-add of the linear layers and of attention; norms, activations and
positions are left out, and so is the vocabulary, which neither embedder nor reranker computes.
Attention of the language model is counted where a token looks back, not where the mask hides.
"""

from typing import Any

Config = dict[str, Any]


def prompt_flops(config: Config, *, patches: int, tokens: int) -> int:
    """Return the operations of a prompt of `tokens` with one picture of `patches`."""
    return vision_flops(config, patches) + language_flops(config, tokens)


def vision_flops(config: Config, patches: int) -> int:
    """Return the operations of the vision tower over a picture cut into `patches` of 16 px."""
    vision = config["vision_config"]
    width, middle, out = (
        vision[name] for name in ("hidden_size", "intermediate_size", "out_hidden_size")
    )
    patch = vision["in_channels"] * vision["temporal_patch_size"] * vision["patch_size"] ** 2
    layer = patches * (4 * width**2 + 2 * width * middle) + 2 * patches**2 * width
    together = vision["spatial_merge_size"] ** 2
    merger = patches // together * ((together * width) ** 2 + together * width * out)
    mergers = 1 + len(vision["deepstack_visual_indexes"])
    return 2 * (patches * patch * width + vision["depth"] * layer + mergers * merger)


def language_flops(config: Config, tokens: int) -> int:
    """Return the operations of the language model over a prompt of `tokens`."""
    text = config["text_config"]
    width, head = text["hidden_size"], text["head_dim"]
    queries, keys = text["num_attention_heads"] * head, text["num_key_value_heads"] * head
    linear = tokens * width * (2 * queries + 2 * keys + 3 * text["intermediate_size"])
    seen = tokens * (tokens + 1) // 2
    return 2 * int(text["num_hidden_layers"]) * (linear + 2 * seen * queries)
