"""`retrievals keys`: makes the keys of the API."""

import click

from retrievals_serving.settings.api import KEY


@click.group()
def keys() -> None:
    """Make keys of the API."""


@keys.command()
@click.argument("name")
def new(name: str) -> None:
    """Make a key for NAME; it is shown once and kept nowhere."""
    from retrievals_serving.api.access import digest_of, make_key

    key = make_key()
    entry = f"{name}:{digest_of(key)}"
    if not KEY.fullmatch(entry):
        raise click.BadParameter(
            f"{name!r} is not 1 to 64 letters, digits, '.', '_' and '-'", param_hint="NAME"
        )
    click.echo(f"The key, for {name} alone: {key}")
    click.echo(f"Add to RETRIEVALS_API_KEYS: {entry}")
