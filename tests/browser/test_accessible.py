"""No view of the page has a barrier that axe-core knows of, in light and in dark."""

from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, ViewportSize, expect

from tests.browser.axe import TAGS, axe_script
from tests.browser.conftest import DESKTOP, PHONE
from tests.browser.watched import Watched

pytestmark = pytest.mark.slow

# Address, what is clicked there, if anything, and what is there once the view is whole.
VIEWS = [
    ("/", None, "#home .card img.loaded"),
    ("/?q=boat&not=sea&classification=Painting", None, "#results .card img.loaded"),
    ("/?q=boat", ".filter summary", "#results .filter[open] label"),
    ("/?q=boat", "#results .card a", "#work .why meter"),
    ("/?q=boat&artist=Nobody", None, "#results .notice"),
    ("/works/test:1003", None, "#work .like .card img.loaded"),
    ("/works/test:1", None, "#work .notice"),
    ("/map?work=test:1003", None, "#map .middle img.loaded"),
    ("/map?q=boat&not=sea", None, "#map .told q"),
    ("/about", None, "#about table"),
]


@pytest.fixture(scope="session")
def script(tmp_path_factory: pytest.TempPathFactory) -> str:
    return axe_script(Path(tmp_path_factory.mktemp("axe")))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_axe_finds_no_barrier(
    chromium: Browser,
    site: Watched,
    script: str,
    scheme: Literal["light", "dark"],
    viewport: ViewportSize,
) -> None:
    context = chromium.new_context(
        base_url=site.address,
        viewport=viewport,
        reduced_motion="reduce",
        color_scheme=scheme,
        bypass_csp=True,  # under which no script of a test could run
    )
    page = context.new_page()
    found = []
    for address, clicked, whole in VIEWS:
        page.goto(address)
        if clicked:
            page.locator(clicked).first.click()
        expect(page.locator(whole).first).to_be_attached(timeout=20_000)
        page.evaluate(script)
        results = page.evaluate("(tags) => axe.run({ runOnly: tags })", TAGS)
        assert results["passes"]
        found += [
            (address, each["id"], [node["target"] for node in each["nodes"]])
            for each in results["violations"]
        ]
    context.close()
    assert found == []
