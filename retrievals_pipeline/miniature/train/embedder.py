"""Training of the miniature embedder: pictures and sentences learn to meet.

First the tower learns to see. Then, with what it sees kept, the language model learns to say: each
batch holds pictures, many of them alike, and sentences about them. The loss is contrastive at
several widths (Matryoshka, arXiv 2205.13147): of all pictures of the batch, those that the truth
says a sentence fits are to be nearest to it. Beside it the model learns to tell which facts a
picture has and a sentence asks for; those layers are thrown away.
"""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from retrievals_pipeline.miniature.train.ahead import ahead
from retrievals_pipeline.miniature.train.checkpoint import WIDTH
from retrievals_pipeline.miniature.train.descent import Descent
from retrievals_pipeline.miniature.train.paintings import Painting
from retrievals_pipeline.miniature.train.sentences import sentence
from retrievals_pipeline.miniature.train.targets import Array, FactTable
from retrievals_pipeline.progress import track
from retrievals_serving.models.qwen3_vl.body import Body
from retrievals_serving.models.qwen3_vl.embedder import DOCUMENT_INSTRUCTION, QUERY_INSTRUCTION
from retrievals_serving.models.qwen3_vl.network.language import LanguageModel
from retrievals_serving.models.qwen3_vl.prompts import Prompt

PICTURES, SENTENCES = 96, 192  # of a batch
ALIKE = 12  # pictures of a batch that have the same main subject
AT_ONCE = 48  # prompts of about one length, so that little is padding
WIDTHS = (32, 64, WIDTH)
RATE = 1e-2
LARGEST_SCALE = 60.0
WEIGHTS = {"contrast": 1.0, "facts": 5.0, "asked": 5.0}  # of the losses


@dataclass(frozen=True)
class Batch:
    """Pictures by their places, and sentences with what each picture is worth to each of them."""

    places: list[int]
    texts: list[str]
    facts: Array  # (pictures, facts)
    asked: Array  # (sentences, 2 · facts): wanted, ruled out
    worths: Array  # (sentences, pictures)


class Collection:
    """Paintings to draw batches from."""

    def __init__(self, paintings: Sequence[Painting], seed: int) -> None:
        self._paintings = paintings
        self._table = FactTable([each.degrees for each in paintings])
        self._facts = self._table.of_pictures([each.degrees for each in paintings])
        self._chance = random.Random(seed)  # noqa: S311 - which paintings, not a secret
        self._alike: dict[str, list[int]] = {}
        for place, painting in enumerate(paintings):
            self._alike.setdefault(painting.scene.subjects[0].name, []).append(place)

    @property
    def facts(self) -> int:
        """How many facts there are."""
        return len(self._table)

    def batch(self) -> Batch:
        """Draw a batch."""
        places: list[int] = []
        while len(places) < PICTURES:
            alike = self._alike[self._chance.choice(list(self._alike))]
            places += self._chance.sample(alike, min(ALIKE, len(alike), PICTURES - len(places)))
        drawn = [self._paintings[place] for place in places]
        degrees = [each.degrees for each in drawn]
        asked = [
            sentence(self._chance, about.scene, about.degrees, degrees)
            for about in (drawn * math.ceil(SENTENCES / PICTURES))[:SENTENCES]
        ]
        queries = [query for query, _ in asked]
        wanted, unwanted = self._table.of_queries(queries)
        facts = self._facts[places]
        return Batch(
            places=places,
            texts=[text for _, text in asked],
            facts=facts,
            asked=np.concatenate([wanted > 0, unwanted > 0], axis=1).astype(np.float32),
            worths=self._table.worths(queries, facts),
        )


class Heads(nn.Module):
    """The layers that only training needs."""

    def __init__(self, facts: int) -> None:
        super().__init__()
        self.picture = nn.Linear(WIDTH, facts)
        self.sentence = nn.Linear(WIDTH, 2 * facts)
        self.scale = nn.Parameter(torch.tensor(math.log(10.0)))


