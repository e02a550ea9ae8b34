"""Serving's commands of the `retrievals` command: search, serve, releases, keys, bench, doctor."""

import gc
import json
import logging
from pathlib import Path
from typing import Any

import click
import numpy as np
from rich.console import Console
from rich.table import Table
from rich.text import Text

from retrievals_serving import logs
from retrievals_serving.errors import RetrievalsError
from retrievals_serving.http_server import run
from retrievals_serving.key_commands import keys
from retrievals_serving.pages import Page
from retrievals_serving.release_commands import releases
from retrievals_serving.settings import Settings
from retrievals_serving.settings.safety import require_safe


class RetrievalsGroup(click.Group):
    """A group of commands that shows an error of this project, or of a disk, as one line."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except (RetrievalsError, OSError) as error:
            raise click.ClickException(" ".join(str(error).split())) from error


def _json_object(_: click.Context, __: click.Parameter, value: str | None) -> dict[str, Any] | None:
    """Parse the value of an option that is a JSON object."""
    if value is None:
        return None
    try:
        parsed = json.loads(value)
    except ValueError as error:
        raise click.BadParameter(f"{value!r} is not JSON: {error}") from error
    if not isinstance(parsed, dict):
        raise click.BadParameter(f"{value!r} is not a JSON object")
    return parsed


@click.command()
@click.argument("query")
@click.option("--top-k", type=click.IntRange(1, 100), help="How many results; default: one page.")
@click.option("--filters", callback=_json_object, help="""As '{"classification": "Painting"}'.""")
@click.option("--home", type=click.Path(path_type=Path), help="Folder of all artifacts.")
@click.option("--release", help="Id of a release; default: the one that is served.")
@click.option("--no-rerank", is_flag=True, help="Keep the order of the vector search.")
@click.option("--json", "as_json", is_flag=True, help="Print the answer as the HTTP API gives it.")
def search(
    query: str,
    top_k: int | None,
    filters: dict[str, Any] | None,
    home: Path | None,
    release: str | None,
    no_rerank: bool,
    as_json: bool,
) -> None:
    """Find the works that show QUERY."""
    show_answer(
        Settings.load(home=home, reranker="none" if no_rerank else None),
        query,
        top_k=top_k,
        filters=filters,
        release=release,
        as_json=as_json,
    )


def show_answer(
    settings: Settings,
    query: str,
    *,
    top_k: int | None = None,
    filters: dict[str, Any] | None = None,
    release: str | None = None,
    as_json: bool = False,
) -> None:
    """Search a release and print the answer, as a table or as the HTTP API gives it."""
    from retrievals_serving.engine import SearchEngine

    # Nobody follows the cursor of an answer that is read in a terminal.
    logging.getLogger("retrievals_serving.cursors").setLevel(logging.ERROR)
    with SearchEngine.open(settings=settings, release=release) as engine:
        engine.warm()
        page = engine.search(query, top_k=top_k, filters=filters)
    if as_json:
        click.echo(json.dumps(page.to_dict(), ensure_ascii=False))
        return
    console = Console()
    console.print(_table(page))
    console.print(
        f"{page.total} of {page.window} results from release {page.release} "
        f"in {page.latency_ms:.0f} ms{_shortfall(page)}{_fit(page)}",
        style="dim",
        highlight=False,
    )


def _table(page: Page) -> Table:
    """Return the results; where some were reranked, also of what their scores are made."""
    is_reranked = any(result.rerank_score is not None for result in page.results)
    parts = ("vector", "reranker") if is_reranked else ()
    table = Table("", "score", *parts, "work", box=None, pad_edge=False)
    for result in page.results:
        scores = [result.score, result.vector_score, result.rerank_score][: 1 + len(parts)]
        work = Text.assemble(
            (result.title, "bold"),
            f"  {result.id}\n{result.artist}, {result.date}\n",
            (result.artwork_url, "dim"),
        )
        cells = ["–" if score is None else f"{score:.3f}" for score in scores]
        table.add_row(str(result.rank), *cells, work)
    return table


def _fit(page: Page) -> str:
    """Say so if what was found is hardly what was asked for."""
    if page.relevance != "nothing":
        return ""
    return "; nothing fits better than chance: say it in other words"


def _shortfall(page: Page) -> str:
    """Say how many of the candidates were reranked if not all were, and why."""
    if page.rerank_coverage is None or not page.degraded:
        return ""
    return f"; {page.rerank_coverage:.0%} reranked ({', '.join(page.degraded)})"


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True)
def serve(host: str, port: int) -> None:
    """Serve the HTTP API and its page until Ctrl-C."""
    serve_api(Settings.load(), host, port)


def serve_api(settings: Settings, host: str, port: int) -> None:
    """Serve the HTTP API in the foreground, logging to standard error.

    Raises:
        SettingsError: A setting is unsafe, or the address cannot be listened on.
    """
    from retrievals_serving.api import create_app

    logs.configure()
    require_safe(settings, host=host)
    run(
        create_app(settings, on_ready=_leave_to_stay),
        host,
        port,
        tell=lambda url: click.echo(f"Retrievals on {url} (Ctrl-C ends it)"),
    )


def _leave_to_stay() -> None:
    """Let the garbage collector pass over what is loaded by now.

    It stops all threads while it looks at every object, most of which stay as long as the process.
    """
    gc.unfreeze()  # what was loaded before may have been let go
    gc.collect()
    gc.freeze()


@click.command()
@click.option("--url", default="http://127.0.0.1:8000", show_default=True, help="Of the API.")
@click.option("--requests", type=click.IntRange(min=1), default=500, show_default=True)
@click.option("--at-once", type=click.IntRange(1, 1000), default=4, show_default=True)
@click.option("--similar", is_flag=True, help="Ask for works like works, which needs no model.")
@click.option("--no-rerank", is_flag=True, help="Keep the order of the vector search.")
@click.option("--home", type=click.Path(path_type=Path), help="Folder of what the API serves.")
def bench(
    url: str, requests: int, at_once: int, similar: bool, no_rerank: bool, home: Path | None
) -> None:
    """Send searches to a running API, and say how long its answers take.

    The queries are titles of works that it serves, in an order of their own. Where the server has
    keys, RETRIEVALS_BENCH_KEY is the one to ask with. What is over the server's
    RETRIEVALS_RATE_LIMIT fails.
    """
    from retrievals_serving.load import TARGETS, drive, likes, searches
    from retrievals_serving.questions import MAX_QUERY
    from retrievals_serving.records import Records
    from retrievals_serving.release import RECORDS, open_release

    settings = Settings.load(home=home)
    records = Records(open_release(settings.store).path(RECORDS))
    works = records.at(np.random.default_rng(0).integers(records.count, size=requests))
    asked = (
        likes([work["id"] for work in works])
        if similar
        else searches([work["title"][:MAX_QUERY] for work in works], rerank=not no_rerank)
    )
    load = drive(url, list(asked), at_once=at_once, key=settings.bench_key)
    figures = ", ".join(f"{name} {value:.1f}" for name, value in load.figures().items())
    answered = len(load.milliseconds)
    click.echo(f"{answered} answers, {answered / load.seconds:.1f} a second, {at_once} at once")
    click.echo(f"ms: {figures}")
    for why, count in load.failed.items():
        click.echo(f"{count} failed: {why}")
    targets = ", ".join(f"p{each} under {target:g} ms" for each, target in TARGETS.items())
    click.echo(f"Targets ({targets}): {'; '.join(load.missed()) or 'met'}.")


@click.command()
def doctor() -> None:
    """Look at everything that a build or a server needs, and say how to mend what is wrong."""
    from retrievals_serving.doctor import examine

    findings = examine()
    table = Table("", "check", "finding", box=None, pad_edge=False)
    styles = {"ok": "green", "warning": "yellow", "failed": "red"}
    for finding in findings:
        remedy = f"\n{finding.remedy}" if finding.remedy else ""
        table.add_row(
            Text(finding.status, styles[finding.status]),
            finding.check,
            Text.assemble(finding.detail, (remedy, "italic")),
        )
    Console().print(table)
    if any(finding.status == "failed" for finding in findings):
        raise click.exceptions.Exit(1)


COMMANDS = (search, serve, releases, keys, bench, doctor)
