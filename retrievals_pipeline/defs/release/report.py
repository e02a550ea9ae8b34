"""`reports/<release_id>/report.html`: all that is known of a release, on one page.

The page is one file and asks for no other: pictures and plots are in it. What it says follows from
the sealed release and the verdicts of its checks alone, so that it is the same whenever it is made.
"""

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import duckdb

from retrievals_pipeline.defs.contact_sheet import read_tile
from retrievals_pipeline.defs.inline import WEBP, data_uri, small_webp
from retrievals_pipeline.defs.map_picture import draw_map
from retrievals_serving.collection_map import CollectionMap, read_map
from retrievals_serving.probes import probe
from retrievals_serving.release import MAP, METADATA, Release, read_checks
from retrievals_serving.store import thumbnail_name

TEMPLATE = "report.html.jinja"  # beside this file
MAP_SIDE = 960  # px
MAP_BYTES = 250_000
TILE_BYTES = 4_096  # a dozen queries with ten works each make half a megabyte


def write_report(release: Release) -> Path:
    """Write the page of `release`, whose checks have been run, and return its path."""
    name = f"reports/{release.release_id}/report.html"
    release.store.write_bytes(name, render(release).encode())
    return release.store.path(name)


def render(release: Release) -> str:
    """Return the page of `release` as HTML."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,  # records come from elsewhere
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    placed = read_map(release.path(MAP))
    return environment.get_template(TEMPLATE).render(
        manifest=release.manifest,
        checks=read_checks(release.store, release.release_id),
        map_picture=_map_picture(release, placed),
        map_figures=placed.figures,
        probes=probe(release),
        thumbnail=_thumbnails(release),
    )


def _map_picture(release: Release, placed: CollectionMap) -> str:
    with duckdb.connect(str(release.path(METADATA)), read_only=True) as connection:
        colors = connection.execute("select color from artworks order by row").fetchall()
    drawn = draw_map(placed.places, [color for (color,) in colors], side=MAP_SIDE)
    return data_uri(small_webp(drawn, MAP_BYTES), WEBP)


def _thumbnails(release: Release) -> Callable[[Mapping[str, Any]], str | None]:
    """Return what gives the small picture of a record; None for one that cannot be read."""

    @cache
    def address(sha256: str) -> str | None:
        tile = read_tile(release.store.path(thumbnail_name(sha256)))
        return None if tile is None else data_uri(small_webp(tile, TILE_BYTES), WEBP)

    return lambda record: address(record["thumbnail_url"].rpartition("/")[2])
