"""The miniature museum: records in the NGA's form, and a picture for each image they name."""

import hashlib
from datetime import datetime
from functools import cache
from pathlib import Path

from PIL import Image

from retrievals_pipeline.miniature.catalogue import (
    HEADERS,
    as_csv,
    image_rows,
    modified_at,
    object_rows,
    term_rows,
)
from retrievals_pipeline.miniature.works import View, Work, views_at, works_at
from retrievals_serving.errors import SettingsError, SourceError
from retrievals_serving.store import Store

DEFAULT_WORKS = 1200
RECORDS = tuple(HEADERS)


class MiniatureMuseum:
    """A museum of exactly `works` eligible works; all of it follows from `seed`.

    It is a `PictureSource`: the identifiers are the uuids of its published images. A work and its
    picture are the same however many works there are.

    Raises:
        SettingsError: `works` is less than one.
    """

    def __init__(self, works: int = DEFAULT_WORKS, seed: int = 0) -> None:
        if works < 1:
            raise SettingsError(f"works: a museum of {works} works cannot be; use 1 or more.")
        self.modified: datetime = modified_at(works - 1)
        self._works = [work for number in range(works) for work in works_at(seed, number)]
        self._views = [view for number in range(works) for view in views_at(seed, number)]
        self._work_of = {work.object_id: work for work in self._works}
        self._view_of = {view.uuid: view for view in self._views}
        self._picture_of = {
            view.object_id: view
            for view in self._views
            if view.primary and view.sequence == 0 and view.open_access
        }

    def records(self, name: str) -> bytes:
        """Return the CSV file `name`: objects.csv, published_images.csv or objects_terms.csv.

        Raises:
            SourceError: There is no such file.
        """
        if name == "objects.csv":
            return as_csv(name, object_rows(self._works))
        if name == "published_images.csv":
            return as_csv(name, image_rows(self._views))
        if name == "objects_terms.csv":
            return as_csv(name, term_rows(self._works))
        raise SourceError(f"The museum has no file {name!r}; its files are {', '.join(RECORDS)}.")

    def write_records(self, folder: Path) -> None:
        """Put the CSV files into `folder`, each replaced in one step."""
        for name in RECORDS:
            Store(folder).write_bytes(name, self.records(name))

    @property
    def works(self) -> list[Work]:
        """All works, those without an open-access picture among them."""
        return list(self._works)

    def work(self, object_id: int) -> Work | None:
        """Return the work of that object id, or None."""
        return self._work_of.get(object_id)

    def picture_of(self, object_id: int) -> View | None:
        """Return the open-access picture of that object, or None."""
        return self._picture_of.get(object_id)

    def version(self, identifier: str) -> str | None:
        """Return a word for the picture and the hand that paints it, or None."""
        view = self._view_of.get(identifier)
        if view is None:
            return None
        shown = f"{hand()} {view.scene} {view.side} {view.part}"
        return hashlib.sha256(shown.encode()).hexdigest()[:16]

    def open(self, identifier: str) -> Image.Image | None:
        """Paint the picture of the published image `identifier` (RGB), or return None."""
        view = self._view_of.get(identifier)
        return None if view is None else view.paint()


@cache
def hand() -> str:
    """Return a hash of the drawing code, so that a changed painter makes new versions."""
    here = Path(__file__).parent
    sources = [here / "scenes.py", here / "places.py", *sorted((here / "painting").rglob("*.py"))]
    return hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:16]
