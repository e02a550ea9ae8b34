"""What a visitor does with the page, in a real browser against a real server."""

import json
import re
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from retrievals_serving import SearchEngine
from retrievals_serving.pages import Artwork
from tests.browser.conftest import PHONE, WINDOW
from tests.browser.watched import Watched

pytestmark = pytest.mark.slow

CARDS = "#results .card:visible"


def search(page: Page, text: str) -> None:
    page.get_by_role("searchbox", name="What the picture shows").fill(text)
    page.keyboard.press("Enter")


def answer_in(text: str) -> dict[str, Any]:
    """The last answer in a stream of events."""
    answers = re.findall("^event: (?:vector|reranked)\ndata: (.*)$", text, re.MULTILINE)
    answer: dict[str, Any] = json.loads(answers[-1])
    return answer


def shown(page: Page) -> list[str]:
    """The ids of the works that are shown, in the order of the page."""
    ids = page.locator(f"{CARDS} a").evaluate_all("links => links.map(link => link.dataset.work)")
    return [str(each) for each in ids]


def test_a_search_shows_what_was_found_best_first(page: Page, site: Watched) -> None:
    page.goto("/")
    expect(page.get_by_role("heading", name="Search art the way you think")).to_be_visible()
    search(page, "stormy boat")
    expect(page.get_by_role("heading", name="stormy boat", exact=True)).to_be_visible()
    expect(page.locator(CARDS).first).to_contain_text("Stormy boat")
    expect(page.locator("#how-many")).to_have_text(f"{WINDOW} works")
    expect(page.get_by_role("status")).to_contain_text(f"{WINDOW} works found")
    expect(page).to_have_title("stormy boat · Retrievals")
    assert page.url == f"{site.address}/?q=stormy+boat"
    picture = page.locator(f"{CARDS} img").first
    expect(picture).to_have_attribute("alt", "It shows a boat.")
    expect(picture).to_have_class("loaded")


@pytest.mark.parametrize("address", ["/", "/?q=boat", "/works/test:1003", "/about"])
def test_nothing_jumps_while_an_address_is_opened(page: Page, address: str) -> None:
    page.goto(address)
    expect(page.locator("#count")).not_to_be_empty()
    expect(page.locator("main .card img.loaded, #about table").first).to_be_attached()
    shifts = page.evaluate("""new Promise((done) => new PerformanceObserver((list) => done(
        list.getEntries().filter(({ value }) => value > 0.01).map(({ value }) => value)
    )).observe({ type: 'layout-shift', buffered: true }) || setTimeout(done, 200, []))""")
    assert shifts == []


def test_scrolling_comes_to_the_last_work_and_shows_none_twice(page: Page) -> None:
    page.goto("/?q=boat")
    expect(page.locator(CARDS).first).to_be_visible()
    while page.locator(CARDS).count() < WINDOW:
        page.mouse.wheel(0, 2000)
        page.evaluate("new Promise((done) => requestAnimationFrame(done))")
    expect(page.get_by_text("These are the works that come nearest.")).to_be_attached()
    ids = shown(page)
    assert len(ids) == len(set(ids)) == WINDOW


def test_what_was_asked_before_is_shown_without_asking_again(page: Page, site: Watched) -> None:
    page.goto("/?q=boat")
    expect(page.locator(CARDS).first).to_be_visible()
    first = shown(page)
    search(page, "horse")
    expect(page.get_by_role("heading", name="horse", exact=True)).to_be_visible()
    expect(page.locator(CARDS).first).to_contain_text("horse")
    site.asked.clear()
    search(page, "boat")
    expect(page.locator(CARDS).first).to_contain_text("boat")
    assert shown(page)[: len(first)] == first
    assert "POST /search" not in site.asked


def test_another_search_ends_the_one_before_on_the_server(page: Page, site: Watched) -> None:
    site.held = b"slow"
    page.goto("/?q=slow+boat")
    assert site.waiting.wait(20)
    search(page, "horse")
    assert site.aborted.wait(20)
    expect(page.locator(CARDS).first).to_contain_text("horse")


def test_a_closed_page_ends_its_search_on_the_server(page: Page, site: Watched) -> None:
    site.held = b"slow"
    page.goto("/?q=slow+boat")
    assert site.waiting.wait(20)
    page.close()
    assert site.aborted.wait(20)


def test_filters_narrow_an_answer_and_are_in_its_address(
    page: Page, site: Watched, browser_engine: SearchEngine
) -> None:
    def works() -> list[Artwork]:
        expect(page.locator("[aria-busy]")).to_have_count(0)
        expect(page.locator(CARDS).first).to_be_visible()
        return [browser_engine.artwork(each) for each in shown(page)]

    page.goto("/?q=boat")
    page.locator("summary", has_text="Classification").click()
    page.get_by_role("checkbox", name="Drawing").check()
    page.wait_for_url("**/?q=boat&classification=Drawing")
    assert {work.classification for work in works()} == {"Drawing"}
    page.locator("summary", has_text="Century").click()
    page.get_by_role("checkbox", name="19th century").check()
    assert page.url == f"{site.address}/?q=boat&classification=Drawing&century=19"
    assert all(1801 <= (work.begin_year or 0) <= 1900 for work in works())
    page.get_by_role("button", name="Take away Drawing").click()
    assert page.url == f"{site.address}/?q=boat&century=19"
    assert len({work.classification for work in works()}) > 1


