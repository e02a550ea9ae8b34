"""Training of the reranker: each part learns what it is to do where serving needs it."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

from retrievals_pipeline.miniature.train import comparing
from retrievals_pipeline.miniature.train.checkpoint import RERANKER_DEPTH, WIDTH, deepen
from retrievals_pipeline.miniature.train.embedder import states_of
from retrievals_pipeline.miniature.train.figures import ALPHA
from retrievals_pipeline.miniature.train.paintings import Painting, _paint
from retrievals_pipeline.miniature.train.reranker import (
    Reranker,
    losses,
    questions,
    read_queries,
)
from retrievals_pipeline.miniature.train.shortlists import QUERIES, RANKS, Embedded, Shortlists
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


@torch.no_grad()
def test_new_layers_change_nothing_before_they_learn(
    body: Body, embedder: Body, paintings: list[Painting], features: list[torch.Tensor]
) -> None:
    assert len(body.network.language_model.layers) == RERANKER_DEPTH
    asked = questions(body, TEXTS[:1])[0].prompt(paintings[0].grid)
    both = (each.last_states([asked], features[:1]) for each in (body, embedder))
    torch.testing.assert_close(*both)


def test_each_query_has_pictures_that_a_search_finds_for_it(
    lists: Shortlists, embedder: Body, paintings: list[Painting], features: list[torch.Tensor]
) -> None:
    found = lists.found()
    shape = (QUERIES, 1 + sum(count for _, count in RANKS))
    assert found.worths.shape == shape
    assert found.pictures.shape == (*shape, WIDTH)
    assert found.facets.shape == (*shape, found.has_facet.shape[1])
    np.testing.assert_allclose(found.worths[:, 0], 1, atol=1e-5)  # the picture it is about
    cosines = found.queries @ Embedded(embedder, paintings, features).pictures.T
    own = np.einsum("qkw,qw->qk", found.pictures, found.queries)
    first, _ = RANKS[0]
    assert (own[:, 1:12].min(axis=1) >= np.sort(cosines, axis=1)[:, -first - 1] - 1e-6).all()


def test_a_right_answer_costs_least(lists: Shortlists) -> None:
    found = lists.found()
    facets = torch.zeros(*found.facets.shape)
    worths = torch.from_numpy(found.worths)
    right = losses(found, torch.logit(worths, eps=1e-4), facets)
    wrong = losses(found, torch.logit(1 - worths, eps=1e-4), facets)
    for name in ("answers", "order"):
        assert right[name] < wrong[name]
    assert right["facets"] == wrong["facets"]


def test_what_is_blended_in_figures_is_blended_so_in_serving() -> None:
    assert Settings.model_fields["alpha"].default == ALPHA


@pytest.fixture
def reranker(
    body: Body, paintings: list[Painting], features: list[torch.Tensor], lists: Shortlists
) -> Reranker:
    return Reranker(body, paintings, features, lists, seed=0)


@torch.no_grad()
def test_what_compares_begins_as_the_cosine(reranker: Reranker, body: Body) -> None:
    """Of the numbers that are laid beside each other, where states are those of vectors."""
    found = reranker._lists.found()
    queries, pictures = (reranker._states(each) for each in (found.queries, found.pictures))
    states = comparing.compared(body.network.language_model, queries, pictures)
    halves = [
        functional.normalize(torch.from_numpy(each)[..., : comparing.HALF], dim=-1)
        for each in (found.queries[:, None], found.pictures)
    ]
    answers, cosines = states @ reranker._answer, (halves[0] * halves[1]).sum(-1)
    assert np.corrcoef(answers.flatten().numpy(), cosines.flatten().numpy())[0, 1] > 0.98


@torch.no_grad()
def test_what_outweighs_the_rest_compares_as_before(reranker: Reranker) -> None:
    found = reranker._lists.found()
    queries, pictures = (reranker._states(each) for each in (found.queries, found.pictures))
    before = comparing.compared(reranker._language, queries, pictures)
    laid = comparing._laid(reranker._language, pictures, comparing.PICTURE)
    comparing.outweigh(reranker._language)
    torch.testing.assert_close(
        comparing.compared(reranker._language, queries, pictures), before, atol=1e-4, rtol=1e-3
    )
    torch.testing.assert_close(
        comparing._laid(reranker._language, pictures, comparing.PICTURE),
        comparing.OUTWEIGHS * laid,
        atol=1e-3,
        rtol=1e-4,
    )


@torch.no_grad()
def test_vectors_are_states_behind_the_final_norm(reranker: Reranker, embedder: Body) -> None:
    vectors = torch.from_numpy(reranker._lists.found().pictures[0])
    again = embedder.network.language_model.norm(reranker._states(vectors.numpy()))
    torch.testing.assert_close(functional.normalize(again), vectors, atol=1e-5, rtol=1e-5)


def test_the_layers_before_are_an_embedder(
    reranker: Reranker, body: Body, paintings: list[Painting], features: list[torch.Tensor]
) -> None:
    """What they make of a prompt is what the layer that compares is handed, behind the norm."""
    beginning = comparing.Beginning(body.network.language_model, reranker._norm)
    asked, shown = questions(body, TEXTS), paintings[: len(TEXTS)]
    prompts = [
        each.prompt(one.grid)[: each.before + one.grid.tokens + 1]
        for each, one in zip(asked, shown, strict=True)
    ]
    states = states_of(body, beginning, prompts, features[: len(TEXTS)])
    reading = reranker._reading(TEXTS, range(len(TEXTS)), torch.arange(len(TEXTS)))
    handed = reranker._norm(reading.pictures.state(reading.seen))
    torch.testing.assert_close(states, handed, atol=1e-4, rtol=1e-4)


def test_reading_is_taught_as_the_embedder_reads(
    reranker: Reranker, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = reranker._lists.said(24, 8)
    beginning = comparing.Beginning(reranker._language, reranker._norm)
    with torch.no_grad():
        before = reranker._misread(beginning, *said)
    monkeypatch.setattr(reranker._lists, "said", lambda *_: said)
    reranker.read(5)
    with torch.no_grad():
        after = reranker._misread(beginning, *said)
    assert after["query"] < before["query"]
    assert after["picture"] < before["picture"]


def test_heads_are_taught_where_to_look(reranker: Reranker) -> None:
    texts, places = reranker._lists.said(8, 16)
    reading = reranker._reading(texts, places, torch.arange(16) % 8)
    with torch.no_grad():
        before = comparing.looks(reranker._language, reading)
    reranker.look(5)
    with torch.no_grad():
        after = comparing.looks(reranker._language, reading)
    assert after < before


def test_comparing_is_taught_by_what_a_search_finds(
    reranker: Reranker, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = reranker._lists.found()
    with torch.no_grad():
        before = reranker._compared(found)
    monkeypatch.setattr(reranker._lists, "found", lambda: found)
    reranker.compare(5)
    with torch.no_grad():
        after = reranker._compared(found)
    assert after["order"] < before["order"]


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
