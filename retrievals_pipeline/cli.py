"""The `retrievals` command: what builds, and serving's commands beside it."""

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import click
from rich.console import Console
from rich.logging import RichHandler
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)

from retrievals_pipeline import project_file
from retrievals_pipeline.miniature.cli import museum
from retrievals_pipeline.museum import MINIATURE
from retrievals_pipeline.progress import Advance, showing
from retrievals_serving.cli import COMMANDS, RetrievalsGroup, serve_api, show_answer
from retrievals_serving.errors import SettingsError
from retrievals_serving.settings import Settings, profile_names

INTERRUPTED = 130  # exit status, as shells have it
MUSEUM_PORT = 8182  # which is in the addresses of the miniature museum's records
DEMO_QUERY = "a lonely boat in stormy seas under a dark moonlit sky"


@click.group(cls=RetrievalsGroup)
@click.version_option(package_name="retrievals")
def main() -> None:
    """Search a museum's open collection by what the pictures show."""


@main.command()
@click.option("--profile", type=click.Choice(profile_names()), help="Profile; default: demo.")
@click.option("--works", type=click.IntRange(min=1), help="Take only the first so many works.")
@click.option("--home", type=click.Path(path_type=Path), help="Folder of all artifacts.")
def build(profile: str | None, works: int | None, home: Path | None) -> None:
    """Build a release and make it current: records, pictures, vectors, index.

    A server that runs already keeps the release it opened. Run the build again after an
    interruption or a change: what is there is not done again.
    """
    _build(_settings(profile=profile, limit=works, home=home))


@main.command()
@click.option("--works", type=click.IntRange(min=1), help="Size of the miniature museum.")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True)
def demo(works: int | None, port: int) -> None:
    """Build the miniature museum, answer a query, and serve it all until Ctrl-C."""
    for name in Settings.model_fields:  # whatever else this shell was set to build
        os.environ.pop(Settings.variable(name), None)
    settings = _settings(profile="demo", home=".retrievals/demo", nga_url=MINIATURE, limit=works)
    click.echo("1. A release of the miniature museum, through Dagster")
    _build(settings)
    click.echo(f'\n2. An answer: retrievals search "{DEMO_QUERY}"')
    show_answer(settings, DEMO_QUERY, top_k=5)
    click.echo(
        "\n3. The API and its page; `make ui` (or `retrievals ui`) opens the Dagster UI beside it"
    )
    with _links_that_lead_somewhere(settings):
        serve_api(settings, "127.0.0.1", port)


@main.command()
@click.option("--port", type=int, default=3000, show_default=True)
def ui(port: int) -> None:
    """Open the Dagster UI, with its daemon, on the instance that `retrievals build` uses."""
    settings = _settings()
    _require_dagster()
    from retrievals_pipeline.build import instance_home

    home = instance_home(settings)
    os.environ["DAGSTER_HOME"] = str(home)
    click.echo(f"Dagster UI on http://127.0.0.1:{port} (instance {home})")
    workspace = str(project_file("workspace.yaml"))
    command = [sys.executable, "-m", "dagster", "dev", "-w", workspace, "-p", str(port)]
    os.execv(sys.executable, command)  # noqa: S606 - a fixed program


def _build(settings: Settings) -> None:
    """Build with progress bars, and say what is served afterwards."""
    _require_dagster()
    from retrievals_pipeline.build import build as build_release

    console = Console(stderr=True)
    # A warning goes above the bars, not through them; the rest is in the Dagster UI.
    above = RichHandler(logging.WARNING, console=console, show_path=False, show_time=False)
    logging.basicConfig(format="%(message)s", handlers=[above])
    try:
        with _progress_bars(console):
            release = build_release()
    except KeyboardInterrupt:
        click.echo("Interrupted. What is complete is kept: run it again to go on.", err=True)
        raise click.exceptions.Exit(INTERRUPTED) from None
    manifest = release.manifest
    click.echo(
        f"Release {release.release_id}: {manifest.works} of {manifest.eligible} works, "
        f"current in {settings.store.root}"
    )


@contextmanager
def _links_that_lead_somewhere(settings: Settings) -> Iterator[None]:
    """Serve the miniature museum where its records say that it is."""
    from retrievals_pipeline.miniature.iiif.server import museum_app
    from retrievals_pipeline.miniature.museum import DEFAULT_WORKS, MiniatureMuseum
    from retrievals_serving.http_server import serving

    with ExitStack() as stack:
        try:
            app = museum_app(MiniatureMuseum(settings.limit or DEFAULT_WORKS))
            stack.enter_context(serving(app, port=MUSEUM_PORT))
        except SettingsError as error:
            click.echo(f"Links to the museum's own pages lead nowhere now: {error}", err=True)
        yield


main.add_command(museum)
for command in COMMANDS:
    main.add_command(command)


def _settings(**overrides: object) -> Settings:
    """Read the settings, and let every process and module of this build read the same ones."""
    for name, value in overrides.items():
        if value is not None:
            os.environ[Settings.variable(name)] = str(value)
    return Settings.load()


def _require_dagster() -> None:
    try:
        import dagster  # noqa: F401
    except ImportError as error:
        raise SettingsError(
            "dagster is not installed; only a build needs it: pip install 'retrievals[pipeline]'"
        ) from error


@contextmanager
def _progress_bars(console: Console) -> Iterator[None]:
    """Show a bar for each stage; on a screen that is none, a line at its end."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description:<12}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as progress:

        @contextmanager
        def bar(stage: str, total: int) -> Iterator[Advance]:
            task = progress.add_task(stage, total=total)
            yield lambda items: progress.advance(task, items)
            progress.stop_task(task)

        with showing(bar):
            yield
