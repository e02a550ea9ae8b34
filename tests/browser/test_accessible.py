"""No view of the page has a barrier that axe-core knows of, in light and in dark."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, ViewportSize, expect

from tests.browser.axe import TAGS, axe_script
from tests.browser.conftest import DESKTOP, PHONE
from tests.browser.watched import Watched

pytestmark = pytest.mark.slow

VIEWS = {  # address, and what is there once the view is whole
    "/": "#home .card img.loaded",
    "/?q=boat&not=sea&classification=Painting": "#results .card img.loaded",
    "/works/test:1003": "#work .like .card img.loaded",
    "/map?work=test:1003": "#map .middle img.loaded",
    "/about": "#about table",
}


@pytest.fixture(scope="session")
def script(tmp_path_factory: pytest.TempPathFactory) -> str:
    return axe_script(Path(tmp_path_factory.mktemp("axe")))


@pytest.mark.parametrize(("scheme", "viewport"), [("light", DESKTOP), ("dark", PHONE)])
def test_axe_finds_no_barrier(
    chromium: Browser, site: Watched, script: str, scheme: str, viewport: ViewportSize
) -> None:
    context = chromium.new_context(
        base_url=site.address,
        viewport=viewport,
        reduced_motion="reduce",
        color_scheme="dark" if scheme == "dark" else "light",
        bypass_csp=True,  # under which no script of a test could run
    )
    page = context.new_page()
    found = []
    for address, whole in VIEWS.items():
        page.goto(address)
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
