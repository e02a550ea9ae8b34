"""`retrievals releases`: what was built, what is served, and choosing it."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from retrievals_serving import promotion
from retrievals_serving.certificate import JUDGED
from retrievals_serving.errors import ReleaseDamaged
from retrievals_serving.release import (
    CURRENT,
    Release,
    current_release_id,
    list_releases,
    read_checks,
)
from retrievals_serving.settings import Settings
from retrievals_serving.store import Store

SHOWN = 10  # works of each kind that a diff names

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group()
def releases() -> None:
    """Look at the releases that were built, and choose the one that is served."""


@releases.command("list")
@as_json
def list_(as_json: bool) -> None:
    """List all releases, the newest build first; a star marks the one that is served."""
    store = Settings.load().store
    rows = [_described(release, _current(store)) for release in list_releases(store)]
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False))
        return
    if not rows:
        click.echo(f"No release under {store.root}; `retrievals build` makes one.")
        return
    table = Table("", "release", "created", "works", "embedder", box=None, pad_edge=False)
    for row in rows:
        mark = "*" if row["current"] else ""
        if damage := row["damage"]:
            table.add_row(mark, row["release"], Text(damage, "red"), "", "")
        else:
            created = f"{datetime.fromisoformat(row['created_at']):%Y-%m-%d %H:%M}"
            table.add_row(mark, row["release"], created, f"{row['works']:,}", Text(row["embedder"]))
    Console().print(table)
    if held := promotion.hold(store):
        click.echo(promotion.notice(held))


@releases.command()
@click.argument("release_id", required=False)
@as_json
def show(release_id: str | None, as_json: bool) -> None:
    """Show what RELEASE_ID is, by default the one that is served, and what its checks found."""
    store = Settings.load().store
    current = _current(store)
    release = Release(store, release_id or current_release_id(store))
    manifest, checks = release.manifest, read_checks(store, release.release_id)
    if as_json:
        shown = {
            "release": release.release_id,
            "current": release.release_id == current,
            "manifest": manifest.model_dump(mode="json"),
            "checks": checks,
        }
        click.echo(json.dumps(shown, ensure_ascii=False))
        return
    embedder, golden = manifest.embedder, manifest.golden
    lowest = manifest.index.certificate.lowest
    missing = "".join(f", {count} {reason}" for reason, count in manifest.missing.items())
    facts = {
        "release": f"{release.release_id}{' (served)' if release.release_id == current else ''}",
        "created": f"{manifest.created_at:%Y-%m-%d %H:%M} UTC",
        "records of": f"{manifest.as_of:%Y-%m-%d %H:%M} UTC",
        "works": f"{manifest.works:,} of {manifest.eligible:,}{missing}",
        "embedder": f"{embedder.checkpoint}, {embedder.dimension} of {embedder.native_dimension}",
        "contracts": f"{embedder.corpus_contract.digest} (pictures), "
        f"{embedder.query_contract.digest} (queries)",
        "index": f"{manifest.index.kind}, which finds at least {lowest:.2%} of the best {JUDGED}",
        "made on": f"{golden.device}, {golden.dtype}",
    }
    facts |= {entry.name: f"{entry.bytes / 1e6:,.1f} MB" for entry in manifest.files}
    table = Table(box=None, pad_edge=False, show_header=False)
    for name, fact in facts.items():
        table.add_row(Text(name, "dim"), Text(fact))
    for check, verdict in checks.items():
        table.add_row(Text(f"check {check}", "dim"), _verdict(verdict))
    Console().print(table)


@releases.command()
@click.argument("release_id", required=False)
@click.option(
    "--pictures",
    is_flag=True,
    help="Read every picture that it shows too: 68,816 of them take minutes.",
)
def verify(release_id: str | None, pictures: bool) -> None:
    """Read every byte of RELEASE_ID, by default the one that is served, against its manifest.

    Each damage is a line; the exit status is 1 where there is any.
    """
    store = Settings.load().store
    release = Release(store, release_id or current_release_id(store))
    problems = release.damage()
    looked_at = f"{len(release.manifest.files)} files"
    if pictures and not problems:
        from retrievals_serving.verification import damaged_pictures

        problems = damaged_pictures(release)
        looked_at += f" and the pictures of {release.manifest.works:,} works"
    for problem in problems:
        click.echo(problem)
    if problems:
        raise click.exceptions.Exit(1)
    click.echo(f"Release {release.release_id} is whole: {looked_at}.")


@releases.command()
@click.argument("release_id")
def promote(release_id: str) -> None:
    """Serve RELEASE_ID from now on, if it is whole and its checks have passed.

    Servers that run switch to it. After a rollback, builds promote again what they make.
    """
    store = Settings.load().store
    promotion.promote(store, release_id)
    click.echo(f"Release {release_id} is current in {store.root}")


@releases.command()
@click.argument("release_id", required=False)
def rollback(release_id: str | None) -> None:
    """Serve the release that was served before, or RELEASE_ID, and stay with it.

    What builds and automation make from then on waits until you promote a release by its id.
    """
    store = Settings.load().store
    release = promotion.rollback(store, release_id)
    click.echo(
        f"Release {release.release_id} is current in {store.root}, and stays so until "
        "`retrievals releases promote`."
    )


@releases.command()
@click.option("--dry-run", is_flag=True, help="Show what would go, and remove nothing.")
def prune(dry_run: bool) -> None:
    """Remove the releases that are no longer needed, with their reports.

    What stays: the release that is served, the two that rollbacks lead back to, the one that was
    sealed last, and each that was served or built during the last day, of which a visitor may
    still ask for a page. A process that has one open keeps its files until it lets go.
    """
    from retrievals_serving import retention

    store = Settings.load().store
    act = retention.retention if dry_run else retention.prune
    found = act(store, datetime.now(UTC))
    table = Table(box=None, pad_edge=False, show_header=False)
    for release_id, reason in found.kept.items():
        table.add_row("kept", release_id, Text(reason, "dim"))
    leftovers = (folder.relative_to(store.root).as_posix() for folder in found.leftovers)
    for name in (*found.removed, *leftovers):
        table.add_row("would go" if dry_run else "removed", name, "")
    Console().print(table)
    click.echo(f"{'Would free' if dry_run else 'Freed'} {found.bytes / 1e6:.1f} MB.")


@releases.command()
@click.argument("before")
@click.argument("after", required=False)
@as_json
def diff(before: str, after: str | None, as_json: bool) -> None:
    """Tell what changed from release BEFORE to AFTER, by default the one that is served.

    Works that came, went, have another vector or another record; and how far the answers to the
    golden texts moved: the share of the first 10 that both have, and rank-biased overlap.
    """
    from retrievals_serving.comparison import compare

    store = Settings.load().store
    after = after or current_release_id(store)
    if before == after:
        raise click.UsageError(f"{before} is both releases: name another one.")
    found = compare(Release(store, before), Release(store, after))
    if as_json:
        click.echo(json.dumps({"before": before, "after": after} | asdict(found)))
        return
    works = Table("", "works", "", box=None, pad_edge=False)
    for what, ids in (
        ("in", found.works_in),
        ("out", found.works_out),
        ("embedded again", found.embedded),
        ("record edited", found.edited),
    ):
        works.add_row(what, f"{len(ids):,}", Text(_first(ids), "dim"))
    churn = Table("overlap@10", "RBO", "query", box=None, pad_edge=False)
    for one in sorted(found.churn, key=lambda churn: churn.rbo):
        churn.add_row(f"{one.overlap:.2f}", f"{one.rbo:.3f}", Text(one.query))
    console = Console()
    console.print(works)
    console.print()
    console.print(churn)


def _current(store: Store) -> str | None:
    return current_release_id(store) if store.exists(CURRENT) else None


def _first(ids: Sequence[str]) -> str:
    return ", ".join(ids[:SHOWN]) + (", …" if len(ids) > SHOWN else "")


def _verdict(verdict: dict[str, Any] | None) -> Text:
    if verdict is None:
        return Text("not run", "yellow")
    if verdict["passed"]:
        return Text("passed", "green")
    return Text(f"failed: {verdict['details']}", "red")


def _described(release: Release, current: str | None) -> dict[str, Any]:
    """Return what the list says of a release, one that cannot be read included."""
    row: dict[str, Any] = {
        "release": release.release_id,
        "current": release.release_id == current,
        "damage": None,
    }
    try:
        manifest = release.manifest
    except ReleaseDamaged as error:
        return row | {"damage": str(error)}
    return row | {
        "created_at": manifest.created_at.isoformat(),
        "works": manifest.works,
        "embedder": manifest.embedder.checkpoint,
    }
