"""The weights of a checkpoint, in the network that computes with them."""

from collections.abc import Mapping, Sequence

import torch
from safetensors import safe_open
from torch import Tensor, nn

from retrievals_serving.models.checkpoints import Checkpoint
from retrievals_serving.models.qwen3_vl.network.config import Shape, read_shape
from retrievals_serving.models.qwen3_vl.network.language import LanguageModel
from retrievals_serving.models.qwen3_vl.network.vision import VisionTower
from retrievals_serving.models.qwen3_vl.pixels import PATCH
from retrievals_serving.models.weights import choose, loading, require_all

FRAMES = 2  # as which a still picture is shown
# One multiplication here, several in the checkpoint.
FUSED = {"kv_proj": ("k_proj", "v_proj"), "gate_up_proj": ("gate_proj", "up_proj")}


class Network(nn.Module):
    """Vision tower and language model, without an output layer."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.visual = VisionTower(shape.vision)
        self.language_model = LanguageModel(shape.language)


def load_network(checkpoint: Checkpoint, *, device: str, dtype: str) -> tuple[Network, str, str]:
    """Return the network with its weights, and the device and dtype that `auto` came to.

    Raises:
        ModelError: It cannot be loaded, or a weight that the network needs is not in the file.
    """
    shape = read_shape(checkpoint)
    device, dtype = choose(device, dtype)
    with loading(checkpoint, device, dtype):
        # Without memory. Embeddings are made by `from_pretrained`, since on this device the drawing
        # of random weights imports torch's compiler, which takes two seconds.
        with torch.device("meta"):
            network = Network(shape)
        stored = _read(checkpoint, device, getattr(torch, dtype))
        sources = {name: _sources(name) for name, _ in network.named_parameters()}
        missing = [each for names in sources.values() for each in names if each not in stored]
        if not missing:
            weights = {
                name: _fuse(name, [stored.pop(each) for each in names])
                for name, names in sources.items()
            }
            network.load_state_dict(weights, assign=True)
            network.to(device).eval()
    require_all(checkpoint, missing)
    return network, device, dtype


def _read(checkpoint: Checkpoint, device: str, dtype: torch.dtype) -> dict[str, Tensor]:
    """Return the tensors of both halves; the output layer of a generative checkpoint stays out."""
    stored = {}
    for file in checkpoint.weight_files:
        with safe_open(file, framework="pt", device=device) as tensors:
            for key in tensors.keys():  # noqa: SIM118 - it is no mapping
                name = key.removeprefix("model.")
                if name.startswith(("visual.", "language_model.")):
                    stored[name] = tensors.get_tensor(key).to(dtype)
    return stored


def _sources(name: str) -> list[str]:
    """Return the names in the checkpoint of what is one parameter here."""
    name = name.replace("patch_embed.", "patch_embed.proj.")
    for fused, parts in FUSED.items():
        if f".{fused}." in name:
            return [name.replace(fused, part) for part in parts]
    return [name]


def _fuse(name: str, parts: list[Tensor]) -> Tensor:
    if name == "visual.patch_embed.weight":
        # A still picture is shown as equal frames: their weights add up.
        (weight,) = parts
        return weight.float().sum(2).flatten(1).to(weight.dtype)
    return torch.cat(parts) if len(parts) > 1 else parts[0]


def unfuse(parameters: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the parameters of a network by the names, and in the shapes, of a checkpoint."""
    return {
        source: part
        for name, parameter in parameters.items()
        for source, part in zip(_sources(name), _split(name, parameter), strict=True)
    }


def _split(name: str, parameter: Tensor) -> Sequence[Tensor]:
    if name == "visual.patch_embed.weight":
        halves = parameter.unflatten(1, (3, 1, PATCH, PATCH)) / FRAMES
        return [halves.expand(-1, -1, FRAMES, -1, -1)]
    return parameter.chunk(len(_sources(name)))
