"""The shape of a Qwen3-VL network, read from a checkpoint's `config.json`."""

from dataclasses import dataclass
from math import isqrt
from typing import Any

from retrievals_serving.errors import ModelError
from retrievals_serving.models.checkpoints import Checkpoint

# What the forward in `network` computes; a checkpoint that says otherwise would get wrong vectors.
SUPPORTED = {
    ("text_config", "hidden_act"): "silu",
    ("text_config", "attention_bias"): False,
    ("vision_config", "hidden_act"): "gelu_pytorch_tanh",
    ("vision_config", "patch_size"): 16,
    ("vision_config", "spatial_merge_size"): 2,
    ("vision_config", "temporal_patch_size"): 2,
    ("vision_config", "in_channels"): 3,
}


@dataclass(frozen=True)
class VisionShape:
    """The vision tower."""

    width: int
    depth: int
    heads: int
    mlp_width: int
    output_width: int
    position_grid: int
    """Side of the square grid of learned positions."""
    deepstack_layers: tuple[int, ...]
    """After which of its layers it hands features to the language model."""


@dataclass(frozen=True)
class LanguageShape:
    """The language model."""

    vocabulary: int
    width: int
    depth: int
    heads: int
    key_heads: int
    head_width: int
    mlp_width: int
    norm_epsilon: float
    rotation_base: float
    rotation_sections: tuple[int, int, int]
    """How many of the rotary frequencies are of time, height and width."""


@dataclass(frozen=True)
class Shape:
    """A whole network."""

    vision: VisionShape
    language: LanguageShape


def read_shape(checkpoint: Checkpoint) -> Shape:
    """Read the shape of a checkpoint's network.

    Raises:
        ModelError: A size is missing, or the network computes something this one does not.
    """
    try:
        return Shape(
            vision=_vision(_section(checkpoint, "vision_config")),
            language=_language(checkpoint, _section(checkpoint, "text_config")),
        )
    except KeyError as error:
        raise ModelError(
            f"checkpoint {checkpoint.name}: config.json does not say {error}: download it again."
        ) from error
    except (TypeError, ValueError) as error:
        raise ModelError(
            f"checkpoint {checkpoint.name}: config.json is not understood, {error}: download it "
            "again."
        ) from error


def _section(checkpoint: Checkpoint, name: str) -> dict[str, Any]:
    section: dict[str, Any] = checkpoint.config[name]
    for (part, key), value in SUPPORTED.items():
        if part == name and section.get(key, value) != value:
            raise ModelError(
                f"checkpoint {checkpoint.name} has {key} {section[key]!r} in its {name}, the "
                f"Qwen3-VL family {value!r}: choose another."
            )
    return section


def _vision(config: dict[str, Any]) -> VisionShape:
    return VisionShape(
        width=config["hidden_size"],
        depth=config["depth"],
        heads=config["num_heads"],
        mlp_width=config["intermediate_size"],
        output_width=config["out_hidden_size"],
        position_grid=isqrt(config["num_position_embeddings"]),
        deepstack_layers=tuple(config["deepstack_visual_indexes"]),
    )


def _language(checkpoint: Checkpoint, config: dict[str, Any]) -> LanguageShape:
    # Published files have `rope_scaling` and `rope_theta`, those of transformers 5 the other.
    rotation = config.get("rope_parameters") or config["rope_scaling"]
    if rotation.get("rope_type", "default") != "default":
        raise ModelError(
            f"checkpoint {checkpoint.name} has rope_type {rotation['rope_type']!r}, the Qwen3-VL "
            "family 'default': choose another."
        )
    time, height, width = rotation["mrope_section"]
    return LanguageShape(
        vocabulary=config["vocab_size"],
        width=config["hidden_size"],
        depth=config["num_hidden_layers"],
        heads=config["num_attention_heads"],
        key_heads=config["num_key_value_heads"],
        head_width=config["head_dim"],
        mlp_width=config["intermediate_size"],
        norm_epsilon=config["rms_norm_eps"],
        rotation_base=rotation.get("rope_theta") or config["rope_theta"],
        rotation_sections=(time, height, width),
    )
