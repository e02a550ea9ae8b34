"""Where a collection comes from: the one interface between a museum, or a folder, and the stages.

    Source      what the assets ask: which version, the records, and how a picture is had
    Pictures    how the picture of a work is had: over a network, or from a disk

To search another museum, write a class with the members of `Source` and open it in `open_source`.
"""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Protocol

from retrievals_pipeline.defs.images.transport import Answer
from retrievals_pipeline.defs.records.artworks import ArtworksSummary
from retrievals_pipeline.defs.records.paths import SOURCE
from retrievals_pipeline.folder import Folder
from retrievals_pipeline.museum import open_museum
from retrievals_serving.errors import SettingsError, SourceError
from retrievals_serving.settings import Settings


class Pictures(Protocol):
    """Gives the pictures of the works of one run; asked by several threads at once."""

    @property
    def ended(self) -> SourceError | None:
        """Why no more pictures are to be had in this run; None while there are."""
        ...

    def fetch(
        self, url: str, held: Mapping[str, str] | None = None, *, failed_before: bool = False
    ) -> Answer:
        """Return the picture at `url`, or why it is not to be had.

        Args:
            url: Address of the picture, as the records give it or at the source's mirror.
            held: Validators of the picture that is there, as HTTP has them: `If-None-Match` with
                the header `etag` of an earlier answer. The answer may then be `unchanged`.
            failed_before: It is no news if it fails.

        Returns:
            With the status `ok` its bytes, a JPEG, and the headers `content-type` and `etag`; else
            a status of the ledger.
        """
        ...

    def ending_with_errors(self) -> AbstractContextManager[None]:
        """Let no thread wait on when an error, or Ctrl-C, leaves the context."""
        ...


class Source(Protocol):
    """Where the records and pictures of one collection come from."""

    @property
    def name(self) -> str:
        """First part of its works' ids, as in `nga:46569`."""
        ...

    @property
    def location(self) -> str:
        """Where its records are, for people."""
        ...

    @property
    def identity(self) -> str:
        """What it is, in words, as a home remembers from which source it was built."""
        ...

    @property
    def mirror(self) -> str | None:
        """What replaces the host and prefix of its pictures' IIIF addresses, if anything does."""
        ...

    def versions(self) -> dict[str, str]:
        """Return the version of each part of what it publishes: another word when it changed.

        Raises:
            SourceError: It cannot be reached.
        """
        ...

    def write_records(self) -> ArtworksSummary:
        """Put `records/artworks.parquet`, a row a work, in place of the last one.

        Its columns are those that `records/artworks.sql` gives. `image_modified` changes whenever
        the picture may have, `record_sha256` whenever what is shown of the record did.

        Raises:
            SourceError: The records cannot be used; the last good table stays.
        """
        ...

    def pictures(self) -> AbstractContextManager[Pictures]:
        """Open the way to its pictures for one run."""
        ...


@contextmanager
def open_source(settings: Settings) -> Iterator[Source]:
    """Reach the source of `settings`: the folder `pictures` if it is set, else the museum.

    Raises:
        SettingsError: The home was built from another one.
    """
    opened: AbstractContextManager[Source]
    if settings.pictures is not None:
        opened = nullcontext(Folder(settings, settings.pictures.expanduser().absolute()))
    else:
        opened = open_museum(settings)
    with opened as source:
        require_same(source.identity, settings)
        yield source


def remember(identity: str, settings: Settings) -> None:
    """Note in the home that its records are those of the source that `identity` names in words."""
    if not settings.store.exists(SOURCE):
        settings.store.write_bytes(SOURCE, identity.encode())


def require_same(identity: str, settings: Settings) -> None:
    """Refuse a home of which the records are those of another source than `identity` names.

    Raises:
        SettingsError: They are.
    """
    store = settings.store
    built_from = store.read_bytes(SOURCE).decode() if store.exists(SOURCE) else identity
    if built_from != identity:
        raise SettingsError(
            f"{store.root} was built from {built_from}, not from {identity}. Set "
            "RETRIEVALS_HOME to another folder, or RETRIEVALS_PICTURES and RETRIEVALS_NGA_URL as "
            f"they were. If the collection only moved, remove {store.path(SOURCE)}."
        )
