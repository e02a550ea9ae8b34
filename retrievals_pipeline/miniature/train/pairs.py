"""Every query of a batch with every picture of it, at the price of a few tokens a pair.

In a reranker's prompt a picture stands behind the query, and a few tokens behind the picture, the
ending, at the last of which the answer is read. Here each query is read once, each picture once,
behind some query of the batch, and the endings once a pair: they attend to what was kept of their
query and of their picture. So 32 queries and 64 pictures make 2,048 pairs of five tokens each,
where serving reads a hundred for each.

A pair differs from serving in one thing: its picture may have been read behind another query. What
an ending makes of it therefore comes to rest on what a picture shows, whatever was asked before it;
where it was read behind its own query the state is serving's, which a test holds.
"""

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor
from torch.nn import functional

from retrievals_serving.models.qwen3_vl.network.language import (
    Attended,
    Attention,
    LanguageModel,
    Layer,
    Tokens,
)
from retrievals_serving.models.qwen3_vl.network.rotation import Angles, rotate

COMPARES = 4  # the layer that compares, by which a query and a picture have been read
UNSEEN = -1e4  # added to how much a token attends to what it may not see


@dataclass(frozen=True)
class Read:
    """What later tokens attend to of texts or pictures of several lengths.

    Attributes:
        attended: By layer, keys and values (n, key heads, tokens, head width).
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


def read(
    language: LanguageModel, tokens: Tokens, before: Read | None = None, *, whole: bool = True
) -> Read:
    """Read tokens, each row behind the same row of `before`, or all behind its only one.

    Unless `whole`, no layer is asked but those that the one that compares needs.
    """
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
    told = states
    needed = len(language.layers) if whole else COMPARES + 1
    for number, layer in enumerate(layers(language)[:needed]):
        if number == COMPARES:
            told = states
        normed = layer.input_layernorm(states)
        attended = layer.self_attn.attended(normed, angles, None)
        kept.append(attended)
        if number + 1 == needed:
            break
        if before is not None:
            attended = joined(before.attended[number], attended)
        heads = functional.scaled_dot_product_attention(
            _queries(layer.self_attn, normed, angles), *attended, attn_mask=seen, enable_gqa=True
        )
        states = states + layer.self_attn.o_proj(heads.transpose(1, 2).flatten(2))
        states = states + layer.mlp(layer.post_attention_layernorm(states))
        if number < len(tokens.deepstack):
            flat = states.flatten(0, 1).index_add(0, tokens.visual, tokens.deepstack[number])
            states = flat.view(count, length, -1)
    return Read(kept, tokens.last + 1, tokens.positions[rows, tokens.last, 0] + 1, told)


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


def last_states(
    language: LanguageModel, ending: Tensor, queries: Read, pictures: Read, read_behind: Tensor
) -> Tensor:
    """Return the last state of each pair's prompt, after the final norm.

    Args:
        language: What read the queries and pictures.
        ending: int64 (tokens,): what follows every picture.
        queries: With all that stands before a picture.
        pictures: Without what they were read behind.
        read_behind: int64 (pictures,): behind which query each was read.

    Returns:
        (queries, pictures, width).
    """
    asked, shown, length = len(queries.lengths), len(pictures.lengths), len(ending)
    places = torch.arange(length, device=ending.device)
    # Where an ending stands behind a picture that was read behind its own query, and where behind
    # the query that it was read behind: what counts is how far from the ending each token is.
    spans = pictures.next - queries.next[read_behind]
    own = queries.next[:, None, None] + spans[None, :, None] + places
    as_read = (pictures.next[None, :, None] + places).expand(asked, -1, -1)
    states = language.embed_tokens(ending).expand(asked, shown, -1, -1)
    by_query, by_picture = (
        _angles(language, positions, states.dtype) for positions in (own, as_read)
    )
    hidden = (
        _hidden(queries.is_token)[:, None, None, None, None],
        _hidden(pictures.is_token)[None, :, None, None, None],
        _hidden(torch.ones(length, length, dtype=torch.bool, device=ending.device).tril()),
    )
    for number, layer in enumerate(layers(language)):
        normed = layer.input_layernorm(states)
        itself = _attended_by_pair(layer.self_attn, normed, by_query)
        if number + 1 == len(language.layers):  # of which the last token alone is read
            states, normed = states[:, :, -1:], normed[:, :, -1:]
            by_query, by_picture = (
                (cosines[..., -1:, :], sines[..., -1:, :])
                for cosines, sines in (by_query, by_picture)
            )
            hidden = (*hidden[:2], hidden[2][-1:])
        heads = _attend(
            layer.self_attn.q_norm(
                layer.self_attn.q_proj(normed).unflatten(-1, (-1, layer.self_attn.head_width))
            ).transpose(2, 3),
            (by_query, by_picture),
            (queries.attended[number], pictures.attended[number], itself),
            hidden,
        )
        states = states + layer.self_attn.o_proj(heads.transpose(2, 3).flatten(3))
        states = states + layer.mlp(layer.post_attention_layernorm(states))
    return language.norm(states[:, :, 0])


def _attend(
    heads: Tensor,
    angles: tuple[Angles, Angles],
    attended: tuple[Attended, Attended, Attended],
    hidden: tuple[Tensor, Tensor, Tensor],
) -> Tensor:
    """Attend to a query, a picture and the ending itself at once: as `heads`, unrotated.

    Pairs of one query share its keys, and pairs of one picture the picture's, so that each of both
    is one multiplication, and no pair needs a copy.

    Args:
        heads: (queries, pictures, heads, tokens, head width).
        angles: Of the tokens as seen from the query and from the picture.
        attended: Keys and values (queries, key heads, …), (pictures, key heads, …), and
            (queries, pictures, key heads, …).
        hidden: What is added to how much each of them is attended to.
    """
    asked, shown, count, length, width = heads.shape
    key_heads = attended[2][0].shape[2]
    grouped = (asked, shown, key_heads, count // key_heads * length, width)
    scaled = heads * width**-0.5
    to_query, to_picture = (rotate(scaled, each).reshape(grouped) for each in angles)
    (keys_q, values_q), (keys_p, values_p), (keys_e, values_e) = attended
    parts = (
        _by_first(to_query, keys_q.transpose(-1, -2)),
        _by_first(to_picture.transpose(0, 1), keys_p.transpose(-1, -2)).transpose(0, 1),
        to_query @ keys_e.transpose(-1, -2),
    )
    weights = torch.cat(
        [
            part.unflatten(3, (-1, length)) + unseen
            for part, unseen in zip(parts, hidden, strict=True)
        ],
        dim=-1,
    )
    shares = weights.softmax(-1).flatten(3, 4)
    of_query, of_picture, of_ending = shares.split([part.shape[-1] for part in parts], dim=-1)
    found = (
        _by_first(of_query, values_q)
        + _by_first(of_picture.transpose(0, 1), values_p).transpose(0, 1)
        + of_ending @ values_e
    )
    return found.reshape(heads.shape)


def _by_first(left: Tensor, right: Tensor) -> Tensor:
    """Multiply (n, m, heads, rows, k) by (n, heads, k, columns), the same for all m."""
    many, rows = left.shape[1], left.shape[3]
    product = left.transpose(1, 2).flatten(2, 3) @ right
    return product.unflatten(2, (many, rows)).transpose(1, 2)


def _attended_by_pair(attention: Attention, normed: Tensor, angles: Angles) -> Attended:
    """Return the keys and values of endings: (queries, pictures, key heads, tokens, head width)."""
    both = attention.kv_proj(normed).unflatten(-1, (2, -1, attention.head_width))
    keys, values = both.transpose(2, 4).unbind(3)
    return rotate(attention.k_norm(keys), angles), values


def _queries(attention: Attention, normed: Tensor, angles: Angles) -> Tensor:
    heads = attention.q_proj(normed).unflatten(-1, (-1, attention.head_width)).transpose(1, 2)
    return rotate(attention.q_norm(heads), angles)


def _angles(language: LanguageModel, positions: Tensor, dtype: torch.dtype) -> Angles:
    """Return the angles of texts at positions (queries, pictures, tokens), for any head."""
    cosines, sines = language.rotation(positions[..., None].expand(-1, -1, -1, 3), dtype)
    return cosines[:, :, None], sines[:, :, None]


def _hidden(is_seen: Tensor) -> Tensor:
    return torch.where(is_seen, 0.0, UNSEEN)


def joined(first: Attended, second: Attended) -> Attended:
    """Return keys and values of what stands first, the same for all where it is one, and then."""
    count = max(len(first[0]), len(second[0]))
    keys, values = (
        torch.cat([each.expand(count, -1, -1, -1) for each in pair], 2)
        for pair in zip(first, second, strict=True)
    )
    return keys, values
