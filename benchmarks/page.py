"""The page in a browser: how soon an answer is painted, what jumps or stalls, and its weight.

python -m benchmarks.page
python -m benchmarks.page --map 1000000

Searched is the release of `.retrievals/demo`, of the miniature museum; it is built where it is not
there. The map is that of a simulated release. Needs Chromium, which `PATH` or `CHROMIUM` names.
"""

import gzip
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks import options
from benchmarks.collection import build
from benchmarks.machine import machine, spread
from retrievals_pipeline.simulation.release import simulate_release
from retrievals_serving import SearchEngine
from retrievals_serving.api import create_app
from retrievals_serving.api.web import WEB
from retrievals_serving.http_server import serving
from retrievals_serving.settings import Settings

DEFAULTS = {"works": 1200, "map": 68_816}
HOME = Path(".retrievals/demo")
SCREEN = {"width": 1440, "height": 900}
DIMENSION = 64  # of the simulated release, whose vectors are not asked for
QUERIES = (
    "a lonely boat in stormy seas",
    "old man reading by candlelight",
    "winter storm, trees",
    "melancholy figure in candlelight",
    "blue and gold, Byzantine, devotional",
)
STEPS = 60  # of the pointer or the wheel, a frame each

# Notes when the first answer to a search is in the page's hands and when its works are painted;
# every shift of the layout; every task over 50 ms; every frame.
OBSERVE = """
window.seen = { answered: 0, painted: 0, shifts: 0, tasks: [] };
const note = (value) => { if (!seen.answered) seen.answered = performance.now(); return value; };
for (const [kind, name] of [[Response, 'json'], [ReadableStreamDefaultReader, 'read']]) {
    const original = kind.prototype[name];
    kind.prototype[name] = function (...given) {
        const promise = original.apply(this, given);
        return window.isSearching ? promise.then(note) : promise;
    };
}
new PerformanceObserver((list) => list.getEntries().forEach((entry) => {
    if (!entry.hadRecentInput) seen.shifts += entry.value;
})).observe({ type: 'layout-shift', buffered: true });
new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) seen.tasks.push(duration);
}).observe({ type: 'longtask', buffered: true });
window.expectAnswer = () => {
    window.isSearching = true;
    seen.answered = seen.painted = 0;
    const watcher = new MutationObserver(() => {
        if (!seen.answered || !document.querySelector('#results .card')) return;
        watcher.disconnect();
        window.isSearching = false;
        requestAnimationFrame(() => setTimeout(() => {
            seen.painted = performance.now() - seen.answered;
        }));
    });
    watcher.observe(document.getElementById('results'), { childList: true, subtree: true });
};
window.frames = (steps, act) => new Promise((done) => {
    const times = [];
    let last = performance.now();
    const step = (now) => {
        times.push(now - last);
        last = now;
        if (times.length > steps) return done(times.slice(1));
        act(times.length);
        requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
});
"""
SCROLL = "frames(%d, () => scrollBy(0, 60))" % STEPS  # noqa: UP031
POINT = (
    """frames(%d, (step) => dots.dispatchEvent(new PointerEvent('pointermove', {
    clientX: 300 + 12 * step, clientY: 450 + 150 * Math.sin(step / 6) })))"""  # noqa: UP031
    % STEPS
)
ZOOM = (
    """frames(%d, (step) => dots.dispatchEvent(new WheelEvent('wheel', {
    clientX: 700, clientY: 450, deltaY: step < 30 ? -120 : 120, cancelable: true })))"""  # noqa: UP031
    % STEPS
)


