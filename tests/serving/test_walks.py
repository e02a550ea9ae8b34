"""All pages of an answer, walked over HTTP: each work of the window comes exactly once."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from retrievals_serving import SearchEngine, Settings
from retrievals_serving.api import create_app
from tests.serving.client import client_of
from tests.serving.fake_reranker import CANDIDATES, SECRET, WINDOW, FakeReranker, opened
from tests.serving.small_release import encoded
from tests.serving.test_api import post
from tests.serving.test_degraded import BrokenEmbedder
from tests.serving.test_search_image import LookingEmbedder, send
from tests.serving.test_streaming import streamed

PICTURE = encoded(Image.new("RGB", (64, 48), "navy"), "PNG")
IN_TIME = 12  # pictures that a reranker of 0.125 s each judges in 1.5 s


def walk(client: httpx.Client, page: Any) -> list[str]:
    """The ids of all pages from the first one on, after a look at what each promises."""
    first, results = page, list(page["results"])
    while page["cursor"]:
        more = {"query_vector": page["query_vector"], "cursor": page["cursor"]}
        page = post(client, "/search-more", **more)
        assert page["results"]
        for name in ("query", "negative", "window", "release", "degraded", "rerank_coverage"):
            assert page[name] == first[name], name
        results += page["results"]
    assert [result["rank"] for result in results] == list(range(1, first["window"] + 1))
    ids = [result["id"] for result in results]
    assert len(set(ids)) == len(ids)
    return ids


@pytest.fixture(scope="module")
def museum(built_home: Path) -> Iterator[httpx.Client]:
    """The miniature museum, searched with the models that ship with it."""
    settings = Settings.load(
        home=built_home, window=20, candidates=6, page=5, more=4, secret=SECRET, rerank_deadline=600
    )
    with (
        SearchEngine.open(settings=settings) as engine,
        client_of(create_app(engine=engine)) as client,
    ):
        yield client


def test_the_miniature_museum_is_walked_with_its_own_models(museum: httpx.Client) -> None:
    page = post(museum, "/search", query="a boat in stormy seas")
    assert (page["window"], page["rerank_coverage"], page["degraded"]) == (20, 1.0, [])
    walk(museum, page)


def test_the_miniature_museum_is_walked_under_filters(museum: httpx.Client) -> None:
    counted = museum.get("/facets", params={"field": "classification"}).json()["values"]
    works = sum(each["count"] for each in counted)
    for each in counted:
        for filters in (
            {"classification": each["value"]},
            {"not": {"classification": each["value"]}},
        ):
            page = post(museum, "/search", query="a boat", filters=filters, top_k=3)
            left = each["count"] if "not" not in filters else works - each["count"]
            assert page["window"] == min(20, left)
            walk(museum, page)


@pytest.mark.parametrize(
    "asked",
    [
        {"query": "boat"},
        {"query": "boat", "filters": {"classification": ["Print", "Drawing"]}, "top_k": 3},
        {"query": "lonely boat", "negative": "lonely"},
        {"query": "lonely boat", "negative": "lonely", "filters": {"not": {"artist": "O'Keeffe"}}},
    ],
    ids=["all", "filtered", "negative", "negative and filtered"],
)
def test_an_answer_that_was_reranked_in_part_is_walked_from_either_event(
    home: Path, reranker: FakeReranker, asked: dict[str, Any]
) -> None:
    reranker.seconds = 0.125
    with opened(home, reranker) as engine, client_of(create_app(engine=engine)) as client:
        (_, vector), (_, reranked), _ = streamed(client, **asked)
        candidates = min(CANDIDATES, vector["window"])
        assert reranked["rerank_coverage"] == IN_TIME / candidates
        assert reranked["degraded"] == ["deadline"]
        by_vector, by_both = walk(client, vector), walk(client, reranked)
    assert by_vector != by_both
    assert sorted(by_vector) == sorted(by_both)
    assert by_vector[candidates:] == by_both[candidates:]


@pytest.mark.parametrize("form", [{}, {"query": "stormy", "negative": "people"}])
def test_what_a_picture_finds_is_walked(
    home: Path, reranker: FakeReranker, form: dict[str, str]
) -> None:
    reranker.seconds = 0.125
    with (
        opened(home, reranker, embedder=LookingEmbedder()) as engine,
        client_of(create_app(engine=engine)) as client,
    ):
        page = send(client, PICTURE, **form).json()
        assert page["rerank_coverage"] == (IN_TIME / CANDIDATES if form else None)
        assert len(walk(client, page)) == WINDOW
        page = client.get("/artworks/test:1007/similar").json()
        assert "test:1007" not in walk(client, page)


def test_what_the_words_find_is_walked_when_it_was_reranked_in_part(
    home: Path, reranker: FakeReranker
) -> None:
    reranker.seconds, embedder = 0.125, BrokenEmbedder()
    with (
        opened(home, reranker, embedder=embedder) as engine,
        client_of(create_app(engine=engine)) as client,
    ):
        embedder.is_lost = True
        for asked in ({}, {"negative": "calm"}, {"filters": {"not": {"classification": "Print"}}}):
            page = post(client, "/search", query="boat stormy", **asked)
            assert page["degraded"] == ["embedder", "deadline"]
            assert page["window"] > page["total"]
            walk(client, page)
