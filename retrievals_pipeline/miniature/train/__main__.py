"""`python -m retrievals_pipeline.miniature.train embedder|reranker`: train a model, and ship it."""

import logging
import os
from pathlib import Path

import click

from retrievals_serving.errors import RetrievalsError
from retrievals_serving.models.checkpoints import SHIPPED

SEED = 0


@click.command()
@click.argument("model", type=click.Choice(["embedder", "reranker"]))
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the checkpoint.  [default: the one that ships]",
)
@click.option("--seed", default=SEED, show_default=True, help="Of weights, paintings and batches.")
def main(model: str, out: Path | None, seed: int) -> None:
    """Train the miniature embedder, or the reranker from the folder `embedder` beside its own."""
    # As torch is loaded: its threads wait for each other thousands of times a second. Those that
    # sleep at once lose a tenth of the time, and those that spin take it from a shared core.
    os.environ.setdefault("GOMP_SPINCOUNT", "3000")
    from retrievals_pipeline.miniature.train.recipe import make_embedder, make_reranker

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    folder = out or SHIPPED / model
    try:
        {"embedder": make_embedder, "reranker": make_reranker}[model](folder, seed)
    except RetrievalsError as error:
        raise click.ClickException(str(error)) from error
    click.echo(folder)


if __name__ == "__main__":
    main()
