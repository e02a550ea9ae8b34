"""Make the README's pictures anew, of the miniature museum: `python docs/pictures.py`.

docs/terminal.svg   what `make demo` prints
docs/graph.png      the assets in the Dagster UI, after a build

Needs Chromium (Debian's package `chromium`), which `PATH` or `CHROMIUM` names.
"""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright
from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.terminal_theme import DIMMED_MONOKAI
from rich.text import Text

DOCS = Path(__file__).absolute().parent
RETRIEVALS = Path(sys.executable).with_name("retrievals")
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium")
READY = "(Ctrl-C ends it)"
COLUMNS = 96
GRAPH = {"x": 390, "y": 165, "width": 1320, "height": 660}  # where the UI draws it, px


def main() -> None:
    """Run the demo in a folder of its own and take the pictures."""
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        environment = os.environ | {"COLUMNS": str(COLUMNS)}
        with running(["demo", "--port", "8000"], environment, until=READY) as lines:
            save_terminal(["$ make demo\n", *lines])
        serving = "Serving dagster-webserver"
        with running(["ui", "--port", "3000"], environment, until=serving), browser() as page:
            take_graph(page)


@contextmanager
def running(arguments: list[str], environment: dict[str, str], until: str) -> Iterator[list[str]]:
    """Run a `retrievals` command while the block runs; yield what it printed up to `until`."""
    colours = {"FORCE_COLOR": "1", "TTY_INTERACTIVE": "0", "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        [RETRIEVALS, *arguments],
        env=environment | colours,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    try:
        lines = []
        for line in process.stdout:
            lines.append(line)
            if until in line:
                break
        yield lines
    finally:
        os.killpg(process.pid, signal.SIGINT)
        process.communicate(timeout=60)


def save_terminal(lines: list[str]) -> None:
    """Write `docs/terminal.svg`, with the folder of artifacts named as it is by default."""
    text = re.sub(r"current in \S+", "current in .retrievals/demo", "".join(lines))
    console = Console(record=True, width=COLUMNS, file=open(os.devnull, "w"))  # noqa: SIM115, PTH123
    console.print(Text.from_ansi(text))
    svg = re.sub(r"@font-face \{\{.*?\}\}", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
    console.save_svg(
        str(DOCS / "terminal.svg"), title="retrievals", theme=DIMMED_MONOKAI, code_format=svg
    )


@contextmanager
def browser() -> Iterator[Page]:
    """Open a page in a headless Chromium."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium.new_page(viewport={"width": 1900, "height": 960})
        chromium.close()


def take_graph(page: Page) -> None:
    """Write `docs/graph.png`: every group of the graph unfolded, without the UI around it."""
    page.goto("http://127.0.0.1:3000/asset-groups")
    page.get_by_text("release", exact=True).last.wait_for()
    page.mouse.click(1200, 700, button="right")
    page.get_by_text("Expand all groups").last.click()
    page.get_by_text("Hide navigation").click()
    page.get_by_text("search_release").last.wait_for()
    page.wait_for_timeout(5000)  # the graph moves into place
    page.screenshot(path=DOCS / "graph.png", clip=GRAPH)


if __name__ == "__main__":
    main()