def report(arguments: Sequence[str] = ()) -> str:
    """Measure, and return a section in Markdown."""
    chosen, command_line = options.numbers("python -m benchmarks.page", DEFAULTS, arguments)
    settings = build(chosen.works, HOME)
    with chromium() as browser:
        version = browser.version
        searched = searching(browser, settings.model_copy(update={"page": 64}))
        mapped = moving(browser, chosen.map)
    sizes = weights()
    head = (
        f"{machine('playwright')} Chromium {version}, {SCREEN['width']} × {SCREEN['height']}, "
        f"without a GPU. `{command_line}`.\n"
    )
    said = (
        "Min / median / max. The time to paint is from when the page has the first answer to a "
        "search, to the end of the frame that shows its works; goal under 100 ms. A long task is "
        "one over 50 ms. Weighed are the HTML, CSS, JavaScript and fonts of all views together.\n"
    )
    figures = {
        f"first works painted, of {len(QUERIES)} searches, ms": spread(searched["painted"], 0),
        "layout shift from the first view to the last work": f"{searched['shifts'][0]:.4f}",
        "a frame while all works are scrolled through, ms": spread(searched["frames"], 0),
        "long tasks meanwhile, ms": told(searched["tasks"]),
        "a frame while the map is pointed at, ms": spread(mapped["pointed at"], 0),
        "a frame while it is zoomed, ms": spread(mapped["zoomed"], 0),
        "long tasks on the map, ms": told(mapped["tasks"]),
        **{f"weight {name}, kB": f"{size / 1000:.1f}" for name, size in sizes.items()},
    }
    rows = [f"| {name} | {value} |" for name, value in figures.items()]
    return "\n".join(["## The page in a browser\n", head, said, "| | |", "|---|---|", *rows, ""])


@contextmanager
def chromium() -> Iterator[Browser]:
    """Open a browser without a window."""
    path = os.environ.get("CHROMIUM") or shutil.which("chromium")
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])


@contextmanager
def opened(browser: Browser, settings: Settings) -> Iterator[Page]:
    """Serve what `settings` name, and open a page of it that is observed."""
    with (
        SearchEngine.open(settings=settings) as engine,
        serving(create_app(engine=engine)) as address,
    ):
        context = browser.new_context(base_url=address, viewport=SCREEN, bypass_csp=True)
        page = context.new_page()
        page.set_default_timeout(300_000)
        page.add_init_script(OBSERVE)
        yield page
        context.close()


def searching(browser: Browser, settings: Settings) -> Mapping[str, list[float]]:
    """Search, and scroll the last answer to its end."""
    with opened(browser, settings) as page:
        page.goto("/")
        page.locator("#home .card img.loaded").first.wait_for()
        painted = []
        for query in QUERIES:
            page.evaluate("expectAnswer()")
            page.get_by_role("searchbox").fill(query)
            page.keyboard.press("Enter")
            painted.append(page.wait_for_function("seen.painted").json_value())
            page.wait_for_function("!document.querySelector('#results[aria-busy]')")
        page.evaluate("seen.tasks.length = 0")
        frames: list[float] = []
        while not page.get_by_text("These are the works that come nearest").count():
            frames += page.evaluate(SCROLL)
        tasks, shifts = page.evaluate("[seen.tasks, seen.shifts]")
    return {"painted": painted, "frames": frames, "tasks": tasks, "shifts": [shifts]}


def moving(browser: Browser, works: int) -> Mapping[str, list[float]]:
    """Move over a map of `works` works, and zoom in and out."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings.load(home=folder, dimension=DIMENSION, reranker="none", index="flat")
        simulate_release(settings, works)
        with opened(browser, settings) as page:
            page.goto("/map")
            page.locator("#map .middle li").first.wait_for()
            page.evaluate("seen.tasks.length = 0")
            pointed, zoomed = page.evaluate(POINT), page.evaluate(ZOOM)
            tasks = page.evaluate("seen.tasks")
    return {"pointed at": pointed, "zoomed": zoomed, "tasks": tasks}


def weights() -> Mapping[str, int]:
    """Return the bytes of the page's files, as they are and as they are sent."""
    files = [path for path in WEB.rglob("*") if path.suffix in {".html", ".css", ".js", ".woff2"}]
    contents = [path.read_bytes() for path in files]
    sent = [
        content if path.suffix == ".woff2" else gzip.compress(content)
        for path, content in zip(files, contents, strict=True)
    ]
    return {"as sent": sum(map(len, sent)), "unpacked": sum(map(len, contents))}


def told(tasks: Sequence[float]) -> str:
    """Say how many long tasks there were, and how long the longest."""
    return f"{len(tasks)}, the longest {max(tasks):.0f}" if tasks else "none"


if __name__ == "__main__":
    print(report(sys.argv[1:]))
