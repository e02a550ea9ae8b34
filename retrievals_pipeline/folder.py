"""A folder of pictures as a source: its files are the works, `metadata.csv` says what they are."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from retrievals_pipeline.defs.images.folder_pictures import Files
from retrievals_pipeline.defs.records.artworks import ArtworksSummary
from retrievals_pipeline.defs.records.folder_artworks import build_folder_artworks
from retrievals_pipeline.defs.records.folder_listing import folder_versions
from retrievals_pipeline.defs.records.paths import FOLDER
from retrievals_serving.settings import Settings


@dataclass(frozen=True)
class Folder:
    """The pictures below `root`; a `Source`.

    Attributes:
        settings: How large pictures are kept, and where its records are.
        root: The folder, as an absolute path.
    """

    settings: Settings
    root: Path
    name = FOLDER
    mirror = None

    @property
    def location(self) -> str:
        """The folder's path."""
        return str(self.root)

    @property
    def identity(self) -> str:
        """The folder at its path: another has other works, even of the same names."""
        return f"the folder {self.root}"

    def versions(self) -> dict[str, str]:
        """Return hashes of the files' names, sizes and times, and of `metadata.csv`.

        Raises:
            SourceError: The folder cannot be read.
        """
        return folder_versions(self.root, leave_out=self.settings.store.root)

    def write_records(self) -> ArtworksSummary:
        """Write a work for each picture.

        Raises:
            SourceError: As for `build_folder_artworks`.
        """
        return build_folder_artworks(
            self.root,
            self.settings.store,
            source=self.name,
            box=self.settings.image_box,
            limit=self.settings.limit,
        )

    @contextmanager
    def pictures(self) -> Iterator[Files]:
        """Yield what reads its files."""
        yield Files(self.root, box=self.settings.image_box)
