"""Pictures on the page: a visitor's own to search with, a museum's to look at closely."""

import base64
import re

import pytest
from PIL import Image
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import PictureEmbedder
from tests.browser.test_searching import CARDS, shown
from tests.browser.watched import Watched
from tests.serving.small_release import encoded

pytestmark = pytest.mark.slow

PICTURE = encoded(Image.new("RGB", (3000, 2000), "navy"), "PNG")

DROP = """async (base64) => {
    const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
    const data = new DataTransfer();
    data.items.add(new File([bytes], "boat.png", { type: "image/png" }));
    const options = { dataTransfer: data, bubbles: true, cancelable: true };
    document.body.dispatchEvent(new DragEvent("dragover", options));
    const isInvited = !document.getElementById("drop").hidden;
    document.body.dispatchEvent(new DragEvent("drop", options));
    return isInvited;
}"""


def test_a_picture_that_is_dropped_is_searched_with(page: Page, embedder: PictureEmbedder) -> None:
    embedder.sizes.clear()
    page.goto("/about")
    assert page.evaluate(DROP, base64.b64encode(PICTURE).decode()) is True
    expect(page.get_by_role("heading", name="Works like your picture")).to_be_visible()
    expect(page.locator(CARDS).first).to_contain_text("calm boat")
    expect(page.get_by_alt_text("The picture that you search with")).to_be_visible()
    assert embedder.sizes == [(1024, 683)]  # as much as is looked at


def test_a_picture_is_chosen_with_words_beside_it_and_let_go_again(
    page: Page, embedder: PictureEmbedder
) -> None:
    embedder.sizes.clear()
    page.goto("/about")
    page.get_by_label("Search with a picture of your own").set_input_files(
        {"name": "boat.png", "mimeType": "image/png", "buffer": PICTURE}
    )
    expect(page.locator(CARDS).first).to_contain_text("calm boat")
    page.get_by_role("searchbox", name="What the picture shows").fill("horse")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="horse", exact=True)).to_be_visible()
    expect(page.locator(CARDS).first).to_contain_text("horse")
    assert len(embedder.sizes) == 2
    with page.expect_request(re.compile("/search$")):
        page.get_by_role("button", name="Search without your picture").click()
    expect(page.get_by_alt_text("The picture that you search with")).to_be_hidden()
    assert len(embedder.sizes) == 2


def test_a_picture_goes_along_to_the_map_and_back_from_a_work(page: Page) -> None:
    answer = page.get_by_role("heading", name="Works like your picture")
    page.goto("/about")
    page.get_by_label("Search with a picture of your own").set_input_files(
        {"name": "boat.png", "mimeType": "image/png", "buffer": PICTURE}
    )
    page.locator("summary", has_text="Classification").click()
    page.get_by_role("checkbox", name="Painting").check()
    page.get_by_role("link", name="On the map").click()
    expect(page.locator("#map .told")).to_contain_text("for your picture, Painting.")
    page.get_by_role("link", name="See them as a list").click()
    expect(answer).to_be_visible()
    expect(page.locator(CARDS).first).to_be_visible()
    found = shown(page)
    page.locator(f"{CARDS} a").first.click()
    like = page.locator(".like .card:visible a")
    expect(like.first).to_be_visible()
    works = like.evaluate_all("links => links.map(link => link.dataset.work)")
    also = next(work for work in works if work in found)
    page.locator(f".like a[data-work='{also}']").click()
    page.wait_for_url(f"**/works/{also}")
    page.get_by_role("link", name="← your picture").click()
    expect(answer).to_be_visible()
    expect(page.locator(CARDS).first).to_contain_text("calm boat")


def test_a_picture_is_gone_after_a_reload_and_no_other_is_taken_for_it(page: Page) -> None:
    def give() -> None:
        page.get_by_label("Search with a picture of your own").set_input_files(
            {"name": "boat.png", "mimeType": "image/png", "buffer": PICTURE}
        )
        expect(page.get_by_role("heading", name="Works like your picture")).to_be_visible()

    page.goto("/about")
    give()
    page.reload()
    expect(page.get_by_role("heading", name="Search art the way you think")).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)
    give()
    page.go_back()
    expect(page.get_by_role("heading", name="Search art the way you think")).to_be_visible()


def test_what_is_no_picture_is_refused(page: Page, site: Watched) -> None:
    page.goto("/about")
    page.get_by_label("Search with a picture of your own").set_input_files(
        {"name": "notes.png", "mimeType": "image/png", "buffer": b"no picture"}
    )
    expect(page.get_by_role("alert")).to_contain_text("no picture that can be read")
    assert page.url == f"{site.address}/about"


def test_a_work_is_seen_closely_in_tiles_where_its_museum_has_them(page: Page) -> None:
    asked: list[str] = []

    def tile(route: Route) -> None:
        asked.append(route.request.url)
        route.fulfill(content_type="image/png", body=encoded(Image.new("RGB", (512, 512)), "PNG"))

    page.route("https://museum.example/**", tile)
    page.goto("/works/test:1003")
    expect(page.locator(".stage img.loaded")).to_have_count(1)
    assert asked == []  # the stored picture is enough
    for _ in range(4):
        page.get_by_role("button", name="Zoom in").click()
    expect(page.locator(".stage .tile.loaded").first).to_be_attached()
    number = r"[\d.]+"
    form = rf"https://museum\.example/iiif/3/pct:{number},{number},{number},{number}/!512,512/0/"
    assert all(re.match(form, address) for address in asked)
    assert len(asked) == len(set(asked))


def test_a_picture_that_is_near_is_moved_by_the_pointer(page: Page) -> None:
    page.route("https://museum.example/**", lambda route: route.abort())
    page.goto("/works/test:1150")
    stage, layer = page.locator(".stage"), page.locator(".stage .layer")
    expect(stage.locator("img.loaded")).to_have_count(1)
    for _ in range(4):
        page.get_by_role("button", name="Zoom in").click()
    expect(layer).to_have_attribute("style", re.compile(r"scale\(6"))
    box = stage.bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 90, y, steps=9)
    page.mouse.up()
    expect(layer).to_have_attribute("style", re.compile(r"translate\(90px, 0px\)"))


def test_a_work_is_seen_closely_where_its_museum_cannot_be_reached(page: Page) -> None:
    page.route("https://museum.example/**", lambda route: route.abort())
    page.goto("/works/test:1003")
    for _ in range(4):
        page.get_by_role("button", name="Zoom in").click()
    expect(page.locator(".stage")).to_have_class(re.compile("near"))
    expect(page.locator(".stage .tile")).to_have_count(0)
    expect(page.locator(".stage img.loaded")).to_have_count(1)
