"""The checks of the records: what the stages after them, and who is shown the works, rely on."""

from typing import Any

import duckdb

from retrievals_pipeline.defs.records.paths import ARTWORKS, FOLDER
from retrievals_pipeline.defs.records.urls import WEB_ADDRESS
from retrievals_pipeline.defs.verdict import Verdict
from retrievals_serving.errors import ReleaseError
from retrievals_serving.release import Release, current_release_id
from retrievals_serving.store import Store

# Of the works that the served release could show. Museums withdraw works by the dozen; a file cut
# short, a column that changed its meaning or a disk that is not mounted takes a large part at once.
MINIMUM_SIZE = 0.9
FEW = 2  # works; of a small folder these are a large part, and may go
# Of the objects in the records. The NGA shows a picture of half of its objects; where hardly one
# has an open picture, the words by which they are chosen have changed.
MINIMUM_OPEN_SHARE = 0.1

FAULTS = """
    select
        count(*) as works,
        count(*) - count(distinct id) as repeated_ids,
        count(*) filter (
            coalesce(image_url, '') = ''
            or (not regexp_matches(image_url, $url) and not starts_with(id, $folder))
        ) as malformed_image_urls,
        count(*) filter (
            artwork_url <> '' and not regexp_matches(artwork_url, $url)
            -- A file without a page of its own is named there too.
            and not (starts_with(id, $folder) and artwork_url = image_url)
        ) as malformed_artwork_urls,
        count(*) filter (begin_year > end_year) as years_reversed
    from read_parquet($artworks)
"""
BLOCKING_FAULTS = ("repeated_ids", "malformed_image_urls", "malformed_artwork_urls")


def check_rows(store: Store) -> Verdict:
    """Each id is there once, and each work has a well-formed address of its picture, or a file."""
    with duckdb.connect() as connection:
        parameters = {
            "artworks": str(store.path(ARTWORKS)),
            "url": WEB_ADDRESS,
            "folder": f"{FOLDER}:",
        }
        (faults,) = connection.execute(FAULTS, parameters).to_arrow_table().to_pylist()
    return Verdict(not any(faults[fault] for fault in BLOCKING_FAULTS), faults)


def check_size(store: Store, *, eligible: int, limit: int | None) -> Verdict:
    """The collection has not shrunk at once, as with a file cut short, since the served release.

    `eligible` works may be shown now, of which only the first `limit` were asked for. A limit that
    takes effect is no loss; one that is above what there is says nothing.
    """
    details: dict[str, Any] = {"eligible": eligible, "minimum": MINIMUM_SIZE}
    try:
        served = Release(store, current_release_id(store)).manifest
    except ReleaseError as error:
        # Nothing is served, or what is cannot be read: there is nothing to protect.
        return Verdict(passed=True, details=details | {"served": str(error)})
    details |= {"served": served.release_id, "served_eligible": served.eligible}
    expected = served.eligible if limit is None else min(served.eligible, limit)
    if eligible >= min(MINIMUM_SIZE * expected, expected - FEW):
        return Verdict(passed=True, details=details)
    remedy = (
        "Look at the museum's files, or whether every disk of the folder is mounted. If it is "
        f"right, build once with RETRIEVALS_LIMIT={eligible}."
    )
    return Verdict(passed=False, details=details | {"remedy": remedy})


def check_open_share(*, objects: int, open_objects: int) -> Verdict:
    """Enough of the museum's objects have a picture that may be shown."""
    share = open_objects / objects
    return Verdict(
        share >= MINIMUM_OPEN_SHARE,
        {
            "open_share": share,
            "minimum": MINIMUM_OPEN_SHARE,
            "open_objects": open_objects,
            "objects": objects,
        },
    )
