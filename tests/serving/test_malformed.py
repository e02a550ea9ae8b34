"""What no program of good will sends is answered with the status of its fault, never with a 500."""

import gc
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from PIL import Image

from retrievals_serving.api import create_app
from tests.serving.client import client_of
from tests.serving.fake_reranker import opened
from tests.serving.small_release import encoded
from tests.serving.test_api import JSON, post, problem
from tests.serving.test_search_image import LookingEmbedder

BOUNDARY = "boundary"
FORM = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
PICTURE = encoded(Image.effect_noise((64, 48), 90), "JPEG")


def deep(depth: int) -> str:
    """A filter within filters."""
    return '{"not": ' * depth + "{}" + "}" * depth


@pytest.fixture(scope="module")
def client(home: Path) -> Iterator[httpx.Client]:
    with (
        opened(home, None, embedder=LookingEmbedder(), rate_limit="1000000/second") as engine,
        client_of(create_app(engine=engine)) as client,
    ):
        yield client


def part(name: str, value: bytes, headers: str = "") -> bytes:
    """A field of a form, or a file where `headers` say so."""
    disposition = f'Content-Disposition: form-data; name="{name}"{headers}'
    return f"--{BOUNDARY}\r\n{disposition}\r\n\r\n".encode() + value + b"\r\n"


FILE = part("file", PICTURE, '; filename="picture.jpg"\r\nContent-Type: image/jpeg')
END = f"--{BOUNDARY}--\r\n".encode()


def test_the_parts_of_these_forms_are_right_when_they_are_whole(client: httpx.Client) -> None:
    content = FILE + part("top_k", b"3") + END
    response = client.post("/search/image", content=content, headers=FORM)
    assert response.status_code == 200, response.text


@pytest.mark.parametrize(
    "content",
    [
        b"",
        END,
        b"no form at all",
        part("file", PICTURE) + END,
        part("top_k", b"3") + END,
        FILE + part("query", PICTURE, '; filename="a"') + END,
        FILE + b"".join(part(f"field{number}", b"") for number in range(2000)) + END,
        FILE * 1100 + END,
        FILE + part("a" * 100_000, b"1") + END,
        FILE + part("top_k", b"3", "\r\nX-Long: " + "a" * 100_000) + END,
        FILE + part("top_k", b"3", "\r\nno header") + END,
        FILE + part("query", b"a" * (1 << 21)) + END,
        FILE + part("filters", deep(9000).encode()) + END,
        FILE + part("filters", b"\xff") + END,
        FILE + part("filters", b'{"title": "\\ud800"}') + END,
        FILE + part("top_k", b"9" * 5000) + END,
        FILE + part("alpha", b"NaN") + END,
    ],
    ids=[
        *("empty", "end", "text", "picture as text", "no picture"),
        *("query as file", "2000 fields", "1100 files", "long name", "long header", "no header"),
        *("long field", "deep", "bytes", "surrogate", "large number", "no number"),
    ],
)
def test_a_malformed_form_is_a_problem_of_its_sender(client: httpx.Client, content: bytes) -> None:
    response = client.post("/search/image", content=content, headers=FORM)
    assert response.status_code in {400, 413, 422}, response.text
    problem(response)


# Starlette leaves the file of a part that does not end to the garbage collector.
@pytest.mark.filterwarnings("ignore:Unclosed file:ResourceWarning")
@pytest.mark.parametrize("content", [FILE[:200], FILE], ids=["in its picture", "before its end"])
def test_a_form_that_was_cut_short_is_a_problem_of_its_sender(
    client: httpx.Client, content: bytes
) -> None:
    response = client.post("/search/image", content=content, headers=FORM)
    gc.collect()
    assert response.status_code == 422
    assert problem(response)["errors"][0]["field"] == "file"


@pytest.mark.parametrize(
    "content_type",
    ["multipart/form-data", "multipart/form-data; boundary=", "text/plain", "application/json", ""],
)
def test_a_form_that_says_it_is_something_else_is_refused(
    client: httpx.Client, content_type: str
) -> None:
    headers = {"Content-Type": content_type}
    response = client.post("/search/image", content=FILE + END, headers=headers)
    assert response.status_code in {400, 422}
    problem(response)


def test_a_picture_too_large_is_refused_before_its_end_when_no_length_is_said(
    client: httpx.Client,
) -> None:
    def pieces() -> Iterator[bytes]:
        yield FILE[:200]
        for _ in range(17):
            yield b"\xff" * (1 << 20)

    response = client.post("/search/image", content=pieces(), headers=FORM)
    assert response.status_code == 413
    problem(response)


@pytest.mark.parametrize("kept", [0.3, 0.9, 0.99])
def test_a_picture_that_was_cut_short_is_refused(client: httpx.Client, kept: float) -> None:
    content = PICTURE[: int(kept * len(PICTURE))]
    response = client.post("/search/image", files={"file": content})
    assert response.status_code == 422
    assert "truncated" in problem(response)["detail"]


