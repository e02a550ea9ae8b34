"""A cursor continues the search it was made for, and nothing else."""

import base64
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from retrievals_serving import SearchEngine, Settings, cursors
from retrievals_serving.errors import CursorExpired, CursorRefused, QueryError
from retrievals_serving.pages import Page
from retrievals_serving.promotion import promote
from retrievals_serving.ranking import Judgement
from retrievals_serving.store import Store
from tests.serving.fake_reranker import FakeReranker
from tests.serving.small_release import RELEASE, WordEmbedder, make_release


@pytest.fixture(scope="module")
def page(engine: SearchEngine) -> Page:
    return engine.search("boat", filters={"classification": ["Print", "Painting"]})


@pytest.fixture(scope="module")
def reranked(settings: Settings) -> Page:
    """A page whose cursor carries what a reranker thought."""
    models = {"embedder": WordEmbedder(), "reranker": FakeReranker()}
    with SearchEngine.open(settings=settings, **models) as engine:
        return engine.search("boat")


def test_a_cursor_is_safe_in_a_url(page: Page) -> None:
    assert page.cursor
    assert set(page.cursor) <= set(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."
    )


def test_a_vector_that_went_through_json_is_still_that_vector(
    engine: SearchEngine, page: Page
) -> None:
    assert page.cursor
    vector = json.loads(json.dumps(page.query_vector))
    assert engine.search_more(vector, page.cursor).results[0].rank == page.total + 1
    assert engine.search_more(np.array(vector), page.cursor).query == "boat"


def test_going_on_needs_no_model(settings: Settings, page: Page) -> None:
    assert page.cursor
    with SearchEngine.open(settings=settings) as cold:
        assert cold.search_more(page.query_vector, page.cursor).total == settings.more
        assert cold.embedder is None


@pytest.mark.parametrize("cursor", ["", ".", "a.b", "a.b.c", "é.é", "\ud800", "=" * 9, "x" * 9999])
def test_what_is_no_cursor_is_refused(engine: SearchEngine, page: Page, cursor: str) -> None:
    with pytest.raises(CursorRefused, match=r"not signed by this server.* search again"):
        engine.search_more(page.query_vector, cursor)


def test_a_cursor_changed_anywhere_is_refused(engine: SearchEngine, page: Page) -> None:
    assert page.cursor
    content, signature = page.cursor.split(".")
    fields = json.loads(base64.urlsafe_b64decode(content + "=="))
    for change in ({"offset": 0}, {"filters": None}, {"score_threshold": 0.5}, {"without": 3}):
        forged = base64.urlsafe_b64encode(json.dumps(fields | change).encode()).decode().rstrip("=")
        with pytest.raises(CursorRefused):
            engine.search_more(page.query_vector, f"{forged}.{signature}")


