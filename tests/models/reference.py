"""What transformers' own Qwen3-VL network makes of the inputs that ours is given."""

import torch
from transformers import Qwen3VLModel

from retrievals_serving.models import truncate
from retrievals_serving.models.qwen3_vl import pixels
from retrievals_serving.models.qwen3_vl.network.vision import patchify


def by_transformers(folder, embedder, inputs, max_pixels=pixels.MAX_PIXELS):
    """Each input alone through transformers' model; prompts are ours, the fixture judges them."""
    model = Qwen3VLModel.from_pretrained(folder, dtype=torch.float32).eval()
    states = []
    for item in inputs:
        prompt = embedder.prompt(item)
        arguments = {
            "input_ids": torch.from_numpy(prompt.ids)[None],
            "mm_token_type_ids": torch.from_numpy(prompt.is_visual)[None].long(),
        }
        if item.image is not None:
            shown = pixels.read_pixels(item.image, max_pixels)
            patches = patchify(torch.from_numpy(shown)).unflatten(1, (3, 1, -1))
            grid = pixels.grid_of(shown)
            arguments["pixel_values"] = patches.expand(-1, -1, 2, -1).flatten(1)
            arguments["image_grid_thw"] = torch.tensor([[1, 2 * grid.rows, 2 * grid.columns]])
        with torch.no_grad():
            states.append(model(**arguments).last_hidden_state[0, -1])
    return truncate(torch.stack(states).numpy(), embedder.dimension)
