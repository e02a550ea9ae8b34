"""Training of the reranker: what is judged all at once is what serving judges one by one."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

from retrievals_pipeline.miniature.train import comparing
from retrievals_pipeline.miniature.train.checkpoint import RERANKER_DEPTH, WIDTH, deepen
from retrievals_pipeline.miniature.train.paintings import Painting, _paint
from retrievals_pipeline.miniature.train.reranker import (
    ALPHA,
    Reranker,
    judge,
    losses,
    questions,
    read_queries,
)
from retrievals_pipeline.miniature.train.shortlists import (
    LISTS,
    PICTURES,
    QUERIES,
    Embedded,
    Shortlists,
)
from retrievals_pipeline.miniature.train.tokenizer import for_reranker
from retrievals_serving.models.checkpoints import SHIPPED, Checkpoint
from retrievals_serving.models.qwen3_vl.body import Body
from retrievals_serving.settings import Settings

WORKS = 90
TEXTS = ["two boats at night, without a moon", "an old man in a red hat, reading", "flowers"]


@pytest.fixture(scope="module")
def paintings() -> list[Painting]:
    return [_paint((5, number)) for number in range(WORKS)]


@pytest.fixture(scope="module")
def embedder() -> Body:
    return Body(Checkpoint("embedder", SHIPPED / "embedder"), device="cpu", dtype="float32")


@pytest.fixture(scope="module")
def features(embedder: Body, paintings: list[Painting]) -> list[torch.Tensor]:
    with torch.no_grad():
        return embedder.features([each.pixels for each in paintings])


@pytest.fixture(scope="module")
def lists(embedder: Body, paintings: list[Painting], features: list[torch.Tensor]) -> Shortlists:
    return Shortlists(paintings, Embedded(embedder, paintings, features), 0)


@pytest.fixture
def body(tmp_path: Path) -> Body:
    """The embedder as a reranker that has learned nothing yet."""
    for path in (SHIPPED / "embedder").iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    for_reranker(tmp_path / "tokenizer.json")
    deepen(tmp_path)
    return Body(Checkpoint("reranker", tmp_path), device="cpu", dtype="float32")


def noisy(body: Body) -> Body:
    """No layer adds nothing, so that what one of them does wrong is seen."""
    torch.manual_seed(0)
    with torch.no_grad():
        for weight in body.network.language_model.parameters():
            weight.add_(0.05 * torch.randn_like(weight))
    return body


def alone(
    body: Body, text: str, paintings: list[Painting], features: list[torch.Tensor]
) -> torch.Tensor:
    (question,) = questions(body, [text])
    return body.last_states([question.prompt(each.grid) for each in paintings], features)


@torch.no_grad()
def test_pairs_have_the_states_of_serving_where_a_picture_was_read_behind_its_query(
    body: Body, paintings: list[Painting], features: list[torch.Tensor]
) -> None:
    noisy(body)
    shown, seen = paintings[:7], features[:7]
    assert len({each.grid for each in shown}) > 1
    for behind in (torch.tensor([0, 1, 2, 0, 1, 2, 2]), torch.tensor([1, 1, 1, 2, 2, 0, 0])):
        states = judge(body, TEXTS, [each.grid for each in shown], seen, read_behind=behind)
        assert states.shape == (3, 7, WIDTH)
        for row, text in enumerate(TEXTS):
            served = alone(body, text, shown, seen)
            own = behind == row
            torch.testing.assert_close(states[row, own], served[own], atol=1e-4, rtol=1e-4)
            assert (states[row, ~own] - served[~own]).abs().amax(1).min() > 1e-3


@torch.no_grad()
def test_new_layers_change_nothing_before_they_learn(
    body: Body, embedder: Body, paintings: list[Painting], features: list[torch.Tensor]
) -> None:
    assert len(body.network.language_model.layers) == RERANKER_DEPTH
    asked = questions(body, TEXTS[:1])[0].prompt(paintings[0].grid)
    both = (each.last_states([asked], features[:1]) for each in (body, embedder))
    torch.testing.assert_close(*both)


def test_a_batch_holds_shortlists_with_an_answer_to_each_query(lists: Shortlists) -> None:
    for _ in range(5):
        batch = lists.batch()
        assert len(batch.texts) == LISTS * QUERIES
        assert len(batch.places) == LISTS * PICTURES
        for number in range(LISTS):
            shortlist = batch.places[number * PICTURES : (number + 1) * PICTURES]
            assert len(set(shortlist)) == PICTURES
        np.testing.assert_allclose(batch.worths.max(axis=1), 1, atol=1e-5)
        np.testing.assert_allclose(np.linalg.norm(batch.queries, axis=1), 1, atol=1e-5)
        np.testing.assert_allclose(batch.cosines, batch.queries @ batch.pictures.T, atol=1e-6)


def test_a_shortlist_is_what_a_search_finds(lists: Shortlists) -> None:
    """Its own query is nearer to it than to what other queries found."""
    batches = [lists.batch() for _ in range(5)]
    own = [batch.cosines[0, 1:7].mean() for batch in batches]  # of the first ranks, the answer left
    others = [batch.cosines[0, PICTURES:].mean() for batch in batches]
    assert np.mean(own) > np.mean(others)


def test_a_right_answer_costs_least_and_a_wrong_order_of_the_blend_more(lists: Shortlists) -> None:
    batch = lists.batch()
    facets = torch.zeros(*batch.facets.shape)
    worths = torch.from_numpy(batch.worths)
    right = losses(batch, torch.logit(worths, eps=1e-4), facets)
    wrong = losses(batch, torch.logit(1 - worths, eps=1e-4), facets)
    for name in ("answers", "own order", "order"):
        assert right[name] < wrong[name]
    assert right["facets"] == wrong["facets"]


def test_what_is_blended_in_training_is_blended_so_in_serving() -> None:
    assert Settings.model_fields["alpha"].default == ALPHA


def test_the_layer_that_compares_begins_as_the_product_of_what_it_is_to_look_at(
    body: Body,
    paintings: list[Painting],
    features: list[torch.Tensor],
    lists: Shortlists,
) -> None:
    """Where a query has been laid beside a picture, "yes" goes by their cosine."""
    language = body.network.language_model
    yes, no = (body.prompts.token_id(word) for word in ("yes", "no"))
    answer = (language.embed_tokens.weight[yes] - language.embed_tokens.weight[no]).detach()
    comparing.prepare(language, answer)
    layer = language.layers[comparing.COMPARES]
    batch = lists.batch()
    shown = [paintings[place] for place in batch.places]
    reranker = Reranker(body, paintings, features, lists, seed=0)
    rows = torch.arange(len(shown)) % len(batch.texts)
    with torch.no_grad():
        comparing.multiply(language, answer, reranker._read_whole(batch, rows))
        halves = [
            functional.normalize(torch.from_numpy(each)[:, : comparing.HALF])
            for each in (batch.queries[rows], batch.pictures)
        ]
        laid = torch.cat(halves, 1) * comparing.HALF**0.5 @ comparing._across(language, answer)
        sums = layer.mlp(laid) @ (answer * language.norm.weight)
    cosines = (halves[0] * halves[1]).sum(1)
    assert np.corrcoef(sums.numpy(), cosines.numpy())[0, 1] > 0.99


def test_what_compares_is_taught_where_to_look_and_what_to_lay(
    body: Body, paintings: list[Painting], features: list[torch.Tensor], lists: Shortlists
) -> None:
    reranker = Reranker(body, paintings, features, lists, seed=0)
    batch, rows = reranker._draw()
    vectors = torch.from_numpy(batch.queries[rows]), torch.from_numpy(batch.pictures)
    answer = reranker._answer.detach()
    with torch.no_grad():
        before = comparing.losses(
            body.network.language_model, answer, reranker._read_whole(batch, rows), vectors
        )
    reranker.compare(8)
    with torch.no_grad():
        after = comparing.losses(
            body.network.language_model, answer, reranker._read_whole(batch, rows), vectors
        )
    assert after["query"] < before["query"]
    assert after["picture"] < before["picture"]


@torch.no_grad()
def test_queries_are_read_alike_whatever_is_read_beside_them(body: Body) -> None:
    noisy(body)
    together = read_queries(body, questions(body, TEXTS))
    for row, text in enumerate(TEXTS):
        own = read_queries(body, questions(body, [text, "a quite different thing, and longer"]))
        torch.testing.assert_close(
            together.state(together.lengths - 1)[row], own.state(own.lengths - 1)[0],
            atol=1e-4, rtol=1e-4,
        )  # fmt: skip
