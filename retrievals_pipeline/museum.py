"""The museum that the settings name, and where its tables and pictures are reached."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from retrievals_serving.settings import Settings

MINIATURE = "miniature"


@dataclass(frozen=True)
class Museum:
    """Where a museum's records and pictures come from.

    Attributes:
        source: First part of its works' ids, as in `nga:46569`.
        tables: Folder or URL that holds the CSV files.
        iiif_mirror: Replaces host and prefix of its IIIF addresses when pictures are fetched.
        artwork_page: Address of a work's page, with `{}` for the object id.
    """

    source: str
    tables: str
    iiif_mirror: str | None
    artwork_page: str


@contextmanager
def open_museum(settings: Settings) -> Iterator[Museum]:
    """Reach the museum of `settings`; the miniature one is served on loopback meanwhile."""
    if settings.nga_url != MINIATURE:
        yield Museum(
            source="nga",
            tables=settings.nga_url,
            iiif_mirror=settings.iiif_mirror,
            artwork_page="https://www.nga.gov/artworks/{}",
        )
        return

    from retrievals_pipeline.miniature.iiif.server import museum_app
    from retrievals_pipeline.miniature.museum import DEFAULT_WORKS, MiniatureMuseum
    from retrievals_serving.http_server import serving

    museum = MiniatureMuseum(works=settings.limit or DEFAULT_WORKS)
    with serving(museum_app(museum)) as address:
        yield Museum(
            source=MINIATURE,
            tables=f"{address}/opendata",
            iiif_mirror=settings.iiif_mirror or f"{address}/iiif",
            artwork_page="http://127.0.0.1:8182/artworks/{}",
        )