def test_words_with_a_minus_are_shown_as_what_is_left_out(page: Page, site: Watched) -> None:
    page.goto("/?q=horse")
    expect(page.locator(CARDS).first).to_be_visible()
    with page.expect_request("**/search") as asked:
        search(page, 'boat -blue -"two men" well-known')
    expect(page.get_by_role("listitem").filter(has_text="without blue")).to_be_visible()
    expect(page.get_by_role("listitem").filter(has_text="without two men")).to_be_visible()
    expect(page.get_by_role("heading", name="boat well-known", exact=True)).to_be_visible()
    body = asked.value.post_data_json
    assert (body["query"], body["negative"]) == ("boat well-known", "blue, two men")
    page.get_by_role("button", name="Let blue be there again").click()
    expect(page.get_by_role("listitem").filter(has_text="without blue")).to_have_count(0)
    assert page.url == f"{site.address}/?q=boat+well-known&not=two+men"


def test_a_link_to_a_work_and_the_way_back_work(page: Page, site: Watched) -> None:
    page.goto("/?q=stormy+boat")
    expect(page.locator(CARDS).first).to_be_visible()
    card = page.locator(f"{CARDS} a").nth(20)
    work = str(card.get_attribute("data-work"))
    title = card.locator(".title").inner_text()
    card.scroll_into_view_if_needed()
    scrolled = page.evaluate("scrollY")
    card.click()
    heading = page.get_by_role("heading", name=title, level=1)
    expect(heading).to_be_focused()
    assert page.url == f"{site.address}/works/{work}"
    expect(page.get_by_text(f"21st of {WINDOW} works")).to_be_visible()
    expect(page.locator(".like .card:visible").first).to_be_visible()
    page.go_back()
    expect(page.locator(CARDS).first).to_be_attached()
    page.wait_for_function("place => Math.abs(scrollY - place) < 2", arg=scrolled)

    page.goto(f"/works/{work}")
    expect(page.get_by_role("heading", name=title, level=1)).to_be_visible()
    expect(page.get_by_role("link", name="At the museum")).to_have_attribute(
        "href", re.compile("^https://museum.example/artworks/")
    )
    page.goto("/works/test:1")
    expect(page.get_by_role("alert")).to_contain_text("no such work")


def test_the_way_back_from_a_work_like_a_work_leads_to_where_it_was(page: Page) -> None:
    page.set_viewport_size({"width": 1280, "height": 400})
    page.goto("/works/test:1150")
    like = page.locator(".like .card:visible a")
    expect(like.first).to_be_visible()
    title = page.locator("#work h1").inner_text()
    like.last.scroll_into_view_if_needed()
    scrolled = page.evaluate("scrollY")
    like.last.click()
    expect(page.locator("#work h1")).to_be_focused()
    page.go_back()
    expect(page.locator("#work h1")).to_have_text(title)
    page.wait_for_function("place => Math.abs(scrollY - place) < 2", arg=scrolled)


def test_the_page_is_used_by_the_keyboard_alone(page: Page) -> None:
    page.goto("/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Control+k")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type("calm horse")
    page.keyboard.press("Enter")
    expect(page.locator(CARDS).first).to_be_visible()
    page.locator(f"{CARDS} a").first.focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(f"{CARDS} a").nth(1)).to_be_focused()
    page.keyboard.press("ArrowDown")
    rows = [page.locator(f"{CARDS} a").nth(1), page.locator(f"{CARDS} a:focus")]
    above, below = [row.bounding_box() for row in rows]
    assert above
    assert below
    assert below["y"] > above["y"]
    page.keyboard.press("ArrowUp")
    assert page.locator(f"{CARDS} a:focus").bounding_box() != below
    page.keyboard.press("Home")
    expect(page.locator(f"{CARDS} a").first).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#work h1")).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_text(f"2nd of {WINDOW} works")).to_be_visible()
    page.locator(".stage").focus()
    page.keyboard.press("+")
    expect(page.locator(".stage")).to_have_class(re.compile("near"))
    page.keyboard.press("0")
    expect(page.locator(".stage")).not_to_have_class(re.compile("near"))


def test_the_link_past_the_head_leaves_the_answer_as_it_is(page: Page, site: Watched) -> None:
    page.goto("/?q=boat")
    expect(page.locator(CARDS).first).to_be_visible()
    page.get_by_role("link", name="Skip to the content").focus()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    assert page.url == f"{site.address}/?q=boat"


def test_a_filter_that_is_taken_away_by_key_leaves_the_focus_beside_it(page: Page) -> None:
    page.goto("/?q=boat&classification=Drawing&not=sea")
    page.get_by_role("button", name="Let sea be there again").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Take away Drawing")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("summary").first).to_be_focused()


def test_the_page_fits_a_phone(page: Page) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    for address in ("/", "/?q=boat", "/works/test:1003", "/about", "/map"):
        page.goto(address)
        expect(page.locator("main > :visible").first).to_be_visible()
        expect(page.get_by_role("searchbox")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), address


def test_a_phone_has_two_works_in_a_row_at_most(page: Page) -> None:
    def portraits(route: Route) -> None:
        answer = answer_in(route.fetch().text())
        for result in answer["results"]:
            result["metadata"] |= {"width": 300, "height": 500}
        route.fulfill(json=answer)

    page.set_viewport_size(PHONE)
    page.route("**/search", portraits)
    page.goto("/?q=boat")
    expect(page.locator(CARDS).first).to_be_visible()
    tops = page.locator(CARDS).evaluate_all(
        "cards => cards.map(card => Math.round(card.getBoundingClientRect().top))"
    )
    assert {tops.count(top) for top in tops} == {2}


def test_the_dark_mode_of_a_visitor_is_followed(page: Page) -> None:
    page.goto("/")
    expect(page.locator("body")).to_have_css("background-color", "rgb(245, 240, 232)")
    page.emulate_media(color_scheme="dark")
    expect(page.locator("body")).to_have_css("background-color", "rgb(26, 24, 22)")
