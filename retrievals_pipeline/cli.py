"""The `retrievals` command: what builds, and serving's commands beside it."""

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import click

from retrievals_pipeline import project_file
from retrievals_pipeline.images_cli import coverage, images
from retrievals_pipeline.miniature import MINIATURE
from retrievals_pipeline.miniature.cli import museum
from retrievals_pipeline.terminal import require_dagster, settings_of, shown_at_work
from retrievals_serving.cli import COMMANDS, RetrievalsGroup, serve_api, show_answer
from retrievals_serving.errors import SettingsError
from retrievals_serving.promotion import hold, notice
from retrievals_serving.settings import Settings, profile_names

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
@click.option(
    "--pictures",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Search the pictures of this folder in place of a museum's.",
)
@click.option(
    "--revalidate",
    is_flag=True,
    help="Ask the museum also for the pictures that are there, whether they are the same.",
)
@click.option("--force", is_flag=True, help="Make a release even if nothing changed.")
def build(
    profile: str | None,
    works: int | None,
    home: Path | None,
    pictures: Path | None,
    revalidate: bool,
    force: bool,
) -> None:
    """Build a release and make it current: records, pictures, vectors, index.

    Servers that run switch to it. Run the build again after an interruption or a change: what is
    there is not done again.
    """
    settings = settings_of(profile=profile, limit=works, home=home, pictures=pictures)
    _build(settings, revalidate=revalidate, force=force)


@main.command()
@click.option("--works", type=click.IntRange(min=1), help="Size of the miniature museum.")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True)
def demo(works: int | None, port: int) -> None:
    """Build the miniature museum, answer a query, and serve it all until Ctrl-C."""
    for name in Settings.model_fields:  # whatever else this shell was set to build
        os.environ.pop(Settings.variable(name), None)
    settings = settings_of(profile="demo", home=".retrievals/demo", nga_url=MINIATURE, limit=works)
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
@click.option("--vectors", type=click.IntRange(min=1), default=1_000_000, show_default=True)
@click.option("--dimension", type=click.IntRange(min=1), default=1024, show_default=True)
@click.option(
    "--home", type=click.Path(path_type=Path), default=".retrievals/simulated", show_default=True
)
def simulate(vectors: int, dimension: int, home: Path) -> None:
    """Make a release of simulated works, to see how long a search of so many takes.

    It has records and vectors, and no pictures and no model: `retrievals bench --similar` measures
    a server of it.
    """
    from retrievals_pipeline.simulation.release import simulate_release

    settings = settings_of(home=home, dimension=dimension)
    with shown_at_work():
        release = simulate_release(settings, vectors)
    click.echo(f"Release {release.release_id}: {vectors} works, current in {home}")


@main.command()
@click.option("--port", type=int, default=3000, show_default=True)
def ui(port: int) -> None:
    """Open the Dagster UI, with its daemon, on the instance that `retrievals build` uses."""
    settings = settings_of()
    require_dagster()
    from retrievals_pipeline.build import instance_home

    home = instance_home(settings)
    os.environ["DAGSTER_HOME"] = str(home)
    click.echo(f"Dagster UI on http://127.0.0.1:{port} (instance {home})")
    workspace = str(project_file("workspace.yaml"))
    command = [sys.executable, "-m", "dagster", "dev", "-w", workspace, "-p", str(port)]
    os.execv(sys.executable, command)  # noqa: S606 - a fixed program


def _build(settings: Settings, *, revalidate: bool = False, force: bool = False) -> None:
    """Build with progress bars, and say what is served afterwards."""
    require_dagster()
    from retrievals_pipeline.build import build as build_release

    with shown_at_work():
        release = build_release(revalidate=revalidate, force=force)
    manifest = release.manifest
    click.echo(
        f"Release {release.release_id}: {manifest.works} of {manifest.eligible} works, "
        f"current in {settings.store.root}"
    )
    if held := hold(settings.store):
        click.echo(notice(held))
    if manifest.missing:
        missing = ", ".join(f"{count} {reason}" for reason, count in manifest.missing.items())
        click.echo(f"Missing: {missing}.")


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


for command in (coverage, images, museum, *COMMANDS):
    main.add_command(command)
