"""Whether the pictures that a release shows are what they were when it was built."""

from retrievals_serving.records import Records
from retrievals_serving.release import RECORDS, Release
from retrievals_serving.store import file_sha256, picture_name, thumbnail_name


def damaged_pictures(release: Release) -> list[str]:
    """Read every picture of `release`, and return what is missing or is not what its name says.

    A picture is named by its content. A thumbnail has the name of its picture: it can be missing.

    Raises:
        ReleaseDamaged: The records cannot be read.
    """
    store = release.store
    problems = []
    records = Records(release.path(RECORDS))
    hashes = records.picture_hashes(range(records.count))
    for sha in dict.fromkeys(hashes):
        picture, thumbnail = picture_name(sha), thumbnail_name(sha)
        if not store.exists(picture):
            problems.append(f"{picture} is missing")
        elif file_sha256(store.path(picture)) != sha:
            problems.append(f"{picture} has another content than its name says")
        if not store.exists(thumbnail):
            problems.append(f"{thumbnail} is missing")
    return problems
