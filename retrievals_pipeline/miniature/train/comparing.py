"""How a reranker comes to compare: it begins as the embedder's cosine, and learns to better it.

From answers alone a small model learns to read within minutes, and to compare hardly in an hour. So
comparing is given to it, and each part is learned where it is cheap:

1. `prepare`: in the layer behind the embedder's own, half of the heads are to look at the query's
   last token and half at the picture's, and lay what they find, 64 numbers of each, beside each
   other at the last token of the prompt. The layer's feed-forward multiplies them, as
   silu(q)·p + silu(−q)·(−p) = q·p for any two numbers, and adds the products up where "yes" differs
   from "no". The layers behind it add nothing yet.
2. `compared`: what these layers make of a query and a picture takes no more than a state of each,
   for which the embedder's vectors stand. So it is learned without reading anything.
3. `Beginning`: the layers before it are an embedder. They learn to give the embedder's vectors of
   queries and pictures as they stand in a reranker's prompt.
4. `looks`: the heads learn where to look.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from retrievals_pipeline.miniature.train.checkpoint import HEADS, WIDTH
from retrievals_pipeline.miniature.train.reading import COMPARES, Read, joined, layers
from retrievals_serving.models.qwen3_vl.network.language import LanguageModel
from retrievals_serving.models.qwen3_vl.network.rotation import rotate

QUERY, PICTURE = 0, 1  # at what the heads that share keys look, in turn
HALF = WIDTH // 2  # numbers of a query and of a picture that are compared
LAID = 16.0  # how large they are laid while it learns to compare
OUTWEIGHS = 50.0  # times as large afterwards: what stands at the last token is as large as LAID
SLOPE, ZERO = 15.0, 0.4  # of the logit of "yes" by the cosine, and where it begins
REACH = 1.5  # length of the row of "yes" less that of "no", as the final norm scales it
HIDDEN = 1e4  # taken from how much a token attends to what it may not see


@dataclass(frozen=True)
class Reading:
    """Pictures with the ends of their prompts, each behind its own query.

    Attributes:
        queries: What stands before each picture, a row a picture.
        pictures: What follows, to the end of the prompt.
        seen: int64 (pictures,): the place of each picture's last token.
    """

    queries: Read
    pictures: Read
    seen: Tensor


def comparer(language: LanguageModel) -> nn.Module:
    """Return the part of the model that `compared` needs, but for how a picture is read."""
    layer = layers(language)[COMPARES]
    more = [nn.ModuleList([e.post_attention_layernorm, e.mlp]) for e in layers(language)[COMPARES:]]
    return nn.ModuleList(
        [
            layer.input_layernorm,
            layer.self_attn.kv_proj,
            layer.self_attn.o_proj,
            *more,
            language.norm,
        ]
    )


def looker(language: LanguageModel) -> nn.Module:
    """Return the part of the model that `looks` teaches."""
    attention = layers(language)[COMPARES].self_attn
    return nn.ModuleList([attention.q_proj, attention.kv_proj, attention.q_norm, attention.k_norm])


class Beginning(LanguageModel):
    """The layers before the one that compares, as an embedder: they share its weights.

    Args:
        language: The reranker's.
        norm: The embedder's final norm.
    """

    def __init__(self, language: LanguageModel, norm: nn.RMSNorm) -> None:
        nn.Module.__init__(self)
        self.embed_tokens, self.rotation = language.embed_tokens, language.rotation
        self.layers = nn.ModuleList(layers(language)[:COMPARES])
        self.norm = norm


@torch.no_grad()
def prepare(language: LanguageModel, answer: Tensor) -> None:
    """Let the layers that compare begin as the cosine of what is laid before them.

    Args:
        language: With the weights of an embedder, and layers behind them that add nothing.
        answer: (width,): the output row of "yes" less that of "no". Nothing is laid along it.
    """
    layer = layers(language)[COMPARES]
    layer.input_layernorm.weight.copy_(language.norm.weight)  # vectors are read behind that norm
    one = torch.eye(WIDTH, device=answer.device)
    _, values = layer.self_attn.kv_proj.weight.chunk(2)
    values.copy_(one[: len(values)])
    # Heads that share keys look at the query and at the picture, in turn.
    by_head = one.view(HEADS, -1, WIDTH)
    laid = by_head[[*range(0, HEADS, 2), *range(1, HEADS, 2)]].flatten(0, 1)
    along = answer * language.norm.weight
    direction = along / along.norm()
    across = one - direction[:, None] * direction
    layer.self_attn.o_proj.weight.copy_(LAID * across @ laid)
    size = LAID * language.norm.weight.square().mean().sqrt()
    for each in layers(language)[COMPARES:]:
        each.post_attention_layernorm.weight.fill_(1)
        each.mlp.gate_up_proj.weight.normal_(std=WIDTH**-0.5)  # copies would compare nothing
    language.norm.weight.mul_(REACH / along.norm())
    gate, up = layer.mlp.gate_up_proj.weight.chunk(2)
    query, picture = one.split(HALF)
    gate[:WIDTH].copy_(torch.cat((query, -query)))
    up[:WIDTH].copy_(torch.cat((picture - ZERO * query, ZERO * query - picture)))
    down = layer.mlp.down_proj.weight
    down.zero_()
    down[:, :WIDTH] = (SLOPE * size / (HALF * REACH) * direction)[:, None]


@torch.no_grad()
def outweigh(language: LanguageModel) -> None:
    """Let what is laid outweigh whatever stands there, which `compared` leaves out.

    All that is laid and added grows alike, so that `compared` returns what it did.
    """
    first, *_ = comparing = layers(language)[COMPARES:]
    first.self_attn.o_proj.weight.mul_(OUTWEIGHS)
    for layer in comparing:
        layer.mlp.down_proj.weight.mul_(OUTWEIGHS)


def states_of_vectors(norm: Tensor, vectors: Tensor) -> Tensor:
    """Return the states, of mean square 1, that the embedder's final norm makes vectors of.

    Args:
        norm: (width,): weights of the embedder's final norm.
        vectors: (n, width), of any length.
    """
    states = vectors.to(norm.device) / norm
    return functional.normalize(states, dim=-1) * WIDTH**0.5


def compared(language: LanguageModel, queries: Tensor, pictures: Tensor) -> Tensor:
    """Return the last state of each pair whose query and picture have been laid, after the norm.

    Args:
        language: What compares.
        queries: States at the beginning of the layer that compares, (queries, width).
        pictures: The same of pictures, (pictures, width), or of each query's own,
            (queries, pictures, width).

    Returns:
        (queries, pictures, width).
    """
    layer, *more = layers(language)[COMPARES:]
    states = _laid(language, queries, QUERY)[:, None] + _laid(language, pictures, PICTURE)
    for each in (layer, *more):
        states = states + each.mlp(each.post_attention_layernorm(states))
    return language.norm(states)


def looks(language: LanguageModel, reading: Reading) -> Tensor:
    """Return how little the heads look where they are to look: a mean of -log of their shares."""
    queries, pictures = reading.queries, reading.pictures
    attention = layers(language)[COMPARES].self_attn
    last = pictures.lengths - 1
    state = pictures.state(last)
    normed = layers(language)[COMPARES].input_layernorm(state)
    position = (pictures.next - 1)[:, None, None].expand(-1, -1, 3)
    heads = attention.q_norm(attention.q_proj(normed).unflatten(-1, (HEADS, -1)))
    cosines, sines = language.rotation(position, state.dtype)
    heads = rotate(heads, (cosines, sines))
    keys, _ = joined(queries.attended[COMPARES], pictures.attended[COMPARES])
    keys = keys.repeat_interleave(HEADS // keys.shape[1], 1)
    seen = torch.cat((queries.is_token, pictures.is_token), 1)[:, None]
    logits = (keys @ heads[..., None])[..., 0] * attention.head_width**-0.5
    shares = (logits - HIDDEN * ~seen).log_softmax(-1)
    before = queries.is_token.shape[1]
    places = torch.stack((queries.lengths - 1, before + reading.seen), 1)
    return -shares.gather(2, places.repeat(1, HEADS // 2)[:, :, None]).mean()


def _laid(language: LanguageModel, states: Tensor, turn: int) -> Tensor:
    """Return what heads lay that look at tokens of such states, (…, width), each as its own.

    Args:
        language: What compares.
        states: At the beginning of the layer that compares, (…, width).
        turn: Of the heads that share keys: `QUERY` or `PICTURE`.
    """
    layer = layers(language)[COMPARES]
    _, values = layer.self_attn.kv_proj.weight.chunk(2)
    lays = layer.self_attn.o_proj.weight.unflatten(1, (HEADS // 2, 2, -1))[:, :, turn].flatten(1)
    return layer.input_layernorm(states) @ values.T @ lays.T
