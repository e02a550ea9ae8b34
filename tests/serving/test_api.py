"""The HTTP contract, over real HTTP on loopback."""

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from retrievals_serving import SearchEngine, Settings
from retrievals_serving.api import create_app
from retrievals_serving.promotion import promote
from retrievals_serving.store import Store
from tests.serving.client import client_of
from tests.serving.fake_reranker import FakeReranker
from tests.serving.small_release import RELEASE, WordEmbedder, make_release

JSON = {"Content-Type": "application/json"}


def post(client: httpx.Client, path: str, **body: Any) -> Any:
    response = client.post(path, json=body)
    assert response.status_code == 200, response.text
    return response.json()


def problem(response: httpx.Response) -> Any:
    """The body of a problem, after a look at what all of them promise."""
    assert response.headers["content-type"] == "application/problem+json"
    body = response.json()
    assert body["status"] == response.status_code
    assert body["type"] == "about:blank"
    assert body["title"]
    assert "Traceback" not in response.text
    return body


def test_an_answer_has_the_fields_of_the_contract(client: httpx.Client) -> None:
    page = post(client, "/search", query="stormy boat", top_k=3)
    assert list(page) == [
        *("query", "negative", "results", "total", "window", "query_vector", "cursor", "release"),
        *("rerank_coverage", "relevance", "explanation"),
        *("latency_ms", "timings", "cached", "degraded"),
    ]
    result = page["results"][0]
    assert list(result) == [
        *("id", "rank", "score", "vector_score", "rerank_score", "conditions", "metadata")
    ]
    assert list(result["metadata"]) == [
        *("title", "artist", "date", "begin_year", "end_year", "medium", "classification"),
        *("credit", "width", "height", "color", "thumbnail_url", "image_url", "artwork_url"),
        "description",
    ]
    assert (page["total"], page["window"], page["release"]) == (3, 40, RELEASE)
    assert (page["degraded"], page["rerank_coverage"], result["rerank_score"]) == ([], None, None)


def test_the_pages_show_what_the_library_shows(client: httpx.Client, engine: SearchEngine) -> None:
    filters = {"classification": ["Print", "Drawing"]}
    page = post(client, "/search", query="boat", filters=filters, score_threshold=0.1)
    ids = [result["id"] for result in page["results"]]
    while page["cursor"]:
        body = {"query_vector": page["query_vector"], "cursor": page["cursor"]}
        page = post(client, "/search-more", **body)
        assert page["results"]
        ids += [result["id"] for result in page["results"]]

    shown = engine.search("boat", filters=filters, score_threshold=0.1, top_k=100).results
    assert ids == [result.id for result in shown]


def test_a_reranker_puts_the_answer_in_order_as_the_request_says(settings: Settings) -> None:
    models = {"embedder": WordEmbedder(), "reranker": FakeReranker()}
    with (
        SearchEngine.open(settings=settings, **models) as engine,
        client_of(create_app(engine=engine)) as client,
    ):
        page = post(client, "/search", query="boat", alpha=1.0)
        plain = post(client, "/search", query="boat", rerank=False)
        body = {"query_vector": page["query_vector"], "cursor": page["cursor"]}
        more = post(client, "/search-more", **body)
    assert (page["rerank_coverage"], page["degraded"]) == (1.0, [])
    results = page["results"] + more["results"]
    for result in results:
        assert result["score"] == result["rerank_score"]
    scores = [result["score"] for result in results]
    assert scores == sorted(scores, reverse=True)
    assert (plain["rerank_coverage"], plain["results"][0]["rerank_score"]) == (None, None)
    assert plain["timings"]["rerank"] == 0 < page["timings"]["rerank"]


def test_candidates_without_a_picture_are_said_to_be_missing(
    home: Path, tmp_path: Path, settings: Settings
) -> None:
    own = Path(shutil.copytree(home, tmp_path / "home"))
    shutil.rmtree(own / "images")
    models = {"embedder": WordEmbedder(), "reranker": FakeReranker()}
    with (
        SearchEngine.open(own, settings=settings, **models) as engine,
        client_of(create_app(engine=engine)) as client,
    ):
        page = post(client, "/search", query="boat")
    assert (page["degraded"], page["rerank_coverage"]) == (["pictures"], 0.0)
    for result in page["results"]:
        assert (result["rerank_score"], result["score"]) == (None, result["vector_score"])


