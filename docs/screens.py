"""Make the README's pictures of the page anew: `python docs/screens.py`.

docs/screens/<view>.webp   home, results, a work, the map, a phone, dark mode

Shown is the release of `.retrievals/demo`, which `make demo` builds, or of the home that is named.
Needs Chromium (Debian's package `chromium`), which `PATH` or `CHROMIUM` names.
"""

import argparse
import io
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from retrievals_serving import SearchEngine
from retrievals_serving.api import create_app
from retrievals_serving.http_server import serving
from retrievals_serving.settings import Settings

SCREENS = Path(__file__).absolute().parent / "screens"
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium")
LIMIT = 150_000  # bytes of a picture
PATIENCE = 600.0  # seconds for an answer or a reranking, so that no deadline shows
BOAT = "/?q=a+lonely+boat+in+stormy+seas"
READER = "/?q=old+man+reading+by+candlelight"


@dataclass(frozen=True)
class View:
    """What is shown, and how large."""

    address: str
    whole: str  # selector of pictures that are there once the view is
    width: int = 1440
    height: int = 900
    scheme: Literal["light", "dark"] = "light"
    act: Callable[[Page], None] | None = None  # what a visitor does before


def open_third(page: Page) -> None:
    """Open the third work of an answer."""
    page.locator("#results .card a").nth(2).click()


VIEWS = {
    "home": View("/", "#home .card:visible"),
    "results": View(BOAT, "#results .card:visible"),
    "work": View(BOAT, "#work .card:visible", act=open_third),
    "map": View("/map?q=winter+storm,+trees", "#map .middle li"),
    "phone": View(READER, "#results .card:visible", 390, 844),
    "dark": View(READER, "#results .card:visible", scheme="dark"),
}


def main() -> None:
    """Serve the release and take the pictures."""
    parser = argparse.ArgumentParser(prog="python docs/screens.py")
    parser.add_argument("--home", type=Path, default=Path(".retrievals/demo"))
    settings = Settings.load(
        profile="demo", home=parser.parse_args().home, rerank_deadline=PATIENCE
    )
    SCREENS.mkdir(exist_ok=True)
    with (
        SearchEngine.open(settings=settings) as engine,
        serving(create_app(engine=engine)) as address,
        sync_playwright() as playwright,
    ):
        engine.warm()
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for name, view in VIEWS.items():
            (SCREENS / f"{name}.webp").write_bytes(small(taken(browser, address, view)))


def taken(browser: Browser, address: str, view: View) -> bytes:
    """Return a picture of a view, as PNG, when all that is in sight has come."""
    is_phone = view.width < 600
    context = browser.new_context(
        base_url=address,
        viewport={"width": view.width, "height": view.height},
        color_scheme=view.scheme,
        reduced_motion="reduce",
        device_scale_factor=2 if is_phone else 1,
        is_mobile=is_phone,
        has_touch=is_phone,
    )
    page = context.new_page()
    page.set_default_timeout(1000 * PATIENCE)
    page.goto(view.address)
    if view.act:
        page.get_by_role("status").filter(has_text="works found").wait_for()
        view.act(page)
    page.locator(view.whole).first.wait_for()
    if view.address != "/" and not view.act:
        page.get_by_role("status").filter(has_text="work").wait_for()  # the order will stay
    page.wait_for_function(
        "() => [...document.images].every((each) => each.complete || !each.checkVisibility()"
        " || each.getBoundingClientRect().top > innerHeight)"
    )
    if "/map" in view.address:
        page.get_by_role("link", name="See them as a list").wait_for()
    page.wait_for_timeout(1500)  # what fades in or settles has done so
    picture = page.screenshot()
    context.close()
    return picture


def small(png: bytes) -> bytes:
    """Return a picture as WebP of at most `LIMIT` bytes."""
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    for quality in range(86, 20, -6):
        buffer = io.BytesIO()
        picture.save(buffer, "WEBP", quality=quality, method=6, use_sharp_yuv=True)
        if buffer.tell() <= LIMIT:
            break
    return buffer.getvalue()


if __name__ == "__main__":
    main()
