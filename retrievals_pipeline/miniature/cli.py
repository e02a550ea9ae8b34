"""`retrievals museum`: serve the demo museum or a folder of pictures; write the demo's records."""

from pathlib import Path

import click

from retrievals_pipeline.miniature.iiif.pictures import FolderPictures
from retrievals_pipeline.miniature.iiif.server import museum_app
from retrievals_pipeline.miniature.museum import DEFAULT_WORKS, RECORDS, MiniatureMuseum
from retrievals_pipeline.miniature.works import object_id_of
from retrievals_serving.http_server import run

TRUTH = "scenes.parquet"


@click.group()
def museum() -> None:
    """The museum that ships with the project, on loopback."""


@museum.command()
@click.option(
    "--pictures",
    type=click.Path(path_type=Path),
    help="Serve the pictures of this folder (NAME.jpg as /iiif/NAME) in place of the demo museum.",
)
@click.option(
    "--works",
    type=click.IntRange(min=1),
    help=f"Size of the demo museum.  [default: {DEFAULT_WORKS}]",
)
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(0, 65535), default=8182, show_default=True)
def serve(pictures: Path | None, works: int | None, host: str, port: int) -> None:
    """Serve pictures over IIIF, and the demo museum's records and pages, until Ctrl-C."""
    if pictures is not None and works is not None:
        raise click.UsageError(
            "--works is the size of the demo museum: leave it out with --pictures."
        )
    source = (
        FolderPictures(pictures)
        if pictures is not None
        else MiniatureMuseum(works or DEFAULT_WORKS)
    )

    def tell(url: str) -> None:
        click.echo(f"Pictures: {url}/iiif/IDENTIFIER/full/!1024,1024/0/default.jpg")
        click.echo(f"          RETRIEVALS_IIIF_MIRROR={url}/iiif")
        if isinstance(source, MiniatureMuseum):
            click.echo(f"Records:  RETRIEVALS_NGA_URL={url}/opendata")
            click.echo(f"Works:    {url}/artworks/{object_id_of(0)}")

    run(museum_app(source), host, port, tell=tell)


@museum.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--works",
    type=click.IntRange(min=1),
    default=DEFAULT_WORKS,
    show_default=True,
    help="Size of the demo museum.",
)
def records(folder: Path, works: int) -> None:
    """Write the demo museum's CSV files to FOLDER, and what each work shows: scenes.parquet."""
    from retrievals_pipeline.miniature.truth.table import write_truth

    museum = MiniatureMuseum(works)
    museum.write_records(folder)
    write_truth(museum.works, folder, TRUTH)
    for name in (*RECORDS, TRUTH):
        click.echo(folder / name)
