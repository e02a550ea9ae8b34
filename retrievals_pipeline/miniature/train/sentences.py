"""The sentences that the miniature models learn from: requests of many forms, and chatter.

None of their forms is one of the quality bench's. What people put around the words that matter is
endless, so a model has to learn which words to pass over: many sentences here stand among words
drawn by chance.
"""

import random
import tomllib
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from retrievals_pipeline.miniature.scenes import Scene
from retrievals_pipeline.miniature.train.paintings import Painting
from retrievals_pipeline.miniature.truth.asking import ask
from retrievals_pipeline.miniature.truth.facts import Degrees
from retrievals_pipeline.miniature.truth.phrasing import Forms, phrase_query
from retrievals_pipeline.miniature.truth.relevance import Query
from retrievals_serving.models.qwen3_vl import embedder, reranker

_SO = ("", "", "but ", "and ", "with ", "which has ", "that shows ", "where there is ", "showing ",
       "but really ", "only ", "so long as there is ", "where I see ", "and absolutely ", "having ",
       "but there must be ", "please ")  # fmt: skip
_AND = ("", "", "but ", "and ", "that is ", "which is ", "only ", "if it is ", "please ", "it is ",
        "so long as it is ", "but really ")  # fmt: skip
FORMS = Forms(
    frames=("{}",),
    separators=(", ", ", ", " ", "; ", " and ", ". "),
    without=("without {}", "without any {}", ", not {}", "excluding {}", "except {}", "lacking {}",
             "but without {}", "free of {}", "leaving out {}", "I do not want {}", "minus {}",
             "that lacks {}", "not showing {}", "there should not be {}", "never with {}",
             "which does not show {}", "but not with {}", "and not any {}",
             *(f"{so}no {{}}" for so in _SO), *(f"{so}not a {{}}" for so in _SO[2:6])),
    not_so=("nothing {}", "not in the least {}", "anything but {}", "never {}", "neither {}",
            *(f"{so}not {{}}" for so in _AND)),
    worn=("in {}", "wearing {}", "dressed in {}", "with {}", "who wears {}", "clad in {}",
          "who is wearing {}", "and {}"),
    beside=("with {}", "and {}", "beside {}", "near {}", "next to {}", "together with {}",
            "as well as {}", "plus {}", "alongside {}", "with {} nearby", "and there is {} too",
            "where there is also {}"),
    tones=("in {} tones", "in {}", "mostly {}", "in {} colours", "full of {}", "painted in {}",
           "in tones of {}", "with a lot of {}", "dominated by {}", "with {} everywhere",
           "{} all over", "where most is {}", "mainly in {}"),
    heads=("picture", "scene", "image", "work of art", "view", "piece", "thing", "impression"),
    keywords=0.3,
)  # fmt: skip
REQUESTS_FILE = Path(__file__).with_name("requests.toml")
REQUESTS, CHATS = 0.35, 0.35  # of the sentences
CAPITALS = 0.3  # of them that begin with one
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
    return query, say(query, chance)


def say(query: Query, chance: random.Random) -> str:
    """Put a query in words: alone, as a request, or among chatter."""
    text = phrase_query(query, chance, FORMS)
    words = _around()
    way = chance.random()
    if way < REQUESTS:
        asking, of, end = (chance.choice(words[part]) for part in ("asking", "of", "ends"))
        text = " ".join(filter(None, (asking, of, text))) + end
    elif way < REQUESTS + CHATS:
        before, after = (chance.choices(words["chatter"], k=chance.randint(0, n)) for n in (6, 3))
        text = " ".join([*before, text, *after])
    return text.capitalize() if chance.random() < CAPITALS else text


@cache
def _around() -> dict[str, list[str]]:
    """Return what sentences stand among."""
    return tomllib.loads(REQUESTS_FILE.read_text(encoding="utf-8"))


def sample_sentences(paintings: Sequence[Painting], seed: int) -> list[str]:
    """Return what a tokenizer should be short on: sentences, and the words around all of them."""
    chance = random.Random(seed)  # noqa: S311 - words, not a secret
    degrees = [each.degrees for each in paintings[:200]]
    said = [sentence(chance, each.scene, each.degrees, degrees)[1] for each in paintings[:SAMPLE]]
    return said + list(AROUND) * 300
