"""The sentences that the miniature models learn from: many frames, none of the quality bench's."""

import random
from collections.abc import Sequence

from retrievals_pipeline.miniature.scenes import Scene
from retrievals_pipeline.miniature.train.paintings import Painting
from retrievals_pipeline.miniature.truth.asking import ask
from retrievals_pipeline.miniature.truth.facts import Degrees
from retrievals_pipeline.miniature.truth.phrasing import Forms, phrase_query
from retrievals_pipeline.miniature.truth.relevance import Query
from retrievals_serving.models.qwen3_vl import embedder, reranker

FORMS = Forms(
    frames=("{}", "{}", "{}", "{}", "a picture of {}", "show me {}", "a painting of {}",
            "I am looking for {}", "find {}", "an artwork with {}", "here we see {}", "this is {}",
            "an image of {}", "please find {}",
            "art with {}", "pictures of {}", "{}.", "{} in art"),
    separators=(", ", ", ", " ", "; ", " and ", ". "),
    without=("without {}", "but no {}", "no {}", "with no {}", "but without any {}", ", not {}",
             "excluding {}", "and no {}"),
    not_so=("not {}", "but not {}", "that is not {}", "which is not {}"),
    worn=("in {}", "wearing {}", "dressed in {}", "with {}", "who wears {}"),
    beside=("with {}", "and {}", "beside {}", "near {}", "next to {}", "together with {}"),
    tones=("in {} tones", "in {}", "mostly {}", "in {} colours", "full of {}", "painted in {}"),
    heads=("picture", "scene", "painting", "image", "work of art", "view"),
    keywords=0.3,
)  # fmt: skip
SAMPLE = 4000
AROUND = (  # of every prompt
    f"system\n{embedder.DOCUMENT_INSTRUCTION}",
    f"system\n{embedder.QUERY_INSTRUCTION}",
    f"system\n{reranker.SYSTEM}",
    f"user\n<Instruct>: {reranker.INSTRUCTION}<Query>:",
    "\n<Document>:",
    "assistant\n",
    "yes no",
)
KINDS = {"description": 8, "attributes": 6, "attribute": 2, "count": 3, "negation": 4, "mood": 2}


def sentence(
    chance: random.Random,
    scene: Scene,
    degrees: Degrees,
    others: Sequence[Degrees],
    kinds: dict[str, int] = KINDS,
) -> tuple[Query, str]:
    """Ask something that the work answers, and put it in words."""
    query = None
    while query is None:
        (kind,) = chance.choices(list(kinds), list(kinds.values()))
        query = ask(chance, kind, scene, degrees, others)
    text = phrase_query(query, chance, FORMS)
    return query, text.capitalize() if chance.random() < 0.3 else text


def sample_sentences(paintings: Sequence[Painting], seed: int) -> list[str]:
    """Return what a tokenizer should be short on: sentences, and the words around all of them."""
    chance = random.Random(seed)  # noqa: S311 - words, not a secret
    degrees = [each.degrees for each in paintings[:200]]
    said = [sentence(chance, each.scene, each.degrees, degrees)[1] for each in paintings[:SAMPLE]]
    return said + list(AROUND) * 300
