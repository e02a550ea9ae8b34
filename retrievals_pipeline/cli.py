"""The `retrievals` command: what builds, and serving's commands beside it."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from retrievals_serving.cli import COMMANDS, RetrievalsGroup
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)

from retrievals_pipeline.miniature.cli import museum
from retrievals_pipeline.progress import Advance, showing
from retrievals_serving.errors import SettingsError
from retrievals_serving.settings import Settings, profile_names


@click.group(cls=RetrievalsGroup)
@click.version_option(package_name="retrievals")
def main() -> None:
    """Search a museum's open collection by what the pictures show."""


@main.command()
@click.option("--profile", type=click.Choice(profile_names()), help="Profile; default: demo.")
@click.option("--works", type=click.IntRange(min=1), help="Take only the first so many works.")
@click.option("--home", type=click.Path(path_type=Path), help="Folder of all artifacts.")
def build(profile: str | None, works: int | None, home: Path | None) -> None:
    """Build a release and serve it from now on: records, pictures, vectors, index.

    Run it again after an interruption or a change: what is there is not done again.
    """
    settings = _settings(profile=profile, limit=works, home=home)
    _require_dagster()
    from retrievals_pipeline.build import build as build_release

    console = Console(stderr=True)
    with _progress_bars(console):
        release = build_release(settings)
    manifest = release.manifest
    click.echo(
        f"Release {release.release_id}: {manifest.works} of {manifest.eligible} works, "
        f"served from {settings.store.root}"
    )


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
    command = ["dagster", "dev", "-m", "retrievals_pipeline.definitions", "-p", str(port)]
    os.execv(Path(sys.executable).with_name("dagster"), command)  # noqa: S606 - a fixed program


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