@pytest.mark.parametrize(
    "content",
    [
        b'{"query": "a", "top_k": 1' + b"0" * 5000 + b"}",
        b'{"query": "a", "alpha": 1' + b"0" * 400 + b"}",
        b'{"query": "a", "filters": {"begin_year": 1' + b"0" * 400 + b"}}",
        b'{"query": "a", "filters": {"begin_year": {"gte": -1e400}}}',
        b'{"query": ["a"]}',
        b'"' + b"a" * 1000 + b'"',
        b"[" * 100_000,
        b'{"query": "a"}{"query": "b"}',
        b'{"query": "a\xff"}',
        '{"query": "a"'.encode("utf-16"),
    ],
)
def test_a_malformed_search_is_a_problem_of_its_sender(
    client: httpx.Client, content: bytes
) -> None:
    response = client.post("/search", content=content, headers=JSON)
    assert response.status_code in {400, 422}, response.text
    problem(response)


@pytest.mark.parametrize("field", ["title", "not"])
def test_a_filter_as_deep_as_can_be_read_at_all_is_a_problem_of_its_sender(
    client: httpx.Client, field: str
) -> None:
    limit = sys.getrecursionlimit()
    for depth in range(limit - 60, limit - 20):
        value = "[" * depth + "]" * depth
        content = f'{{"query": "a", "filters": {{"{field}": {value}}}}}'
        response = client.post("/search", content=content, headers=JSON)
        assert response.status_code in {400, 422}, depth


@pytest.mark.parametrize(
    "body",
    [
        {"query": "a\0b"},
        {"query": "\0"},
        {"query": "a", "negative": "\0"},
        {"query": "a", "filters": {"title": "\0"}},
        {"query": "a", "filters": {"title": {"contains": "\0"}}},
        {"query": "a", "filters": {"keyword": ["\0", "a\0"]}},
        {"query": "\N{ZERO WIDTH SPACE}"},
        {"query": "'; drop table artworks; --", "filters": {"title": "' or 1=1 --"}},
    ],
)
def test_what_a_text_may_hold_is_searched_for(client: httpx.Client, body: dict[str, Any]) -> None:
    post(client, "/search", **body)


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("/artworks/%00", 404),
        ("/artworks/%ff", 404),
        ("/artworks/" + "a" * 5000, 404),
        ("/artworks/%ed%a0%80/similar", 404),
        ("/artworks?id=%ff", 404),
        ("/artworks?" + "&".join(["id=test:1001"] * 101), 422),
        ("/artworks/test:1001/similar?top_k=1e3", 422),
        ("/artworks/test:1001/similar?top_k=" + "9" * 5000, 422),
        ("/artworks/test:1001/similar?top_k=3&top_k=x", 422),
        ("/artworks/test:1001/similar?filters=%ff", 422),
        ("/artworks/test:1001/similar?filters=null", 200),
        ("/artworks/test:1001/similar?filters=[]", 422),
        ("/facets", 422),
        ("/facets?field=%00", 422),
        ("/facets?field=row", 422),
        ("/facets?field=artist&query=%20", 422),
        ("/facets?field=artist&filters=" + quote(deep(1500)), 422),
        ("/facets?field=artist&filters=" + quote('{"title": "\\udfff"}'), 422),
        ("/facets?field=artist&filters=" + quote('{"width": NaN}'), 422),
        ("/thumbnails/" + "g" * 64, 422),
        ("/images/..%2f..%2fCURRENT", 404),
        ("/images/" + "0" * 64, 404),
    ],
)
def test_a_malformed_address_has_its_status(client: httpx.Client, target: str, status: int) -> None:
    response = client.get(target)
    assert response.status_code == status, response.text
    if status != 200:
        problem(response)


def test_a_cursor_that_is_not_whole_or_was_changed_is_refused(client: httpx.Client) -> None:
    page = post(client, "/search", query="boat")
    cursor = page["cursor"]
    content, signature = cursor.split(".")
    for forged in (
        *("", ".", "..", "é.ü", "\0", "a" * 100_000, "." * 1000),
        *(cursor[:-1], cursor[1:], f"{cursor}.", f"{content}.", f".{signature}"),
        f"{content[:-8]}{content[-4:]}.{signature}",
        f"{signature}.{content}",
    ):
        body = {"query_vector": page["query_vector"], "cursor": forged}
        response = client.post("/search-more", json=body)
        assert response.status_code == 400, forged
        problem(response)


@pytest.mark.parametrize(
    ("vector", "status"),
    [
        ([], 400),
        ([0.0], 400),
        ([1e39], 400),
        ([10**400], 422),
        (["a"], 422),
        ([[1.0]], 422),
        ({}, 422),
        ([0.5] * 100_000, 400),
    ],
)
def test_a_vector_that_is_none_of_a_page_is_refused(
    client: httpx.Client, vector: Any, status: int
) -> None:
    cursor = post(client, "/search", query="boat")["cursor"]
    body = {"query_vector": vector, "cursor": cursor}
    response = client.post("/search-more", json=body)
    assert response.status_code == status, response.text
    problem(response)


def test_headers_that_say_nothing_known_do_no_harm(client: httpx.Client) -> None:
    for value in ("", "*", ";;;", "a/b;version=x;q=z,,", "\xff", "text/event-stream;q=nan"):
        accept = {"Accept": value.encode("latin-1")}
        assert client.get("/metrics", headers=accept).status_code == 200
        asked = client.post("/search", json={"query": "boat"}, headers=accept)
        assert asked.status_code == 200
    for value in ('"', 'W/"', "\xff", "a" * 1000):
        kept = {"If-None-Match": value.encode("latin-1")}
        assert client.get("/artworks/test:1001", headers=kept).status_code == 200
    kept = {"If-None-Match": "*"}
    assert client.get("/artworks/test:1001", headers=kept).status_code == 304
