"""What the commands that work on a home share: its settings, and how their work is shown."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager

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

from retrievals_pipeline.progress import Advance, showing
from retrievals_serving.errors import SettingsError
from retrievals_serving.settings import Settings

INTERRUPTED = 130  # exit status, as shells have it


def settings_of(**overrides: object) -> Settings:
    """Read the settings, and let every process and module of this command read the same ones."""
    for name, value in overrides.items():
        if value is not None:
            os.environ[Settings.variable(name)] = str(value)
    return Settings.load()


def require_dagster() -> None:
    """Refuse to go on without what only a build needs.

    Raises:
        SettingsError: It is not installed.
    """
    try:
        import dagster  # noqa: F401
    except ImportError as error:
        raise SettingsError(
            "dagster is not installed; only a build needs it: pip install 'retrievals[pipeline]'"
        ) from error


@contextmanager
def shown_at_work() -> Iterator[None]:
    """Show the stages that run inside with progress bars, and Ctrl-C as a line."""
    console = Console(stderr=True)
    # A warning goes above the bars, not through them; the rest is in the Dagster UI.
    above = RichHandler(logging.WARNING, console=console, show_path=False, show_time=False)
    logging.basicConfig(format="%(message)s", handlers=[above])
    try:
        with _progress_bars(console):
            yield
    except KeyboardInterrupt:
        click.echo("Interrupted. What is complete is kept: run it again to go on.", err=True)
        raise click.exceptions.Exit(INTERRUPTED) from None


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
