"""A server follows `CURRENT`: over real HTTP, while it is asked."""

import shutil
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest

from retrievals_serving import SearchEngine, Settings
from retrievals_serving.api import create_app
from retrievals_serving.promotion import promote, rollback
from retrievals_serving.questions import Question
from retrievals_serving.store import Store, file_sha256
from tests.serving.client import client_of
from tests.serving.fake_reranker import FakeReranker
from tests.serving.small_release import WordEmbedder
from tests.serving.switch.asking import (
    FIRST,
    FOURTH,
    RELEASES,
    SECOND,
    THIRD,
    search,
    until,
    until_served,
)
from tests.serving.test_api import problem
from tests.serving.test_health import wait_for

QUERIES = ["boat", "stormy horse", "calm portrait", "Été", "lonely boats"]
SEARCHES, SWITCHES, CLIENTS = 1000, 10, 8


def more(client: httpx.Client, page: Any) -> httpx.Response:
    body = {"query_vector": page["query_vector"], "cursor": page["cursor"]}
    return client.post("/search-more", json=body)


def told(page: Any) -> Any:
    """All of an answer that follows from the release and the question."""
    return [page["release"], page["results"], page["query_vector"], page["total"], page["window"]]


def expected_answers(settings: Settings) -> dict[tuple[str, str, int], Any]:
    """Both pages of each answer of each release, by release, query and page."""
    answers: dict[tuple[str, str, int], Any] = {}
    for release_id in RELEASES:
        with SearchEngine.open(
            settings=settings, release=release_id, embedder=WordEmbedder()
        ) as engine:
            for query in QUERIES:
                page = engine.search(query)
                assert page.cursor
                answers[release_id, query, 1] = told(page.to_dict())
                following = engine.search_more(page.query_vector, page.cursor)
                answers[release_id, query, 2] = told(following.to_dict())
    for query in QUERIES:  # no answer passes for another's
        assert len({str(answers[id_, query, 1][1]) for id_ in RELEASES}) == len(RELEASES)
    return answers


def test_a_thousand_searches_during_ten_switches_are_each_answered_from_one_release(
    client: httpx.Client, store: Store, settings: Settings, loads: list[str]
) -> None:
    expected = expected_answers(settings)
    numbers, switched = count(), threading.Event()

    def ask(_: int) -> tuple[int, set[str]]:
        """Search, and take the next page, until all is asked and every switch was made."""
        asked, releases = 0, set()
        with httpx.Client(base_url=client.base_url, timeout=60) as own:
            while (number := next(numbers)) < SEARCHES or not switched.is_set():
                query = QUERIES[number % len(QUERIES)]
                page = search(own, query)
                assert told(page) == expected[page["release"], query, 1]
                following = more(own, page)
                assert following.status_code == 200, following.text
                assert told(following.json()) == expected[page["release"], query, 2]
                asked += 1
                releases.add(page["release"])
        return asked, releases

    with ThreadPoolExecutor(CLIENTS) as pool:
        answers = pool.map(ask, range(CLIENTS))
        for turn in range(SWITCHES):
            if turn % 3 == 2:
                release = rollback(store)
            else:
                release = promote(store, RELEASES[(turn + 1) % len(RELEASES)])
            until_served(client, release.release_id)
        switched.set()
        done = list(answers)
    assert sum(asked for asked, _ in done) >= SEARCHES
    assert len(set().union(*(releases for _, releases in done))) > 2
    assert loads == ["miniature"]


