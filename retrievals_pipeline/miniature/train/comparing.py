"""How a reranker comes to compare: it begins as the embedder's cosine, and learns to correct it.

From answers alone a small model learns to read within minutes, and to compare hardly in an hour. So
the layer behind the embedder's own is made to compare before any answer is taught:

1. Its attention lays the query beside the picture, at the last token of the prompt: half of its
   heads look at the query's last token, half at the picture's, whose states are taught to be the
   embedder's vectors of both. Of each the first 64 numbers do, as the embedder is trained at that
   width too. It is taught by `losses`, in a few hundred steps.
2. Its feed-forward layer multiplies them: silu(q)·p + silu(−q)·(−p) = q·p for any two numbers. It
   adds the products up where "yes" differs from "no". `multiply` sets those weights.

From there on all weights learn from answers, these too.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from retrievals_pipeline.miniature.train.checkpoint import HEADS, WIDTH
from retrievals_pipeline.miniature.train.pairs import COMPARES, Read, joined, layers
from retrievals_serving.models.qwen3_vl.network.language import LanguageModel
from retrievals_serving.models.qwen3_vl.network.rotation import rotate

HALF = WIDTH // 2  # numbers of each vector that are compared
SLOPE = 15.0  # of the logit of "yes" by the cosine
REACH = 1.5  # length of the row of "yes" less that of "no", as the final norm scales it
HIDDEN = 1e4  # taken from how much a token attends to what it may not see
WEIGHTS = {"query": 5.0, "picture": 5.0, "looks": 1.0, "laid": 5.0}  # of the losses


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
    """Return the part of the model that `losses` teaches."""
    layer = layers(language)[COMPARES]
    return nn.ModuleList(
        [
            language.embed_tokens,
            *layers(language)[:COMPARES],
            layer.input_layernorm,
            layer.self_attn,
        ]
    )


@torch.no_grad()
def prepare(language: LanguageModel, answer: Tensor) -> None:
    """Let the layer that compares copy what its heads look at, half of them beside the others.

    Args:
        language: With the weights of an embedder.
        answer: (width,): the output row of "yes" less that of "no". Nothing is laid along it.
    """
    layer = layers(language)[COMPARES]
    layer.input_layernorm.weight.copy_(language.norm.weight)  # vectors are read behind that norm
    layer.post_attention_layernorm.weight.fill_(1)
    one = torch.eye(WIDTH, device=answer.device)
    _, values = layer.self_attn.kv_proj.weight.chunk(2)
    values.copy_(one[: len(values)])
    # Heads that share keys look at the query and at the picture, in turn.
    by_head = one.view(HEADS, -1, WIDTH)
    laid = by_head[[*range(0, HEADS, 2), *range(1, HEADS, 2)]].flatten(0, 1)
    layer.self_attn.o_proj.weight.copy_(_across(language, answer) @ laid)


def losses(
    language: LanguageModel, answer: Tensor, reading: Reading, vectors: tuple[Tensor, Tensor]
) -> dict[str, Tensor]:
    """Return how far each query is from lying beside its picture.

    Args:
        language: What read them.
        answer: As for `prepare`.
        reading: Pictures, each behind its query.
        vectors: The embedder's, of each query and picture: both (pictures, width), of length 1.
    """
    query, picture = vectors
    found_query = language.norm(reading.queries.state(reading.queries.lengths - 1))
    found_picture = language.norm(reading.pictures.state(reading.seen))
    looks, residual = _look(language, reading)
    layer = layers(language)[COMPARES]
    halves = [functional.normalize(each[:, :HALF]) * HALF**0.5 for each in vectors]
    beside = torch.cat(halves, 1) @ _across(language, answer)
    return {
        "query": (1 - functional.cosine_similarity(found_query, query)).mean(),
        "picture": (1 - functional.cosine_similarity(found_picture, picture)).mean(),
        "looks": -looks.mean(),
        "laid": functional.mse_loss(layer.post_attention_layernorm(residual), beside),
    }


@torch.no_grad()
def multiply(language: LanguageModel, answer: Tensor, reading: Reading) -> None:
    """Let the layer that compares multiply what lies beside each other, and answer with the sum.

    Args:
        language: After `losses` have taught it.
        answer: As for `prepare`.
        reading: Any; it tells how large the states are that the sum is added to.
    """
    _, residual = _look(language, reading)
    along = answer * language.norm.weight
    language.norm.weight.mul_(REACH / along.norm())
    mlp = layers(language)[COMPARES].mlp
    gate, up = mlp.gate_up_proj.weight.chunk(2)
    query, picture = torch.eye(WIDTH, device=answer.device).split(HALF)
    gate[:WIDTH].copy_(torch.cat((query, -query)))
    up[:WIDTH].copy_(torch.cat((picture, -picture)))
    size = residual.square().mean().sqrt()
    mlp.down_proj.weight.zero_()
    mlp.down_proj.weight[:, :WIDTH] = (SLOPE * size / (HALF * REACH) * along / along.norm())[
        :, None
    ]


def _look(language: LanguageModel, reading: Reading) -> tuple[Tensor, Tensor]:
    """Return what the last token of each prompt makes in the attention of the layer that compares.

    Returns:
        (pictures, heads): logarithm of how much each head looks where it is to look; and
        (pictures, width): the state behind it.
    """
    queries, pictures = reading.queries, reading.pictures
    attention = layers(language)[COMPARES].self_attn
    last = pictures.lengths - 1
    state = pictures.state(last)
    normed = layers(language)[COMPARES].input_layernorm(state)
    position = (pictures.next - 1)[:, None, None].expand(-1, -1, 3)
    heads = attention.q_norm(attention.q_proj(normed).unflatten(-1, (HEADS, -1)))
    cosines, sines = language.rotation(position, state.dtype)
    heads = rotate(heads, (cosines, sines))
    keys, values = (
        each.repeat_interleave(HEADS // each.shape[1], 1)
        for each in joined(queries.attended[COMPARES], pictures.attended[COMPARES])
    )
    seen = torch.cat((queries.is_token, pictures.is_token), 1)[:, None]
    logits = (keys @ heads[..., None])[..., 0] * attention.head_width**-0.5
    shares = (logits - HIDDEN * ~seen).log_softmax(-1)
    found = (shares.exp()[:, :, None] @ values)[:, :, 0]
    before = queries.is_token.shape[1]
    places = torch.stack((queries.lengths - 1, before + reading.seen), 1)
    looks = shares.gather(2, places.repeat(1, HEADS // 2)[:, :, None])[..., 0]
    return looks, state + attention.o_proj(found.flatten(1))


def _across(language: LanguageModel, answer: Tensor) -> Tensor:
    """Return the projection, (width, width), that leaves nothing along what answers are read by."""
    along = functional.normalize(answer * language.norm.weight, dim=0)
    return torch.eye(WIDTH, device=answer.device) - along[:, None] * along
