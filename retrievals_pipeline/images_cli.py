"""`retrievals coverage` and `retrievals images`: which pictures there are, and trying again."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from retrievals_pipeline.defs.images.statuses import FAILURES, OK
from retrievals_pipeline.terminal import require_dagster, settings_of, shown_at_work

if TYPE_CHECKING:
    from retrievals_pipeline.defs.images.coverage import Outcome

home = click.option("--home", type=click.Path(path_type=Path), help="Folder of all artifacts.")


@click.command()
@home
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list.")
def coverage(home: Path | None, as_json: bool) -> None:
    """Show which pictures there are, and why the others are not: works by status and detail.

    It reads the records and the ledgers alone, also while a build is at work.
    """
    from retrievals_pipeline.defs.images.coverage import outcomes, rows_of_works

    settings = settings_of(home=home)
    found = outcomes(rows_of_works(settings.store, settings.shards))
    if as_json:
        click.echo(json.dumps([asdict(outcome) for outcome in found], ensure_ascii=False))
    elif found:
        Console().print(_table(found))
    else:
        click.echo(f"No records under {settings.store.root}; `retrievals build` brings them.")


def _table(found: "list[Outcome]") -> Table:
    total = sum(outcome.works for outcome in found)
    table = Table("works", "", "status", "detail", "example", box=None, pad_edge=False)
    for outcome in found:
        table.add_row(
            f"{outcome.works:,}",
            f"{outcome.works / total:.1%}",
            Text(outcome.status, "green" if outcome.status == OK else "red"),
            Text(outcome.detail or FAILURES.get(outcome.status, "")),
            Text.assemble(f"{outcome.example}\n", (outcome.example_url, "dim")),
        )
    for column in table.columns[:2]:
        column.justify = "right"
    table.columns[-1].overflow = "fold"  # an address that is cut leads nowhere
    return table


@click.group()
def images() -> None:
    """The pictures of the works."""


@images.command()
@click.option(
    "--status",
    "--reason",
    "statuses",
    type=click.Choice(list(FAILURES)),
    multiple=True,
    required=True,
    help="A status that `retrievals coverage` shows; may be given several times.",
)
@home
def retry(statuses: tuple[str, ...], home: Path | None) -> None:
    """Try again the works whose picture was not to be had, of one status, and no others.

    The runs are in the history of the Dagster UI, as those of a build.
    """
    settings = settings_of(home=home)
    require_dagster()
    from retrievals_pipeline.images_retry import retry_images

    with shown_at_work():
        retried = retry_images(settings, statuses)
    became, left = retried.became, retried.left
    if not became and not left:
        click.echo(
            f"No work has the status {' or '.join(statuses)}; `retrievals coverage` shows which "
            "there are."
        )
        return
    now = ", ".join(f"{count} {status}" for status, count in became.most_common())
    following = " `retrievals build` makes a release with them." if became[OK] else ""
    click.echo(f"{became.total()} asked{': ' if now else ''}{now}.{following}")
    for because, count in left.items():
        click.echo(f"{count} left: {because.removesuffix('.')}.")


@images.command()
@click.option("--dry-run", is_flag=True, help="Show what would go, and remove nothing.")
@click.option(
    "--superseded",
    is_flag=True,
    help="Remove also the files of other numbers of shards, and the vectors of models that neither "
    "the settings nor a release names.",
)
@home
def prune(home: Path | None, *, dry_run: bool, superseded: bool) -> None:
    """Remove the pictures, ledger rows and vectors that nothing refers to.

    What the records or any release under `releases/` refer to stays, so that old releases can be
    served again. The works that left the collection, and the pictures that were replaced, go; so do
    the half-written files that a kill left.
    """
    settings = settings_of(home=home)
    require_dagster()
    from retrievals_pipeline.images_prune import prune_images, unreferenced

    look = unreferenced if dry_run else prune_images
    found = look(settings, superseded=superseded)
    works = sorted(work_id for ids in found.works.values() for work_id in ids)
    if dry_run:
        for work_id in works:
            click.echo(work_id)
    click.echo(
        f"{'Would remove' if dry_run else 'Removed'} {len(works)} works that left the collection, "
        f"{len(found.files)} pictures and thumbnails ({found.bytes / 1e6:.1f} MB), "
        f"{found.vectors} vectors, {len(found.leftovers)} leftovers "
        f"({found.leftover_bytes / 1e6:.1f} MB)."
    )
