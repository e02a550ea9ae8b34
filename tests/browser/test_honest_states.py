"""What a visitor is told when an answer is late, broken, partial, or not to be had."""

import json

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from tests.browser.test_searching import CARDS, answer_in, search

pytestmark = pytest.mark.slow


def test_an_answer_that_is_no_stream_is_shown_as_well(page: Page) -> None:
    def whole(route: Route) -> None:
        route.fulfill(json=answer_in(route.fetch().text()))

    page.route("**/search", whole)
    page.goto("/?q=boat")
    expect(page.locator(CARDS).first).to_contain_text("boat")
    expect(page.locator("[aria-busy]")).to_have_count(0)


def test_an_answer_that_fails_on_the_way_is_asked_for_again(page: Page) -> None:
    def broken(route: Route) -> None:
        problem = {"title": "Down", "status": 503, "detail": "later", "type": "about:blank"}
        body = f"event: error\ndata: {json.dumps(problem)}\n\n"
        route.fulfill(content_type="text/event-stream", body=body)

    page.route("**/search", broken, times=1)
    page.goto("/?q=boat")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(CARDS).first).to_contain_text("boat")


def test_a_visitor_who_is_offline_is_told_and_the_search_goes_on(
    page: Page, context: BrowserContext
) -> None:
    page.goto("/?q=boat")
    expect(page.locator(CARDS).first).to_be_visible()
    context.set_offline(True)
    search(page, "horse")
    expect(page.get_by_role("alert")).to_contain_text("You are offline")
    context.set_offline(False)
    expect(page.locator(CARDS).first).to_contain_text("horse")
    expect(page.get_by_role("alert")).to_have_count(0)


@pytest.mark.parametrize(
    ("status", "headers", "said"),
    [
        (429, {"Retry-After": "1"}, "many questions at once"),
        (503, {"Retry-After": "1"}, "waking up"),
    ],
)
def test_a_server_that_is_busy_is_asked_again(
    page: Page, status: int, headers: dict[str, str], said: str
) -> None:
    problem = {"title": "Busy", "status": status, "detail": "later", "type": "about:blank"}
    page.route(
        "**/search",
        lambda route: route.fulfill(status=status, headers=headers, json=problem),
        times=1,
    )
    page.goto("/?q=boat")
    expect(page.get_by_role("alert")).to_contain_text(said)
    expect(page.locator(CARDS).first).to_contain_text("boat")


@pytest.mark.parametrize("status", [400, 410])
def test_an_answer_whose_cursor_is_not_good_any_more_is_asked_for_again(
    page: Page, status: int
) -> None:
    gone = {"title": "Gone", "status": status, "detail": "search again.", "type": "about:blank"}
    page.route("**/search-more", lambda route: route.fulfill(status=status, json=gone), times=1)
    page.goto("/?q=boat")
    expect(page.locator(CARDS).first).to_be_visible()
    page.mouse.wheel(0, 20000)
    expect(page.get_by_role("alert")).to_contain_text("collection was renewed")
    page.get_by_role("button", name="Search again").click()
    expect(page.get_by_role("alert")).to_have_count(0)


def test_works_that_are_shown_stay_when_the_closer_look_fails(page: Page) -> None:
    def broken(route: Route) -> None:
        first = route.fetch().text().split("event: done")[0]  # and then the server is gone
        route.fulfill(content_type="text/event-stream", body=first)

    page.route("**/search", broken, times=1)
    page.goto("/?q=boat")
    expect(page.get_by_role("alert")).to_contain_text("they are in their first order")
    expect(page.locator(CARDS).first).to_contain_text("boat")
    with page.expect_request("**/search"):
        page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(page.locator(CARDS).first).to_contain_text("boat")


def test_works_that_are_shown_stay_when_the_server_is_gone_meanwhile(page: Page) -> None:
    def partial(route: Route) -> None:
        changes = {"degraded": ["deadline"], "rerank_coverage": 0.25}
        route.fulfill(json=answer_in(route.fetch().text()) | changes)

    page.route("**/search", lambda route: route.abort())
    page.route("**/search", partial, times=1)
    page.goto("/?q=boat")
    with page.expect_event("requestfailed"):
        page.get_by_role("button", name="Search again").click()
    expect(page.get_by_role("alert")).to_contain_text("only 25 %")
    expect(page.locator(CARDS).first).to_contain_text("boat")


def test_the_first_view_is_filled_once_the_server_is_awake(page: Page) -> None:
    problem = {"title": "Down", "status": 503, "detail": "later", "type": "about:blank"}
    page.clock.install()
    page.route("**/search", lambda route: route.fulfill(status=503, json=problem))
    with page.expect_response("**/search"):
        page.goto("/")
    page.unroute_all(behavior="wait")
    page.clock.run_for(6000)
    wall = page.locator(".wall", has_text="a lonely boat in stormy seas")
    expect(wall.locator("img.loaded").first).to_be_attached()


def test_a_visitor_who_is_offline_at_a_work_is_shown_it_later(
    page: Page, context: BrowserContext
) -> None:
    page.goto("/about")
    page.evaluate("import('/static/work.js')")
    page.evaluate("history.pushState({}, '', '/works/test:1001'); history.back()")
    page.wait_for_url("**/about")
    context.set_offline(True)
    page.go_forward()
    expect(page.get_by_role("alert")).to_contain_text("You are offline")
    context.set_offline(False)
    expect(page.locator("#work .label h1")).to_be_visible()


@pytest.mark.parametrize("address", ["/works/%E0%A4%A", "/?q=boat&century=ninth"])
def test_an_address_that_is_malformed_is_answered_as_well_as_can_be(
    page: Page, address: str
) -> None:
    page.goto(address)
    expect(page.get_by_role("alert").or_(page.locator(CARDS)).first).to_be_visible()
    expect(page.get_by_text("NaN")).to_have_count(0)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"relevance": "nothing"}, "Nothing here fits well"),
        ({"relevance": "weak"}, "none may be quite what you mean"),
        ({"degraded": ["deadline"], "rerank_coverage": 0.25}, "only 25 % of the best works"),
        ({"window": 0, "results": [], "cursor": None}, "Nothing was found"),
    ],
)
def test_an_answer_that_is_not_what_it_could_be_says_so(
    page: Page, changes: dict[str, object], said: str
) -> None:
    page.route(
        "**/search", lambda route: route.fulfill(json=answer_in(route.fetch().text()) | changes)
    )
    page.goto("/?q=boat")
    expect(page.locator("#results .remarks, #toast").filter(has_text=said)).to_be_visible()


def test_a_mild_remark_moves_no_work(page: Page) -> None:
    def weak(route: Route) -> None:
        route.fulfill(json=answer_in(route.fetch().text()) | {"relevance": "weak"})

    grid, remark = page.locator("#results .grid"), page.locator("#results .mild")
    page.route("**/search", weak, times=1)
    page.goto("/?q=calm+horse")
    expect(remark).to_be_visible()
    before = grid.bounding_box()
    search(page, "stormy boat")
    expect(page.locator(CARDS).first).to_contain_text("Stormy boat")
    expect(remark).to_have_count(0)
    after = grid.bounding_box()
    assert before
    assert after
    assert before["y"] == after["y"]
