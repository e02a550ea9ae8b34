"""Prompts and network together: prompts with pictures in, the states of their last tokens out.

The embedder and the reranker both are one body, and read one position of its output.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from retrievals_serving.models.checkpoints import Checkpoint
from retrievals_serving.models.devices import Kind, turns_of
from retrievals_serving.models.qwen3_vl.prompts import Prompt, Prompts
from retrievals_serving.models.weights import require_finite

if TYPE_CHECKING:
    from torch import Tensor

    from retrievals_serving.models.qwen3_vl.network.language import Attended, Tokens


class Body:
    """The model without an output layer, with its prompts. Safe to call from several threads.

    `device` and `dtype` are what `auto` came to.
    """

    def __init__(self, checkpoint: Checkpoint, *, device: str, dtype: str) -> None:
        from retrievals_serving.models.qwen3_vl.network.loading import load_network

        self._name = checkpoint.name
        self.prompts = Prompts(checkpoint)
        self.network, self.device, self.dtype = load_network(checkpoint, device=device, dtype=dtype)
        self._turns = turns_of(self.device)

    @contextmanager
    def holding_device(
        self, kind: Kind, *, unless: Callable[[], bool] | None = None
    ) -> Iterator[bool]:
        """Compute in this block, alone on the device, when it is its turn; see `Turns.take`."""
        import torch

        with self._turns.take(kind, unless=unless) as is_wanted, torch.inference_mode():
            yield is_wanted

    def features(self, pictures: Sequence[np.ndarray]) -> "list[Tensor]":
        """Return what the language model sees of fitted pixels, for each picture.

        Within `holding_device`. A picture's features depend on nothing else, and are laid out as
        `VisionTower.forward` says.
        """
        if not pictures:
            return []
        return self.network.visual([self._there(pixels) for pixels in pictures])

    def prefix(self, prompt: Prompt, features: "Sequence[Tensor]") -> "list[Attended]":
        """Return what any continuation of `prompt` attends to. Within `holding_device`."""
        _, attended = self.network.language_model(self.tokens([prompt], features), keep=True)
        return attended

    def last_states(
        self,
        prompts: Sequence[Prompt],
        features: "Sequence[Tensor]",
        prefix: "Sequence[Attended]" = (),
    ) -> "Tensor":
        """Return the state of each prompt's last token, on the device. Within `holding_device`.

        Args:
            prompts: Whole ones, or what follows `prefix` in each.
            features: Of the pictures in them, in their order.
            prefix: Of the prompt that all of them begin with.

        Returns:
            In the body's dtype, (len(prompts), width).
        """
        states, _ = self.network.language_model(self.tokens(prompts, features), prefix)
        return states

    def numbers(self, states: "Tensor") -> np.ndarray:
        """Return states from the device as float32.

        Raises:
            ModelError: They are not finite.
        """
        numbers: np.ndarray = states.float().cpu().numpy()
        require_finite(numbers, self._name, self.device, self.dtype)
        return numbers

    def tokens(self, prompts: Sequence[Prompt], features: "Sequence[Tensor]") -> "Tokens":
        """Bring prompts into one batch on the device, padded on the right, where nothing looks."""
        import torch

        from retrievals_serving.models.qwen3_vl.network.language import Tokens

        lengths = np.array([len(prompt) for prompt in prompts])
        used = np.arange(lengths.max()) < lengths[:, None]
        ids = np.zeros(used.shape, dtype=np.int64)
        positions = np.zeros((*used.shape, 3), dtype=np.int64)
        is_visual = np.zeros(used.shape, dtype=bool)
        ids[used] = np.concatenate([prompt.ids for prompt in prompts])
        positions[used] = np.concatenate([prompt.positions for prompt in prompts])
        is_visual[used] = np.concatenate([prompt.is_visual for prompt in prompts])
        ids_there, positions_there, last, visual = (
            self._there(array) for array in (ids, positions, lengths - 1, np.flatnonzero(is_visual))
        )
        embeddings = self.network.language_model.embed_tokens(ids_there)
        deepstack: Sequence[Tensor] = ()
        if features:
            tokens, *deepstack = torch.cat(list(features), dim=1)
            embeddings.flatten(0, 1).index_copy_(0, visual, tokens)
        return Tokens(embeddings, positions_there, last, visual, deepstack)

    def _there(self, array: np.ndarray) -> "Tensor":
        """Return an array on the device, without waiting for what the device is at."""
        import torch

        tensor = torch.from_numpy(array)
        if self.device.startswith("cuda"):
            tensor = tensor.pin_memory()  # a copy from other memory would wait
        return tensor.to(self.device, non_blocking=True)