def train_embedder(
    body: Body, paintings: Sequence[Painting], features: Sequence[Tensor], *, steps: int, seed: int
) -> dict[str, float]:
    """Train the language model of `body` as an embedder; return the last losses.

    Args:
        body: With a tower that sees.
        paintings: To learn from.
        features: What the tower makes of each, as `Body.features` gives it.
        steps: How many batches.
        seed: Of the batches.
    """
    collection = Collection(paintings, seed)
    heads = Heads(collection.facts).to(body.device)
    language = body.network.language_model.requires_grad_(True)
    descent = Descent(language, heads, steps=steps, rate=RATE, weights=WEIGHTS)
    prompts = body.prompts

    def draw() -> tuple[Batch, list[Prompt], list[Prompt]]:
        batch = collection.batch()
        grids = [paintings[place].grid for place in batch.places]
        shown = [prompts.encode(DOCUMENT_INSTRUCTION, grid) for grid in grids]
        said = [prompts.encode(QUERY_INSTRUCTION, prompts.clean(text)) for text in batch.texts]
        return batch, shown, said

    with track("embedder", steps) as advance:
        for batch, shown, said in ahead(draw, steps):
            seen = [features[place].float() for place in batch.places]
            pictures = body.last_states(shown, seen)
            descent.step(_losses(heads, batch, pictures, states_of(body, language, said, [])))
            advance(1)
    language.requires_grad_(False)
    return descent.losses


def states_of(
    body: Body, language: LanguageModel, prompts: Sequence[Prompt], features: Sequence[Tensor]
) -> Tensor:
    """Return the last states of prompts, (prompts, width); their beginning is read once.

    Args:
        body: Of the prompts.
        language: What reads them.
        prompts: Each with a picture at its end, or none of them.
        features: Of the pictures.
    """
    before = shared(prompts)
    _, prefix = language(body.tokens([prompts[0][:before]], []), keep=True)
    rests = [prompt[before:] for prompt in prompts]
    order = sorted(range(len(rests)), key=lambda place: len(rests[place]))
    states = [
        language(
            body.tokens([rests[n] for n in run], [features[n] for n in run if features]), prefix
        )[0]
        for run in (order[start : start + AT_ONCE] for start in range(0, len(order), AT_ONCE))
    ]
    return torch.cat(states)[np.argsort(order)]


def shared(prompts: Sequence[Prompt]) -> int:
    """Return how many tokens all prompts begin with, at most all but one of the shortest."""
    shortest = min(len(each) for each in prompts) - 1
    ids = np.stack([each.ids[:shortest] for each in prompts])
    alike = (ids == ids[0]).all(axis=0)
    return shortest if alike.all() else int(np.argmin(alike))


def _losses(heads: Heads, batch: Batch, pictures: Tensor, sentences: Tensor) -> dict[str, Tensor]:
    bce = functional.binary_cross_entropy_with_logits
    facts, asked = (
        torch.from_numpy(each).to(pictures.device) for each in (batch.facts, batch.asked)
    )
    return {
        "contrast": contrast(pictures, sentences, batch.worths, heads.scale),
        "facts": bce(heads.picture(pictures), facts),
        "asked": bce(heads.sentence(sentences), asked),
    }


def contrast(pictures: Tensor, sentences: Tensor, worths: Array, scale: Tensor) -> Tensor:
    """Return the contrastive loss, both ways, a mean over the widths.

    Args:
        pictures: States (pictures, width).
        sentences: States (sentences, width).
        worths: What each picture is worth to each sentence, 0 to 1.
        scale: Logarithm of what cosines are multiplied by.
    """
    belongs = torch.from_numpy(worths).to(pictures.device)
    total = pictures.new_zeros(())
    for width in WIDTHS:
        near = (
            functional.normalize(sentences[:, :width]) @ functional.normalize(pictures[:, :width]).T
        )
        logits = near * scale.exp().clamp(max=LARGEST_SCALE)
        for axis in (0, 1):
            target = belongs / belongs.sum(axis, keepdim=True).clamp(min=1e-6)
            total = total - (target * logits.log_softmax(axis)).sum(axis).mean()
    return total / (2 * len(WIDTHS))