def test_the_models_stay_loaded_through_a_switch(
    store: Store, settings: Settings, loads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    rerankers = []

    def load(checkpoint: str, **_: object) -> FakeReranker:
        rerankers.append(checkpoint)
        return FakeReranker()

    monkeypatch.setattr("retrievals_serving.reranking.load_reranker", load)
    reranking = settings.model_copy(update={"reranker": "some/reranker"})
    with client_of(create_app(reranking)) as client:
        before = wait_for(client, "ok")
        promote(store, SECOND)
        after = until_served(client, SECOND)
        assert search(client, "boat")["rerank_coverage"] == 1.0
    assert after == before | {"release": SECOND, "works": 43}
    assert (loads, rerankers) == (["miniature"], ["some/reranker"])


def test_a_page_comes_from_the_release_of_the_one_before_while_that_is_kept(
    client: httpx.Client, store: Store, settings: Settings
) -> None:
    page = search(client, "boat")
    for release_id in (SECOND, THIRD, FOURTH):  # more than stay open
        promote(store, release_id)
        until_served(client, release_id)
    following = more(client, page).json()
    assert following["release"] == FIRST
    assert [result["rank"] for result in following["results"]] == [9, 10, 11, 12, 13]

    # A server that was started since, and one that has not switched yet, know it too.
    with client_of(create_app(settings)) as restarted:
        assert told(more(restarted, page).json()) == told(following)

    shutil.rmtree(store.path(f"releases/{FIRST}"))
    for _ in range(1000):
        expired = more(client, page)
        if expired.status_code != 200:
            break
        time.sleep(0.01)
    assert expired.status_code == 410
    assert f"release {FIRST}, which cannot be searched any more" in problem(expired)["detail"]
    assert search(client, "boat")["release"] == FOURTH


def test_cursors_of_many_releases_have_none_of_them_read_again(
    client: httpx.Client, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages = [search(client, "boat")]
    for release_id in (SECOND, THIRD, FOURTH):  # more than stay open
        promote(store, release_id)
        until_served(client, release_id)
        pages.append(search(client, "boat"))
    read: list[Path] = []

    def hashed(path: Path) -> str:
        read.append(path)
        return file_sha256(path)

    monkeypatch.setattr("retrievals_serving.release.file_sha256", hashed)
    assert [more(client, page).json()["release"] for page in pages * 2] == RELEASES * 2
    assert read == []


def test_a_cursor_that_this_server_did_not_sign_opens_no_release(
    client: httpx.Client, store: Store, settings: Settings
) -> None:
    stranger = settings.model_copy(update={"secret": None})
    with SearchEngine.open(settings=stranger, release=SECOND, embedder=WordEmbedder()) as engine:
        page = engine.search("boat").to_dict()
    assert more(client, page).status_code == 400
    assert not is_open(store.path(f"releases/{SECOND}"))


def is_open(folder: Path) -> bool:
    """Whether this process has a file in `folder` open or mapped."""
    names = [Path("/proc/self/maps").read_text(encoding="utf-8")]
    for link in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            names.append(str(link.readlink()))
    return any(str(folder) in name for name in names)


def test_an_engine_is_let_go_when_its_last_request_is_answered(
    client: httpx.Client, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = store.path(f"releases/{FIRST}")
    is_asked, may_answer = threading.Event(), threading.Event()
    stream = SearchEngine.stream

    def slow(engine: SearchEngine, question: Question, *others: Any, **options: Any) -> Any:
        if question.text == "slow":
            is_asked.set()
            assert may_answer.wait(60)
        return stream(engine, question, *others, **options)

    monkeypatch.setattr(SearchEngine, "stream", slow)
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(search, client, "slow")
        assert is_asked.wait(60)
        promote(store, SECOND)
        until_served(client, SECOND)
        shutil.rmtree(first)
        time.sleep(0.1)  # a few looks, in which it is dismissed
        assert is_open(first)
        may_answer.set()
        assert answer.result()["release"] == FIRST
    for _ in range(1000):
        if not is_open(first):
            break
        time.sleep(0.01)
    assert not is_open(first)


def test_an_engine_that_was_given_is_not_switched(
    store: Store, settings: Settings, loads: list[str]
) -> None:
    with (
        SearchEngine.open(settings=settings, embedder=WordEmbedder()) as engine,
        client_of(create_app(engine=engine)) as client,
    ):
        promote(store, SECOND)
        time.sleep(0.1)  # ten looks
        assert search(client, "boat")["release"] == FIRST
        assert until(client, lambda health: health["release"] == FIRST)
    assert loads == []
