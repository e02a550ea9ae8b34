"""The checks of the records: what the stages after them, and who is shown the works, rely on."""

from typing import Any

import duckdb

from retrievals_pipeline.defs.records.paths import ARTWORKS, FOLDER
from retrievals_pipeline.defs.verdict import Verdict
from retrievals_serving.errors import ReleaseError
from retrievals_serving.release import METADATA, Release, current_release_id
from retrievals_serving.store import Store

# Of the works that the served release could show. Museums withdraw works by the dozen; a file cut
# short, or a column that changed its meaning, takes a large part at once.
MINIMUM_SIZE = 0.9
# Of the objects in the records. The NGA shows a picture of half of its objects; where hardly one
# has an open picture, the words by which they are chosen have changed.
MINIMUM_OPEN_SHARE = 0.1

URL = r"^https?://[^/\s?#]+(/[^\s]*)?$"
FAULTS = """
    select
        count(*) as works,
        count(*) - count(distinct id) as repeated_ids,
        count(*) filter (
            coalesce(image_url, '') = ''
            or (not regexp_matches(image_url, $url) and not starts_with(id, $folder))
        ) as malformed_image_urls,
        count(*) filter (
            artwork_url <> ''
            and not regexp_matches(artwork_url, $url) and not starts_with(id, $folder)
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
            "url": URL,
            "folder": f"{FOLDER}:",
        }
        result = connection.execute(FAULTS, parameters)
        names = [column[0] for column in result.description or ()]
        faults = dict(zip(names, result.fetchall()[0], strict=True))
    return Verdict(not any(faults[fault] for fault in BLOCKING_FAULTS), faults)


def check_size(store: Store, *, eligible: int, limit: int | None) -> Verdict:
    """The museum has not shrunk at once, as after a file cut short, since the served release.

    `eligible` works may be shown now, of which only the first `limit` were asked for. A limit that
    takes effect is no loss; one that is above what there is says nothing.
    """
    details: dict[str, Any] = {"eligible": eligible, "minimum": MINIMUM_SIZE}
    try:
        release = Release(store, current_release_id(store))
        served = release.manifest
        is_of_folder = _is_of_folder(release)
    except (ReleaseError, duckdb.Error) as error:
        # Nothing is served, or what is cannot be read: there is nothing to protect.
        return Verdict(passed=True, details=details | {"served": str(error)})
    details |= {"served": served.release_id, "served_eligible": served.eligible}
    expected = served.eligible if limit is None else min(served.eligible, limit)
    # What somebody took out of a folder of theirs is no loss.
    if is_of_folder or eligible >= MINIMUM_SIZE * expected:
        return Verdict(passed=True, details=details)
    remedy = (
        f"Look at the museum's files. If it is right, build once with RETRIEVALS_LIMIT={eligible}."
    )
    return Verdict(passed=False, details=details | {"remedy": remedy})


def _is_of_folder(release: Release) -> bool:
    with duckdb.connect(str(release.path(METADATA)), read_only=True) as connection:
        ((first,),) = connection.execute("select min(id) from artworks").fetchall()
    return str(first).startswith(f"{FOLDER}:")


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
