"""The models that ship find what is asked: random weights of their shape would fail here."""

import random

import numpy as np
import pytest
import torch
from PIL import Image

from benchmarks.truth_queries import FORMS
from retrievals_pipeline.miniature.train import comparing
from retrievals_pipeline.miniature.train.paintings import MAX_PIXELS, Painting, _paint
from retrievals_pipeline.miniature.train.reading import chosen, read
from retrievals_pipeline.miniature.train.reranker import questions, read_queries
from retrievals_pipeline.miniature.truth.asking import ask
from retrievals_pipeline.miniature.truth.measures import ndcg
from retrievals_pipeline.miniature.truth.phrasing import phrase_query
from retrievals_pipeline.miniature.truth.relevance import grades
from retrievals_serving.models import Input, load_embedder, load_reranker
from retrievals_serving.models.checkpoints import SHIPPED, Checkpoint
from retrievals_serving.models.qwen3_vl.body import Body

MUSEUM, WORKS, QUERIES = 0, 80, 24
JUDGED = 40  # pictures of a query
CHANCE = 0.45  # what an order at random reaches, and more


@pytest.fixture(scope="module")
def paintings() -> list[Painting]:
    return [_paint((MUSEUM, number)) for number in range(WORKS)]


@pytest.fixture(scope="module")
def asked(paintings: list[Painting]) -> list[tuple[str, list[int]]]:
    """Queries in words, and the grade of each painting."""
    chance = random.Random(1)
    degrees = [each.degrees for each in paintings]
    found = []
    while len(found) < QUERIES:
        painting = chance.choice(paintings)
        query = ask(chance, "attributes", painting.scene, painting.degrees, degrees)
        if query is not None:
            found.append((phrase_query(query, chance, FORMS), list(grades(query, degrees))))
    return found


@pytest.fixture(scope="module")
def pictures(paintings: list[Painting]) -> list[Image.Image]:
    return [Image.fromarray(each.pixels) for each in paintings]


def quality(asked: list[tuple[str, list[int]]], scores: list[np.ndarray]) -> float:
    """The mean nDCG@10 of the orders that the scores give."""
    return float(
        np.mean(
            [
                ndcg([graded[place] for place in np.argsort(-each)], graded)
                for (_, graded), each in zip(asked, scores, strict=True)
            ]
        )
    )


def test_the_embedder_finds_what_is_asked(
    asked: list[tuple[str, list[int]]], pictures: list[Image.Image]
) -> None:
    embedder = load_embedder("miniature", max_pixels=MAX_PIXELS)
    queries = embedder.embed_queries([Input(text=text) for text, _ in asked])
    assert quality(asked, list(queries @ embedder.embed_images(pictures).T)) > 0.75
    chance = np.random.default_rng(0)
    assert quality(asked, [chance.random(WORKS) for _ in asked]) < CHANCE


def test_the_reranker_finds_what_is_asked(
    asked: list[tuple[str, list[int]]], pictures: list[Image.Image]
) -> None:
    reranker = load_reranker("miniature", max_pixels=MAX_PIXELS)
    judged = [(text, graded[:JUDGED]) for text, graded in asked if 3 in graded[:JUDGED]][:6]
    scores = [reranker.score(text, pictures[:JUDGED]) for text, _ in judged]
    assert quality(judged, scores) > 0.75


@torch.no_grad()
def test_the_whole_reranker_answers_as_its_parts_compare(paintings: list[Painting]) -> None:
    """What it compares are a query and a picture, wherever they stand in the prompt."""
    body = Body(Checkpoint("reranker", SHIPPED / "reranker"), device="cpu", dtype="float32")
    language = body.network.language_model
    shown = paintings[:12]
    texts = ["two boats at night, without a moon", "an old man reading", "flowers", "a red hat"]
    rows = torch.arange(len(shown)) % len(texts)
    queries = questions(body, texts)
    features = body.features([each.pixels for each in shown])
    grids = [each.grid for each in shown]
    prompts = [queries[row].prompt(grid) for row, grid in zip(rows.tolist(), grids, strict=True)]
    whole = body.last_states(prompts, features)

    before = chosen(read_queries(body, queries), rows)
    endings = [queries[row].ending(grid) for row, grid in zip(rows.tolist(), grids, strict=True)]
    behind = read(language, body.tokens(endings, features), before)
    last = torch.tensor([grid.tokens for grid in grids])
    pairs = comparing.compared(
        language, before.state(before.lengths - 1), behind.state(last)[:, None]
    )
    yes, no = (language.embed_tokens.weight[body.prompts.token_id(each)] for each in ("yes", "no"))
    answers = [states @ (yes - no) for states in (whole, pairs[:, 0])]
    assert np.corrcoef(*(each.numpy() for each in answers))[0, 1] > 0.98
