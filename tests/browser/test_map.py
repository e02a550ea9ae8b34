"""The map of the collection in a browser: what is in the middle, pointed at and lit up."""

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.watched import Watched

pytestmark = pytest.mark.slow

# How many pixels of the canvas have the colour of what is lit up.
LIT = """(canvas) => {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    let count = 0;
    for (let at = 0; at < data.length; at += 4) {
        if (data[at] === 168 && data[at + 1] === 104 && data[at + 2] === 69) count += 1;
    }
    return count;
}"""


def canvas_of(page: Page) -> Locator:
    canvas = page.locator("#dots")
    expect(page.locator("#map .middle li")).not_to_have_count(0)
    return canvas


def test_every_work_has_a_dot_and_those_in_the_middle_are_named(page: Page, site: Watched) -> None:
    page.goto("/map")
    assert canvas_of(page).evaluate(LIT) > 1000  # all works of the release have this main colour
    expect(page.get_by_text("300 works. What looks alike lies together.")).to_be_visible()
    page.locator("#map .middle a").first.click()
    expect(page.locator("#work h1")).to_be_visible()
    page.go_back()
    expect(page.locator("#dots")).to_be_visible()
    assert site.asked.count("GET /map.bin") == 1


def test_what_a_search_finds_is_lit_up(page: Page, site: Watched) -> None:
    page.goto("/map")
    everything = canvas_of(page).evaluate(LIT)
    page.get_by_role("searchbox").fill("boat")
    page.keyboard.press("Enter")
    expect(page.get_by_text("The 64 nearest works for")).to_be_visible()
    page.wait_for_function(
        f"(all) => ({LIT})(document.querySelector('#dots')) < all", arg=everything
    )
    assert page.locator("#dots").evaluate(LIT) > 0
    assert page.url == f"{site.address}/map?q=boat"
    page.get_by_role("link", name="See them as a list").click()
    expect(page.locator("#results .card:visible").first).to_contain_text("boat")


def test_what_narrows_a_search_is_said_on_the_map(page: Page) -> None:
    page.goto("/map?q=boat&not=blue+sea&classification=Drawing&century=19")
    expect(page.locator("#map .told")).to_contain_text(
        "for boat, without blue sea, Drawing, 19th century."
    )


def test_the_work_under_the_pointer_is_shown(page: Page) -> None:
    page.goto("/map?work=test:1150")
    canvas_of(page)
    box = page.locator("#dots").bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.move(box["x"] + box["width"] / 2 + 1, box["y"] + box["height"] / 2)
    hint = page.locator("#map .hint")
    expect(hint.locator("img.loaded")).to_be_attached()
    expect(hint).to_be_visible()
    page.keyboard.press("Escape")
    expect(hint).to_be_hidden()
    page.mouse.down()
    page.mouse.up()
    page.wait_for_url("**/works/test:1150")


def test_a_map_that_could_not_be_had_is_drawn_when_it_is_asked_for_again(page: Page) -> None:
    page.route("**/map.bin", lambda route: route.fulfill(status=500, json={}), times=1)
    page.goto("/map")
    page.get_by_role("button", name="Try again").click()
    canvas_of(page)
    expect(page.get_by_role("button", name="Zoom in")).to_have_count(1)


def test_a_map_of_a_release_that_is_gone_is_drawn_anew(page: Page) -> None:
    gone = {"title": "Gone", "status": 404, "detail": "no such work.", "type": "about:blank"}
    page.route(
        "**/map.bin",
        lambda route: route.fulfill(
            response=route.fetch(), headers={"ETag": 'W/"another release"'}
        ),
        times=1,
    )
    page.route("**/artworks?*", lambda route: route.fulfill(status=404, json=gone), times=1)
    page.goto("/map")
    canvas_of(page)


def test_the_map_is_used_by_the_keyboard(page: Page) -> None:
    page.goto("/map?work=test:1150")
    canvas_of(page).focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/works/test:1150")
    page.go_back()
    page.locator("#dots").focus()
    first = page.locator("#map .middle a").first.get_attribute("href")
    for key in ("+", "ArrowRight", "ArrowRight", "ArrowRight", "ArrowRight"):
        page.keyboard.press(key)
    expect(page.locator("#map .middle a").first).not_to_have_attribute("href", str(first))
