"""The works of the miniature museum and their published views, each from (seed, number) alone.

Work `number` is eligible: it has an open-access picture, which shows `scene(seed, number)`. Beside
it stand, by its number, the kinds that the real collection has too: a restricted work, a work
without a picture, other views, the picture of an object that nobody knows.
"""

import random
import uuid
from dataclasses import dataclass

from PIL import Image

from retrievals_pipeline.miniature.descriptions import describe
from retrievals_pipeline.miniature.painting.painter import paint, picture_size
from retrievals_pipeline.miniature.scenes import Scene, scene
from retrievals_pipeline.miniature.titles import (
    ANCIENT,
    UNDATED,
    Artist,
    Date,
    artist_of,
    date_of,
    title_of,
)

NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:retrievals:miniature")
FIRST_ID, ID_STEP = 1001, 10
SIDE, SMALL_SIDE = 1024, 900  # longer side of a picture, px
Shares = tuple[float, float, float, float]  # left, top, right, bottom of a picture
WHOLE: Shares = (0.0, 0.0, 1.0, 1.0)
DETAIL: Shares = (0.1, 0.1, 0.6, 0.6)
OTHER_DETAIL: Shares = (0.4, 0.35, 0.9, 0.85)


@dataclass(frozen=True)
class Work:
    """An object of the museum, with or without a picture."""

    number: int
    object_id: int
    scene: Scene
    title: str
    artist: Artist
    date: Date


@dataclass(frozen=True)
class View:
    """A published image; `object_id` is None where the records do not say what it shows."""

    uuid: str
    object_id: int | None
    number: int
    scene: Scene
    side: int
    primary: bool = True
    sequence: int = 0
    part: Shares = WHOLE
    open_access: bool = True
    description: str = ""

    @property
    def box(self) -> tuple[int, int, int, int]:
        """The part of the painted picture that the view shows, px."""
        width, height = picture_size(self.scene, self.side)
        left, top, right, bottom = self.part
        return (
            round(left * width),
            round(top * height),
            round(right * width),
            round(bottom * height),
        )

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the view, px."""
        left, top, right, bottom = self.box
        return right - left, bottom - top

    def paint(self) -> Image.Image:
        """Paint the view (RGB)."""
        picture = paint(self.scene, self.side)
        return picture if self.part == WHOLE else picture.crop(self.box)


def object_id_of(number: int) -> int:
    """Return the object id of the eligible work `number`; the next few ids are its neighbours'."""
    return FIRST_ID + ID_STEP * number


def works_at(seed: int, number: int) -> list[Work]:
    """Return the eligible work `number`, then its neighbours that are not eligible."""
    own = object_id_of(number)
    works = [_work(seed, number, own, scene(seed, number))]
    if number % 5 == 1:  # a work whose picture is restricted
        works.append(_work(seed, number, own + 1, scene(seed, -own - 1)))
    if number % 5 == 2:  # a work without a picture
        works.append(_work(seed, number, own + 2, scene(seed, -own - 2)))
    return works


def _work(seed: int, number: int, object_id: int, shown: Scene) -> Work:
    chance = random.Random(f"{seed}/{object_id}/record")  # noqa: S311 - invented, not secret
    ancient = number % 3 == 0 and shown.setting == "portrait" and shown.manner == "oil"
    artist = ANCIENT if ancient else artist_of(chance, shown)
    title = title_of(chance, shown)
    if number % 10 == 5:
        title = f'{title}, called "The {shown.mood.title()} One"'
    elif number % 10 == 6:
        title = ""
    date = UNDATED if number % 10 == 9 else date_of(chance, artist, shown)
    return Work(number, object_id, shown, title, artist, date)


def views_at(seed: int, number: int) -> list[View]:
    """Return the primary view of the eligible work `number`, then the others beside it."""
    own = object_id_of(number)
    shown = scene(seed, number)
    side = SMALL_SIDE if number % 7 == 3 else SIDE
    words = "" if number % 10 == 9 else describe(shown)
    views = [View(_uuid(seed, own, "primary"), own, number, shown, side, description=words)]
    if number % 5 == 1:
        views.append(_beside(seed, number, own + 1, open_access=False))
    if number % 10 == 4:
        views.append(_beside(seed, number, own + 4))  # no object has this id
    if number % 20 == 14:
        views.append(_beside(seed, number, None))
    details: tuple[tuple[bool, Shares, bool], ...] = {
        0: ((False, DETAIL, False),),
        3: ((False, DETAIL, True), (False, OTHER_DETAIL, True)),
        7: ((True, OTHER_DETAIL, True),),  # a second primary view: the lower sequence counts
    }.get(number % 10, ())
    for sequence, (primary, part, open_access) in enumerate(details, 1):
        name = _uuid(seed, own, f"view {sequence}")
        views.append(View(name, own, number, shown, side, primary, sequence, part, open_access))
    return views


def _beside(seed: int, number: int, object_id: int | None, *, open_access: bool = True) -> View:
    key = object_id if object_id is not None else object_id_of(number) + 5
    shown = scene(seed, -key)
    name = _uuid(seed, key, "primary")
    return View(
        name, object_id, number, shown, SIDE, open_access=open_access, description=describe(shown)
    )


def _uuid(seed: int, object_id: int, view: str) -> str:
    return str(uuid.uuid5(NAMESPACE, f"{seed}/{object_id}/{view}"))