def test_a_score_changed_in_a_cursor_is_refused(engine: SearchEngine, reranked: Page) -> None:
    assert reranked.cursor
    end = reranked.cursor.index(".")
    for place in (0, end // 2, end - 4, len(reranked.cursor) - 4):
        other = "B" if reranked.cursor[place] == "A" else "A"
        forged = reranked.cursor[:place] + other + reranked.cursor[place + 1 :]
        with pytest.raises(CursorRefused):
            engine.search_more(reranked.query_vector, forged)


def test_a_cursor_carries_a_judgement_to_the_last_bit(settings: Settings) -> None:
    chance = np.random.default_rng(5)
    judgement = Judgement(
        rows=chance.permutation(68816)[:78].astype(np.int32),
        scores=chance.random(78, dtype=np.float32),
        candidates=80,
        alpha=0.1,
        degraded=("deadline", "pictures"),
    )
    read = cursors.verify(cursors.sign(cursor_of(settings, judgement), b"ours"), b"ours").judgement
    assert read
    assert read.rows.tolist() == judgement.rows.tolist()
    assert read.scores.tobytes() == judgement.scores.tobytes()
    assert (read.candidates, read.alpha) == (80, 0.1)
    assert (read.degraded, read.coverage) == (("deadline", "pictures"), 78 / 80)


def test_a_cursor_of_eighty_candidates_stays_under_a_kilobyte_and_a_half(
    settings: Settings,
) -> None:
    rows = np.arange(68736, 68816, dtype=np.int32)
    scores = np.random.default_rng(6).random(80, dtype=np.float32)
    judgement = Judgement(rows=rows, scores=scores, candidates=80, alpha=0.6)
    assert len(cursors.sign(cursor_of(settings, judgement), b"ours")) < 1536


def cursor_of(settings: Settings, judgement: Judgement) -> cursors.Cursor:
    return cursors.Cursor(
        release=RELEASE,
        vector=cursors.vector_digest(np.ones(1024, dtype=np.float32)),
        query="a lonely boat in stormy seas",
        negative="people",
        by="text",
        filters={"classification": "Painting"},
        score_threshold=0.0,
        without=None,
        window=settings.window,
        more=settings.more,
        judgement=judgement,
        offset=64,
    )


def test_a_cursor_signed_with_another_secret_is_refused(engine: SearchEngine, page: Page) -> None:
    assert page.cursor
    ours = cursors.verify(page.cursor, b"a secret of the tests, which no server shares")
    with pytest.raises(CursorRefused):
        engine.search_more(page.query_vector, cursors.sign(ours, b"another"))


def test_a_cursor_with_another_vector_is_refused(engine: SearchEngine, page: Page) -> None:
    assert page.cursor
    other = engine.search("horse").query_vector
    for vector in (other, page.query_vector[:-1], [], [1e300] * 32, [float("nan")] * 32):
        with pytest.raises(CursorRefused, match="another query_vector"):
            engine.search_more(vector, page.cursor)


def test_a_vector_that_is_none_is_refused(engine: SearchEngine, page: Page) -> None:
    assert page.cursor
    for vector in (["a"], [[1.0], [2.0, 3.0]]):
        with pytest.raises(QueryError, match="query_vector: expected a list of numbers"):
            engine.search_more(vector, page.cursor)  # type: ignore[arg-type]


@pytest.mark.parametrize("change", [{"window": 30}, {"more": 6}])
def test_a_cursor_of_other_settings_is_refused(
    home: Path, page: Page, change: dict[str, int]
) -> None:
    assert page.cursor
    secret = "a secret of the tests, which no server shares"
    same = {"window": 40, "page": 8, "more": 5, "secret": secret}
    with (
        SearchEngine.open(settings=Settings.load(home=home, **(same | change))) as other,
        pytest.raises(CursorRefused, match="made with window 40 and more 5"),
    ):
        other.search_more(page.query_vector, page.cursor)


def test_a_cursor_of_another_release_has_expired(
    settings: Settings, page: Page, tmp_path: Path
) -> None:
    assert page.cursor
    store = Store(tmp_path)
    promote(store, make_release(store, "20270101T000000Z-000000000002", works=12).release_id)
    with (
        SearchEngine.open(tmp_path, settings=settings, embedder=WordEmbedder()) as newer,
        pytest.raises(CursorExpired, match="20270101T000000Z-000000000002 is served now"),
    ):
        newer.search_more(page.query_vector, page.cursor)


@pytest.fixture
def no_warning_yet() -> Iterator[None]:
    cursors.process_secret.cache_clear()
    yield
    cursors.process_secret.cache_clear()


@pytest.mark.usefixtures("no_warning_yet")
def test_without_a_secret_one_warning_says_so_and_cursors_hold_within_the_process(
    home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = Settings.load(home=home, page=2, reranker="none")
    with (
        caplog.at_level(logging.WARNING, logger=cursors.__name__),
        SearchEngine.open(settings=settings, embedder=WordEmbedder()) as one,
        SearchEngine.open(settings=settings) as another,
    ):
        page = one.search("boat")
        assert page.cursor
        assert another.search_more(page.query_vector, page.cursor).results[0].rank == 3
    assert [record.message[:30] for record in caplog.records] == ["RETRIEVALS_SECRET is not set: "]
