"""The museum's CSV files: where they are, which version they have, and what each must hold.

What the columns mean is said in `artworks.sql`; nothing here looks at rows.
"""

import csv
import logging
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path

import requests

from retrievals_pipeline.progress import track
from retrievals_serving.errors import SourceError, SourceUnavailable
from retrievals_serving.http_client import is_loopback, user_agent
from retrievals_serving.retry_after import MAX_PAUSE, retry_after
from retrievals_serving.store import Store, file_sha256

logger = logging.getLogger(__name__)

# `objects.uuid` and `published_images.openaccess` came in 2025 and are not needed.
NEEDED_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "objects": (
        "objectid", "title", "displaydate", "beginyear", "endyear", "medium", "attribution",
        "creditline", "classification", "lastdetectedmodification",
    ),
    "published_images": (
        "uuid", "iiifurl", "viewtype", "sequence", "width", "height", "maxpixels", "modified",
        "depictstmsobjectid", "assistivetext",
    ),
    "objects_terms": ("objectid", "termtype", "term"),
}  # fmt: skip
MAX_HEADER = 65_536  # characters; a longer first line is that of no table
BLOCK_BYTES = 1 << 20
TIMEOUT = (10, 60)  # seconds to connect, and between two pieces of the answer
PASSING = frozenset({408, 425, 429})  # HTTP statuses that time can mend, as those of 500 and above


def table_versions(location: str, *, contact: str | None = None) -> dict[str, str]:
    """Return the version of each CSV file at `location` (folder or URL): its ETag, else its hash.

    `contact` is the address of whoever runs this, for the user agent.

    Raises:
        SourceError: A file cannot be reached; names it.
    """
    return {table: _version(location, table, contact) for table in NEEDED_COLUMNS}


def fetch_tables(location: str, store: Store, *, contact: str | None = None) -> dict[str, Path]:
    """Return a readable path of each CSV file; from a URL they are downloaded when they changed.

    `contact` is the address of whoever runs this, for the user agent.

    Raises:
        SourceError: A file is missing, empty, no CSV, or lacks a needed column; names both.
    """
    paths = {}
    with track("records", len(NEEDED_COLUMNS)) as advance:
        for table, needed in NEEDED_COLUMNS.items():
            remote = _is_url(location)
            path = _download(location, table, store, contact) if remote else _local(location, table)
            _require_columns(path, f"{location}/{table}.csv", needed)
            paths[table] = path
            advance(1)
    return paths


def read_header(path: Path) -> list[str]:
    """Return the column names in the first record of the CSV file at `path`."""
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        first = file.readline(MAX_HEADER)
    return next(csv.reader([first]), []) if len(first) < MAX_HEADER else []


def _version(location: str, table: str, contact: str | None) -> str:
    if not _is_url(location):
        return file_sha256(_local(location, table))
    url = f"{location}/{table}.csv"
    with _request("HEAD", url, contact) as response:
        etag: str | None = response.headers.get("ETag")
    if etag:
        return etag
    digest = sha256()
    with _request("GET", url, contact) as response:
        for block in _blocks(response):
            digest.update(block)
    return digest.hexdigest()


def _local(location: str, table: str) -> Path:
    path = Path(location).expanduser() / f"{table}.csv"
    if not path.is_file():
        raise SourceError(
            f"{path} is missing: RETRIEVALS_NGA_URL must name a folder or URL that holds "
            f"{', '.join(f'{name}.csv' for name in NEEDED_COLUMNS)}."
        )
    return path


def _download(location: str, table: str, store: Store, contact: str | None) -> Path:
    """Bring a CSV file into the store, unless the copy there is the server's version."""
    name = f"records/source/{table}.csv"
    known = store.read_bytes(f"{name}.etag").decode() if store.exists(f"{name}.etag") else ""
    headers = {"If-None-Match": known} if known and store.exists(name) else {}
    url = f"{location}/{table}.csv"
    with _request("GET", url, contact, headers) as response:
        if response.status_code != requests.codes.not_modified:
            with store.replacing(name) as partial, partial.open("wb") as file:
                for block in _blocks(response):
                    file.write(block)
            store.write_bytes(f"{name}.etag", response.headers.get("ETag", "").encode())
            logger.info("downloaded %s", url)
    return store.path(name)


def _blocks(response: requests.Response) -> Iterator[bytes]:
    """Yield the content of an answer, however large it is."""
    try:
        yield from response.iter_content(BLOCK_BYTES)
    except requests.RequestException as error:
        raise SourceUnavailable(
            f"{response.url} broke off: {error}. Run the build again."
        ) from error


def _request(
    method: str, url: str, contact: str | None, headers: Mapping[str, str] | None = None
) -> requests.Response:
    """Ask for `url`; of the answer, which is to be closed, the headers are there."""
    try:
        with requests.Session() as session:
            session.trust_env = not is_loopback(url)
            response = session.request(
                method,
                url,
                headers={"User-Agent": user_agent(contact), **(headers or {})},
                timeout=TIMEOUT,
                stream=True,
            )
        response.raise_for_status()
    except requests.RequestException as error:
        code, wish = None, 0.0
        if error.response is not None:
            code = error.response.status_code
            wish = retry_after(error.response.headers) or 0.0
            error.response.close()
        is_lasting = code is not None and code < requests.codes.server_error and code not in PASSING
        reason = f"{url} cannot be read: {error}. " + (
            f"The server wishes to be left alone for {wish:,.0f} s: build again then."
            if wish
            else "Check RETRIEVALS_NGA_URL and the network."
        )
        if is_lasting or wish > MAX_PAUSE:
            raise SourceError(reason) from error
        raise SourceUnavailable(reason, wish=wish) from error
    return response


def _require_columns(path: Path, origin: str, needed: tuple[str, ...]) -> None:
    if path.stat().st_size == 0:
        raise SourceError(f"{origin} is empty; the last good table is kept.")
    header = read_header(path)
    missing = [column for column in needed if column not in header]
    if len(missing) == len(needed):
        raise SourceError(
            f"{origin} is not a CSV file of the NGA's: it lacks every needed column "
            f"({', '.join(needed)}) and begins with {_beginning(path)!r}; "
            "the last good table is kept."
        )
    if missing:
        raise SourceError(
            f"{origin} lacks the needed column{'s' if len(missing) > 1 else ''} "
            f"{', '.join(missing)}; it has {', '.join(header)}. The last good table is kept."
        )


def _beginning(path: Path) -> str:
    with path.open(encoding="utf-8", errors="replace") as file:
        return file.read(60)


def _is_url(location: str) -> bool:
    return location.startswith(("http://", "https://"))
