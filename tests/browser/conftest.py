"""A browser, and the small release served to it."""

import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect, sync_playwright

from retrievals_serving import SearchEngine, Settings
from retrievals_serving.api import create_app
from retrievals_serving.models import Input
from retrievals_serving.promotion import promote
from retrievals_serving.store import Store
from tests.browser.axe import missing
from tests.browser.watched import Watched, watched
from tests.serving.small_release import WordEmbedder, make_release

WORKS, WINDOW, PAGE, MORE = 300, 150, 64, 16
SECRET = "a secret of the tests, which no server shares"
DESKTOP: ViewportSize = {"width": 1280, "height": 800}
PHONE: ViewportSize = {"width": 390, "height": 844}


class PictureEmbedder(WordEmbedder):
    """Takes every picture that is searched with for one of a calm boat, and notes its size."""

    def __init__(self) -> None:
        super().__init__()
        self.sizes: list[tuple[int, int]] = []

    def embed_queries(self, queries: Sequence[Input]) -> np.ndarray:
        self.sizes += [
            query.image.size for query in queries if isinstance(query.image, Image.Image)
        ]
        texts = [query.text or "calm boat" for query in queries]
        return self.embed_texts(texts)


@pytest.fixture(scope="session")
def embedder() -> PictureEmbedder:
    return PictureEmbedder()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, without a window.

    One for each file of tests: while Playwright is open, an event loop runs in this thread, beside
    which Dagster cannot run its own in a later test.
    """
    path = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if path is None:
        missing("there is no chromium: install Debian's package, or name one by CHROMIUM")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def browser_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a release of more works than a window; tests only read it."""
    home = tmp_path_factory.mktemp("browser")
    promote(Store(home), make_release(Store(home), works=WORKS).release_id)
    return home


@pytest.fixture(scope="session")
def browser_engine(browser_home: Path, embedder: PictureEmbedder) -> Iterator[SearchEngine]:
    settings = Settings.load(
        home=browser_home,
        window=WINDOW,
        page=PAGE,
        more=MORE,
        reranker="none",
        secret=SECRET,
    )
    with SearchEngine.open(settings=settings, embedder=embedder) as engine:
        yield engine


@pytest.fixture
def site(browser_engine: SearchEngine) -> Iterator[Watched]:
    """The service, with nothing asked of it yet."""
    with watched(create_app(engine=browser_engine)) as served:
        yield served


@pytest.fixture
def context(chromium: Browser, site: Watched) -> Iterator[BrowserContext]:
    """A visitor's browser, who likes things to stand still."""
    opened = chromium.new_context(
        base_url=site.address, viewport=DESKTOP, reduced_motion="reduce", color_scheme="light"
    )
    yield opened
    opened.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A page on which no script may fail and no rule of the server may be broken."""
    opened = context.new_page()
    faults: list[str] = []
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.on(
        "console",
        lambda message: (
            faults.append(message.text) if "Content Security Policy" in message.text else None
        ),
    )
    expect.set_options(timeout=20_000)
    yield opened
    assert faults == []
