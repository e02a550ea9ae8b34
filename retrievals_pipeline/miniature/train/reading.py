"""What the layer that compares is handed of texts and pictures, read in pieces.

In a reranker's prompt a picture stands behind the query. What all prompts begin with is read once,
each query once behind it, and each picture behind some query of the batch; no further than the
layer that compares needs.
"""

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor
from torch.nn import functional

from retrievals_serving.models.qwen3_vl.network.language import (
    Attended,
    LanguageModel,
    Layer,
    Tokens,
)
from retrievals_serving.models.qwen3_vl.network.rotation import rotate

COMPARES = 4  # the layer that compares, by which a query and a picture have been read


@dataclass(frozen=True)
class Read:
    """What later tokens attend to of texts or pictures of several lengths.

    Attributes:
        attended: By layer, to the one that compares: keys and values
            (n, key heads, tokens, head width).
        lengths: (n,): tokens of each; what is behind them is padding.
        next: (n,): the position of the token that follows.
        states: (n, tokens, width): of each token at the beginning of the layer that compares.
    """

    attended: list[Attended]
    lengths: Tensor
    next: Tensor
    states: Tensor

    def state(self, places: Tensor) -> Tensor:
        """Return the state of one token of each, (n, width), by its place (n,)."""
        return self.states[torch.arange(len(places), device=places.device), places]

    @property
    def is_token(self) -> Tensor:
        """Bool (n, tokens): what is no padding."""
        tokens = self.attended[0][0].shape[2]
        return torch.arange(tokens, device=self.lengths.device) < self.lengths[:, None]


def read(language: LanguageModel, tokens: Tokens, before: Read | None = None) -> Read:
    """Read tokens, each row behind the same row of `before`, or all behind its only one."""
    states = tokens.embeddings
    count, length, _ = states.shape
    rows = torch.arange(count, device=states.device)
    angles = language.rotation(tokens.positions[:, None], states.dtype)
    seen = torch.ones(length, length, dtype=torch.bool, device=states.device).tril()
    seen = seen.expand(count, 1, -1, -1)
    if before is not None:
        past = before.is_token[:, None, None].expand(count, 1, length, -1)
        seen = torch.cat((past, seen), -1)
    kept: list[Attended] = []
    for number, layer in enumerate(layers(language)[: COMPARES + 1]):
        attention = layer.self_attn
        normed = layer.input_layernorm(states)
        attended = attention.attended(normed, angles, None)
        kept.append(attended)
        if number == COMPARES:
            break
        if before is not None:
            attended = joined(before.attended[number], attended)
        asking = attention.q_proj(normed).unflatten(-1, (-1, attention.head_width)).transpose(1, 2)
        heads = functional.scaled_dot_product_attention(
            rotate(attention.q_norm(asking), angles), *attended, attn_mask=seen, enable_gqa=True
        )
        states = states + attention.o_proj(heads.transpose(1, 2).flatten(2))
        states = states + layer.mlp(layer.post_attention_layernorm(states))
        if number < len(tokens.deepstack):
            flat = states.flatten(0, 1).index_add(0, tokens.visual, tokens.deepstack[number])
            states = flat.view(count, length, -1)
    return Read(kept, tokens.last + 1, tokens.positions[rows, tokens.last, 0] + 1, states)


def layers(language: LanguageModel) -> list[Layer]:
    """Return the layers, as what they are; a list of modules tells no type checker."""
    return [cast(Layer, each) for each in language.layers]


def behind(first: Read, second: Read) -> Read:
    """Return `second` with what it was read behind, the only row of `first`, before it."""
    attended = [joined(*pair) for pair in zip(first.attended, second.attended, strict=True)]
    states = torch.cat((first.states.expand(len(second.states), -1, -1), second.states), 1)
    return Read(attended, first.lengths + second.lengths, second.next, states)


def chosen(those: Read, rows: Tensor) -> Read:
    """Return some rows, in that order.

    By `index_select`, of which the gradient, unlike that of indexing, adds up in a fixed order.
    """
    attended = [
        (keys.index_select(0, rows), values.index_select(0, rows))
        for keys, values in those.attended
    ]
    states = those.states.index_select(0, rows)
    return Read(attended, those.lengths[rows], those.next[rows], states)


def joined(first: Attended, second: Attended) -> Attended:
    """Return keys and values of what stands first, the same for all where it is one, and then."""
    count = max(len(first[0]), len(second[0]))
    keys, values = (
        torch.cat([each.expand(count, -1, -1, -1) for each in pair], 2)
        for pair in zip(first, second, strict=True)
    )
    return keys, values