def test_a_work_and_its_like_have_addresses(client: httpx.Client, engine: SearchEngine) -> None:
    work = client.get("/artworks/test:1003").json()
    assert work == {"id": "test:1003", "metadata": engine.artwork("test:1003").metadata}
    page = client.get("/artworks/test:1003/similar", params={"top_k": 4}).json()
    assert page["query"] is None
    assert [result["id"] for result in page["results"]] == [
        result.id for result in engine.similar("test:1003", top_k=4).results
    ]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "query"),
        ({"query": "   "}, "query"),
        ({"query": "a" * 513}, "query"),
        ({"query": 5}, "query"),
        ({"query": "a", "top_k": 0}, "top_k"),
        ({"query": "a", "top_k": 101}, "top_k"),
        ({"query": "a", "top_k": "5"}, "top_k"),
        ({"query": "a", "score_threshold": 2}, "score_threshold"),
        ({"query": "a", "score_threshold": float("nan")}, "score_threshold"),
        ({"query": "a", "alpha": -0.1}, "alpha"),
        ({"query": "a", "filters": []}, "filters"),
        ({"query": "a", "negative": " "}, "negative"),
        ({"query": "a", "explain": "why"}, "explain"),
        ({"query": "a", "include_explanation": "yes"}, "include_explanation"),
        ({"query": "a", "language": "en"}, "language"),
    ],
)
def test_a_field_out_of_bounds_is_named(
    client: httpx.Client, body: dict[str, Any], field: str
) -> None:
    response = client.post("/search", content=json.dumps(body), headers=JSON)
    assert response.status_code == 422
    answer = problem(response)
    assert [error["field"] for error in answer["errors"]] == [field]
    assert answer["detail"].startswith(f"{field}: ")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"\xff",
        b'{"query": "\\ud800"}',
        b'{"query": "a", "\\ud800": 1}',
        b'{"query": "a", "filters": {"\\ud800": 1}}',
        b'{"query": "a", "filters": {"title": "\\udfff"}}',
        b'{"query": "a", "filters": {"title": {"contains": "\\udfff"}}}',
        b'{"query": "a", "filters": {"begin_year": NaN}}',
        b'{"query": "a", "filters": {"begin_year": 1e400}}',
        b'{"query": "a", "filters": ' + b'{"not": ' * 5000 + b"{}" + b"}" * 5000 + b"}",
    ],
)
def test_a_malformed_body_is_a_problem_of_its_sender(client: httpx.Client, content: bytes) -> None:
    response = client.post("/search", content=content, headers=JSON)
    assert response.status_code in {400, 422}
    problem(response)


@pytest.mark.parametrize("sent_in", ["whole", "pieces"])
def test_a_body_of_more_than_a_megabyte_is_refused(client: httpx.Client, sent_in: str) -> None:
    piece = b" " * (1 << 18)
    content = piece * 5 if sent_in == "whole" else (piece for _ in range(5))
    response = client.post("/search", content=content, headers=JSON)
    assert response.status_code == 413
    assert "1048576 bytes" in problem(response)["detail"]


def test_an_unknown_field_of_a_filter_lists_the_known(client: httpx.Client) -> None:
    response = client.post("/search", json={"query": "a", "filters": {"painter": "Monet"}})
    assert response.status_code == 422
    assert "no field 'painter'; choose from artist, begin_year" in problem(response)["detail"]


def test_each_error_has_its_status(
    client: httpx.Client, engine: SearchEngine, tmp_path: Path, settings: Settings
) -> None:
    assert "'nga:1'" in problem(client.get("/artworks/nga:1"))["detail"]
    assert client.get("/artworks/nga:1/similar").status_code == 404
    assert problem(client.get("/nothing"))["detail"] == "GET /nothing is not answered here."
    refused = client.put("/search")
    assert (refused.status_code, refused.headers["allow"]) == (405, "POST")
    problem(refused)

    page = engine.search("boat")
    forged = client.post("/search-more", json={"query_vector": page.query_vector, "cursor": "a.b"})
    assert forged.status_code == 400
    problem(forged)
    other = {"query_vector": engine.search("horse").query_vector, "cursor": page.cursor}
    assert client.post("/search-more", json=other).status_code == 400

    store = Store(tmp_path)
    promote(store, make_release(store, "20270101T000000Z-000000000002", works=12).release_id)
    with (
        SearchEngine.open(tmp_path, settings=settings) as newer,
        client_of(create_app(engine=newer)) as newer_client,
    ):
        body = {"query_vector": page.query_vector, "cursor": page.cursor}
        expired = newer_client.post("/search-more", json=body)
    assert expired.status_code == 410
    assert "search again" in problem(expired)["detail"]


def test_what_nobody_foresaw_is_a_problem_without_its_inside(
    engine: SearchEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: str) -> None:
        raise RuntimeError("a secret path")

    monkeypatch.setattr(engine, "artwork", fail)
    with client_of(create_app(engine=engine)) as client:
        response = client.get("/artworks/test:1001")
    assert response.status_code == 500
    assert problem(response)["detail"] == "The server failed; its log says why."


def test_searches_at_once_get_the_answers_that_one_gets(client: httpx.Client) -> None:
    def ask(turn: int) -> list[str]:
        page = post(client, "/search", query=["boat", "horse", "sea"][turn % 3], top_k=turn + 1)
        return [result["id"] for result in page["results"]]

    expected = [ask(turn) for turn in range(24)]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, range(24))) == expected


def test_the_api_describes_itself_and_loads_no_scripts_from_elsewhere(client: httpx.Client) -> None:
    description = client.get("/openapi.json").json()
    assert set(description["paths"]) >= {
        "/search",
        "/search-more",
        "/health",
        "/artworks/{artwork_id}",
    }
    answers = description["paths"]["/search"]["post"]["responses"]
    assert set(answers) == {"200", "400", "401", "413", "422", "429", "500", "503"}
    for status in answers.keys() - {"200"}:
        assert set(answers[status]["content"]) == {"application/problem+json"}
    for path in ("/docs", "/redoc"):
        assert client.get(path).status_code == 404
