"""Search by a picture that a visitor sends."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from retrievals_serving import SearchEngine
from retrievals_serving.api import create_app
from retrievals_serving.errors import InputRefused, ModelError, QueryError
from retrievals_serving.models import Input
from tests.serving.client import client_of
from tests.serving.fake_reranker import FakeReranker, opened
from tests.serving.small_release import WordEmbedder, encoded
from tests.serving.test_api import post, problem
from tests.serving.test_streaming import EVENTS, events_of


class LookingEmbedder(WordEmbedder):
    """Embeds a picture as the word for its colour, and with a text as both."""

    takes_both = True
    has_memory = True

    def embed_queries(self, queries: Sequence[Input]) -> np.ndarray:
        if not self.has_memory:
            raise ModelError("the device has not the memory for a single input")
        texts = []
        for query in queries:
            if query.image is not None and query.text is not None and not self.takes_both:
                raise InputRefused("siglip takes a text or a picture, not both.")
            looks = [] if query.image is None else [self.word(query.image)]
            texts.append(" ".join([*looks, query.text or ""]).strip())
        return self.embed_texts(texts)

    def word(self, image: Any) -> str:
        self.sizes.append(image.size)
        red, green, blue = image.resize((1, 1)).getpixel((0, 0))
        return "boat" if blue > max(red, green) else "horse"

    def __init__(self) -> None:
        super().__init__()
        self.sizes: list[tuple[int, int]] = []


@pytest.fixture
def embedder() -> LookingEmbedder:
    return LookingEmbedder()


BLUE = Image.new("RGB", (64, 48), "navy")


def send(client: httpx.Client, content: bytes, **form: Any) -> httpx.Response:
    return client.post("/search/image", files={"file": ("picture", content)}, data=form)


def test_a_picture_finds_what_looks_like_it(home: Path, embedder: LookingEmbedder) -> None:
    with (
        opened(home, None, embedder=embedder) as engine,
        client_of(create_app(engine=engine)) as client,
    ):
        page = send(client, encoded(BLUE, "PNG")).json()
        text = post(client, "/search", query="boat")
        assert page["results"] == text["results"]
        assert (page["query"], page["relevance"]) == (None, None)
        more = {"query_vector": page["query_vector"], "cursor": page["cursor"]}
        following = post(client, "/search-more", **more)
        assert (following["query"], following["relevance"]) == (None, None)
        assert following["results"][0]["rank"] == page["total"] + 1
        assert send(client, encoded(BLUE, "PNG")).json()["cached"]
        red = Image.new("RGB", (64, 48), "maroon")
        assert send(client, encoded(red, "WEBP")).json()["results"] != page["results"]


def test_a_picture_with_a_text_is_reranked_by_the_text(
    home: Path, embedder: LookingEmbedder
) -> None:
    reranker = FakeReranker()
    with (
        opened(home, reranker, embedder=embedder, rerank_deadline=1e9) as engine,
        client_of(create_app(engine=engine)) as client,
    ):
        plain = send(client, encoded(BLUE, "JPEG")).json()
        assert plain["rerank_coverage"] is None
        form = {"query": "stormy", "filters": '{"classification": "Print"}', "top_k": "5"}
        page = send(client, encoded(BLUE, "JPEG"), **form).json()
        assert (page["query"], page["rerank_coverage"], page["total"]) == ("stormy", 1.0, 5)
        assert {result["metadata"]["classification"] for result in page["results"]} == {"Print"}
        assert [query for query, _ in reranker.asked] == ["stormy"]
        library = engine.search_image(
            BLUE, query="stormy", filters={"classification": "Print"}, top_k=5
        )
        assert [result.id for result in library.results] == [each["id"] for each in page["results"]]
        with client.stream(
            "POST",
            "/search/image",
            files={"file": encoded(BLUE, "PNG")},
            data={"query": "calm"},
            headers=EVENTS,
        ) as response:
            assert [name for name, _ in events_of(response)] == ["vector", "reranked", "done"]


def test_a_model_that_takes_one_of_them_says_so(home: Path, embedder: LookingEmbedder) -> None:
    embedder.takes_both = False
    with opened(home, None, embedder=embedder) as engine:
        with pytest.raises(QueryError, match="not both"):
            engine.search_image(BLUE, query="stormy")
        assert engine.search_image(BLUE).results


def test_without_an_embedder_the_words_beside_a_picture_are_looked_for(
    home: Path, embedder: LookingEmbedder, caplog: pytest.LogCaptureFixture
) -> None:
    with opened(home, None, embedder=embedder) as engine:
        embedder.has_memory = False
        page = engine.search_image(BLUE, query="stormy")
        assert page.degraded == ("embedder",)
        assert page.results == engine.search("stormy").results
        assert "the device has not the memory" in caplog.text
        with pytest.raises(ModelError, match="has not the memory"):
            engine.search_image(BLUE)


def test_a_photograph_is_turned_as_its_camera_was(home: Path, embedder: LookingEmbedder) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    photograph = io.BytesIO()
    BLUE.save(photograph, "JPEG", exif=exif)
    with (
        opened(home, None, embedder=embedder) as engine,
        client_of(create_app(engine=engine)) as client,
    ):
        assert send(client, photograph.getvalue()).status_code == 200
    assert embedder.sizes[-1] == (48, 64)


@pytest.mark.parametrize(
    ("content", "status", "said"),
    [
        (b"no picture", 422, "no JPEG, PNG or WebP: send one"),
        (b"", 422, "no JPEG, PNG or WebP: send one"),
        (encoded(Image.new("1", (20_000, 20_000)), "PNG"), 422, "400000000 pixels"),
        (encoded(BLUE, "JPEG")[:300], 422, ""),
        (encoded(BLUE, "GIF"), 422, "no JPEG, PNG or WebP: send one"),
        (b"\xff" * (17 << 20), 413, "more than"),
    ],
    ids=["text", "empty", "bomb", "half", "gif", "large"],
)
def test_what_is_no_picture_or_too_large_is_refused(
    client: httpx.Client, content: bytes, status: int, said: str
) -> None:
    response = send(client, content)
    assert response.status_code == status
    assert said in problem(response)["detail"]


def test_what_is_asked_beside_a_picture_is_checked(client: httpx.Client) -> None:
    for form in ({"top_k": "0"}, {"filters": "{"}, {"filters": '{"colour": 1}'}, {"kind": "x"}):
        response = send(client, encoded(BLUE, "PNG"), **form)
        assert response.status_code == 422, form
        assert next(iter(form)) in problem(response)["detail"] or "colour" in response.text


def test_what_shall_not_be_seen_is_turned_away_from(engine: SearchEngine) -> None:
    plain = engine.search("lonely boat", top_k=40)
    without = engine.search("lonely boat", negative="lonely", top_k=40)
    assert (without.query, without.negative) == ("lonely boat", "lonely")
    assert plain.negative is None

    def lonely(results: Any) -> float:
        return float(np.mean(["lonely" in result.title for result in results[:10]]))

    assert lonely(without.results) < lonely(plain.results)
    assert without.cursor is None or engine.search_more(without.query_vector, without.cursor)


def test_the_reranker_is_told_what_shall_not_be_seen(home: Path) -> None:
    reranker = FakeReranker()
    with opened(home, reranker, rerank_deadline=1e9) as engine:
        engine.search("a boat", negative="people")
    assert [query for query, _ in reranker.asked] == ["a boat, without people"]
