"""The language model: prompts with pictures in, the states of their last tokens out."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from retrievals_serving.models.qwen3_vl.network.config import LanguageShape
from retrievals_serving.models.qwen3_vl.network.rotation import Angles, Rotation, falling, rotate

Attended = tuple[Tensor, Tensor]  # keys and values, (prompts, key heads, tokens, head width)


@dataclass(frozen=True)
class Tokens:
    """A batch of prompts, or of their ends; shorter ones are padded on the right."""

    embeddings: Tensor  # (prompts, tokens, width), visual tokens in their places
    positions: Tensor  # (prompts, tokens, 3): time, height, width
    last: Tensor  # (prompts,): the place of each prompt's last token
    visual: Tensor  # (visual tokens,): their places in the flattened batch
    deepstack: Sequence[Tensor]  # each (visual tokens, width): added after a layer, in turn


class LanguageModel(nn.Module):
    """A causal transformer, of which only the last token of each prompt is read."""

    def __init__(self, shape: LanguageShape) -> None:
        super().__init__()
        self.embed_tokens = nn.Embedding.from_pretrained(torch.empty(shape.vocabulary, shape.width))
        self.layers = nn.ModuleList(Layer(shape) for _ in range(shape.depth))
        self.norm = nn.RMSNorm(shape.width, shape.norm_epsilon)
        half = shape.head_width // 2
        _, height, width = shape.rotation_sections
        # Height and width take every third frequency from the first on, time has the others.
        axes = [0] * half
        axes[1 : 3 * height : 3] = [1] * len(axes[1 : 3 * height : 3])
        axes[2 : 3 * width : 3] = [2] * len(axes[2 : 3 * width : 3])
        self.rotation = Rotation(falling(shape.rotation_base, half), axes)

    def forward(
        self, tokens: Tokens, prefix: Sequence[Attended] = (), *, keep: bool = False
    ) -> tuple[Tensor, list[Attended]]:
        """Return the states of the last tokens, and what later tokens would attend to.

        Args:
            tokens: What follows `prefix`, their positions counted from its beginning.
            prefix: By layer, the keys and values of one prompt that stands before each of them.
            keep: Whether to return keys and values: by layer, as `prefix` takes them.

        Returns:
            States (prompts, width), after the final norm; and the keys and values, or nothing.
        """
        states = tokens.embeddings
        angles = self.rotation(tokens.positions[:, None], states.dtype)
        final = len(self.layers) - 1
        kept = []
        for number, layer in enumerate(self.layers):
            past = prefix[number] if prefix else None
            # Nothing of the final layer is read but the last tokens, and they are texts.
            last = tokens.last if number == final else None
            states, attended = layer(states, angles, past, last)
            if number < min(len(tokens.deepstack), final):
                flat = states.view(-1, states.shape[-1])
                flat.index_add_(0, tokens.visual, tokens.deepstack[number])
            if keep:
                kept.append(attended)
        return self.norm(states[:, 0]), kept


class Layer(nn.Module):
    """One layer: attention, then a gated feed-forward."""

    def __init__(self, shape: LanguageShape) -> None:
        super().__init__()
        self.input_layernorm = nn.RMSNorm(shape.width, shape.norm_epsilon)
        self.post_attention_layernorm = nn.RMSNorm(shape.width, shape.norm_epsilon)
        self.self_attn = Attention(shape)
        self.mlp = FeedForward(shape)

    def forward(
        self, states: Tensor, angles: Angles, past: Attended | None, last: Tensor | None
    ) -> tuple[Tensor, Attended]:
        """Return the next states, and the keys and values of all tokens with those of `past`.

        Args:
            states: (prompts, tokens, width).
            angles: Of the tokens' positions.
            past: Keys and values of one prompt that stands before each of these.
            last: (prompts,): the only token of each prompt whose next state is wanted; or None.
        """
        normed = self.input_layernorm(states)
        attended = self.self_attn.attended(normed, angles, past)
        until = None
        if last is not None:
            until = attended[0].shape[2] - states.shape[1] + last
            rows = torch.arange(len(states), device=states.device)
            states, normed = states[rows, last][:, None], normed[rows, last][:, None]
            cosines, sines = (each[rows, :, last][:, :, None] for each in angles)
            angles = cosines, sines
        states = states + self.self_attn(normed, angles, attended, until)
        return states + self.mlp(self.post_attention_layernorm(states)), attended


class Attention(nn.Module):
    """Each token attends to those before it; several heads share keys and values."""

    def __init__(self, shape: LanguageShape) -> None:
        super().__init__()
        self.head_width = shape.head_width
        width = shape.heads * shape.head_width
        self.q_proj = nn.Linear(shape.width, width, bias=False)
        self.kv_proj = nn.Linear(shape.width, 2 * shape.key_heads * shape.head_width, bias=False)
        self.o_proj = nn.Linear(width, shape.width, bias=False)
        self.q_norm = nn.RMSNorm(shape.head_width, shape.norm_epsilon)
        self.k_norm = nn.RMSNorm(shape.head_width, shape.norm_epsilon)

    def attended(self, states: Tensor, angles: Angles, past: Attended | None) -> Attended:
        """Return the keys and values of states (prompts, tokens, width), those of `past` first."""
        both = self.kv_proj(states).unflatten(-1, (2, -1, self.head_width))
        keys, values = both.transpose(1, 3).unbind(2)
        keys = rotate(self.k_norm(keys), angles)
        if past is None:
            return keys, values
        before = [each.expand(len(states), -1, -1, -1) for each in past]
        return torch.cat((before[0], keys), 2), torch.cat((before[1], values), 2)

    def forward(
        self, states: Tensor, angles: Angles, attended: Attended, until: Tensor | None
    ) -> Tensor:
        """Return what is to be added to the states of the last so many of the attended tokens.

        With `until`, (prompts,), there is one state a prompt, and it attends to the tokens from
        the first to that one.
        """
        queries = self.q_proj(states).unflatten(-1, (-1, self.head_width)).transpose(1, 2)
        queries = rotate(self.q_norm(queries), angles)
        tokens = attended[0].shape[2]
        if until is None:
            # With as many queries as keys the kernels need no mask, which is what makes them fast.
            before = tokens - queries.shape[2]
            if before:
                queries = functional.pad(queries, (0, 0, before, 0))
            heads = functional.scaled_dot_product_attention(
                queries, *attended, is_causal=True, enable_gqa=True
            )[:, :, before:]
        else:
            places = torch.arange(tokens, device=states.device)
            heads = functional.scaled_dot_product_attention(
                queries,
                *attended,
                attn_mask=(places <= until[:, None])[:, None, None],
                enable_gqa=True,
            )
        return self.o_proj(heads.transpose(1, 2).flatten(2))


class FeedForward(nn.Module):
    """A linear layer, gated by another, and one back."""

    def __init__(self, shape: LanguageShape) -> None:
        super().__init__()
        self.gate_up_proj = nn.Linear(shape.width, 2 * shape.mlp_width, bias=False)
        self.down_proj = nn.Linear(shape.mlp_width, shape.width, bias=False)

    def forward(self, states: Tensor) -> Tensor:
        """Return what is to be added to states (prompts, tokens, width)."""
        gate, up = self.gate_up_proj(states).chunk(2, dim=-1)
        return self.down_proj(functional.silu(gate).mul_(up))
