"""The first order of an answer is shown at once, and moves into that of a closer look."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from retrievals_serving.api import create_app
from tests.browser.conftest import DESKTOP, PAGE, SECRET, WINDOW
from tests.browser.test_searching import CARDS, search, shown
from tests.browser.watched import Watched, watched
from tests.serving.fake_reranker import opened
from tests.serving.test_streaming import PATIENCE, HeldReranker

pytestmark = pytest.mark.slow


@pytest.fixture
def reranker(monkeypatch: pytest.MonkeyPatch) -> HeldReranker:
    """A reranker that waits until it may go on."""
    held = HeldReranker()
    monkeypatch.setattr("retrievals_serving.reranking.monotonic", held.monotonic)
    return held


@pytest.fixture
def site(browser_home: Path, reranker: HeldReranker) -> Iterator[Watched]:
    with (
        opened(
            browser_home, reranker, window=WINDOW, candidates=80, page=PAGE, secret=SECRET
        ) as engine,
        watched(create_app(engine=engine)) as served,
    ):
        yield served
        reranker.may_go.set()


def order(page: Page, site: Watched, **body: Any) -> list[str]:
    """The ids of an answer, as the API gives it."""
    answer = page.request.post(f"{site.address}/search", data={"query": "boat", **body})
    return [result["id"] for result in answer.json()["results"]]


def test_the_second_order_takes_the_place_of_the_first(
    chromium: Browser, site: Watched, reranker: HeldReranker
) -> None:
    context = chromium.new_context(base_url=site.address, viewport=DESKTOP)  # with motion
    page = context.new_page()
    first = order(page, site, rerank=False)
    page.goto("/?q=boat")
    expect(page.locator(CARDS).first).to_be_visible()
    assert shown(page) == first[: len(shown(page))]
    reranker.may_go.set()
    second = order(page, site)
    assert second != first
    expect(page.locator(f"{CARDS} a").first).to_have_attribute("data-work", second[0])
    assert shown(page) == second[: len(shown(page))]
    context.close()


def test_the_first_order_is_shown_to_its_last_work(page: Page, site: Watched) -> None:
    filters = {"classification": "Drawing", "artist": "Claude Monet", "century": 17}
    found = order(page, site, rerank=False, filters=filters)
    page.goto("/?q=boat&classification=Drawing&artist=Claude+Monet&century=17")
    expect(page.locator(CARDS)).to_have_count(len(found))
    assert shown(page) == found


def test_another_search_ends_the_closer_look_on_the_server(
    page: Page, reranker: HeldReranker
) -> None:
    page.goto("/?q=boat")
    expect(page.locator(CARDS).first).to_be_visible()
    assert reranker.is_asked.wait(PATIENCE)
    search(page, "horse")
    assert reranker.was_cancelled.wait(PATIENCE)
    reranker.may_go.set()
    expect(page.locator(CARDS).first).to_contain_text("horse")
