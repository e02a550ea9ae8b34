"""The museum that the settings name, and where its tables and pictures are reached."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from retrievals_pipeline.defs.images.fetcher import Fetcher
from retrievals_pipeline.defs.images.run_clock import RunClock
from retrievals_pipeline.defs.records.artworks import ArtworksSummary, build_artworks
from retrievals_pipeline.defs.records.tables import table_versions
from retrievals_pipeline.miniature import MINIATURE
from retrievals_serving.http_client import is_own
from retrievals_serving.settings import Settings


@dataclass(frozen=True)
class Museum:
    """A museum with tables in the NGA's form and pictures over IIIF; a `Source`.

    Attributes:
        settings: How it is asked, and where its records are kept.
        name: First part of its works' ids, as in `nga:46569`.
        location: Folder or URL that holds the CSV files.
        mirror: Replaces host and prefix of its IIIF addresses when pictures are fetched.
        artwork_page: Address of a work's page, with `{}` for the object id.
    """

    settings: Settings
    name: str
    location: str
    mirror: str | None
    artwork_page: str

    @property
    def identity(self) -> str:
        """The museum, wherever its tables are read."""
        return f"the museum {self.name}"

    def versions(self) -> dict[str, str]:
        """Return the version of each CSV file: its ETag, else its hash.

        Raises:
            SourceError: A file cannot be reached; names it.
        """
        return table_versions(self.location, contact=self.settings.contact)

    def write_records(self) -> ArtworksSummary:
        """Write the works that may be shown.

        Raises:
            SourceError: As for `build_artworks`.
        """
        return build_artworks(
            self.location,
            self.settings.store,
            source=self.name,
            page=self.artwork_page,
            box=self.settings.image_box,
            limit=self.settings.limit,
            contact=self.settings.contact,
        )

    def pictures(self) -> Fetcher:
        """Return a fetcher, whose time begins now."""
        return Fetcher(
            clock=RunClock(self.settings.download_seconds),
            is_own=partial(is_own, own_hosts=self.settings.own_host_names),
            contact=self.settings.contact,
        )


@contextmanager
def open_museum(settings: Settings) -> Iterator[Museum]:
    """Reach the museum of `settings`; the miniature one is served on loopback meanwhile."""
    if settings.nga_url != MINIATURE:
        yield Museum(
            settings,
            name="nga",
            location=settings.nga_url,
            mirror=settings.iiif_mirror,
            artwork_page="https://www.nga.gov/artworks/{}",
        )
        return

    from retrievals_pipeline.miniature.iiif.server import museum_app
    from retrievals_pipeline.miniature.museum import DEFAULT_WORKS, MiniatureMuseum
    from retrievals_serving.http_server import serving

    museum = MiniatureMuseum(works=settings.limit or DEFAULT_WORKS)
    with serving(museum_app(museum)) as address:
        yield Museum(
            settings,
            name=MINIATURE,
            location=f"{address}/opendata",
            mirror=settings.iiif_mirror or f"{address}/iiif",
            artwork_page="http://127.0.0.1:8182/artworks/{}",
        )
