"""The pictures that a reranker looks at: those of the store, and what it lacks from the museum.

A release can be served before all of its pictures are there, or where there is no room for them.
"""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from cachetools import LRUCache, TTLCache
from PIL import Image

from retrievals_serving.cancelling import Cancelled, never
from retrievals_serving.errors import PictureError, SourceUnavailable
from retrievals_serving.http_client import mirrored
from retrievals_serving.settings import Settings
from retrievals_serving.store import Store, picture_name

if TYPE_CHECKING:
    from retrievals_serving.museum_pictures import MuseumPictures

logger = logging.getLogger(__name__)

DEADLINE = 0.5  # seconds, for all pictures of one search
AT_ONCE = 8  # requests, of all searches together
PAUSE = 30.0  # seconds, for which a server that did not answer, and a refused picture, are let be
MEMORY = 256 << 20  # bytes: 64 pictures of 1,024 x 1,024 px
STORED = 16_384  # pictures that are remembered as stored: 10 MB
REFUSED = 4096  # pictures that are remembered as refused


class CandidatePictures:
    """Finds the pictures of candidates. Safe to use from several threads.

    What is fetched is kept in memory. It is not put into the store: that is the pipeline's, and a
    museum may send the same picture in other bytes than those which it is named by.
    """

    def __init__(
        self, store: Store, settings: Settings, *, clock: Callable[[], float] = monotonic
    ) -> None:
        """Look into `store`, then at the museum; `clock`, in s, is what a pause is measured by."""
        self._store = store
        self._settings = settings
        self._clock = clock
        self._resumes_at = clock()
        self._paths: LRUCache[str, Path] = LRUCache(STORED)
        self._kept: LRUCache[str, Image.Image] = LRUCache(MEMORY, _bytes_of)
        self._refused: TTLCache[str, bool] = TTLCache(REFUSED, PAUSE, timer=clock)
        self._museum: MuseumPictures | None = None
        self._lock = threading.Lock()  # guards all of the above
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="candidate-picture")

    def of(
        self,
        hashes: Sequence[str],
        addresses: Sequence[str],
        until: float | None = None,
        cancelled: Cancelled = never,
    ) -> list[Path | Image.Image]:
        """Return the picture of each candidate, within half a second.

        Args:
            hashes: The sha256 of each picture, best candidate first.
            addresses: Where each was, as the release says. Only those on the web are asked for.
            until: When the pictures are needed at the latest, on the clock `time.monotonic`, s.
            cancelled: Whether whoever asked has left, and nothing is to be fetched.

        Returns:
            The path of a picture that is in the store; the picture itself, as RGB and no side over
            2,048 px, where it was fetched; else the path where it should have been.
        """
        stored = self._stored(hashes)
        missing = {
            sha: address
            for sha, address in zip(hashes, addresses, strict=True)
            if sha not in stored
        }
        found = self._remembered(missing)
        wanted = self._wanted({s: a for s, a in missing.items() if s not in found})
        if wanted and not cancelled():
            found |= self._fetched(wanted, until)
        paths = {sha: self._path(sha) for sha in missing if sha not in found}
        there: dict[str, Path | Image.Image] = {**stored, **found, **paths}
        return [there[sha] for sha in hashes]

    def close(self) -> None:
        """Close the connections, when the requests in flight have ended."""
        self._pool.shutdown(cancel_futures=True)
        if self._museum is not None:
            self._museum.close()

    def _stored(self, hashes: Sequence[str]) -> dict[str, Path]:
        """Return the paths of the pictures that are in the store, where they stay."""
        with self._lock:
            stored = {sha: path for sha in hashes if (path := self._paths.get(sha))}
        paths = {sha: self._path(sha) for sha in hashes if sha not in stored}
        seen = {sha: path for sha, path in paths.items() if path.exists()}
        with self._lock:
            self._paths.update(seen)
        return stored | seen

    def _path(self, sha: str) -> Path:
        return self._store.path(picture_name(sha))

    def _remembered(self, missing: Mapping[str, str]) -> dict[str, Image.Image]:
        with self._lock:
            return {sha: self._kept[sha] for sha in missing if sha in self._kept}

    def _wanted(self, missing: Mapping[str, str]) -> dict[str, str]:
        """Return where to ask for what is missing, as far as it is to be asked for at all."""
        with self._lock:
            if self._clock() < self._resumes_at:
                return {}
            return {
                sha: mirrored(address, self._settings.iiif_mirror)
                for sha, address in missing.items()
                if address.startswith(("http://", "https://")) and sha not in self._refused
            }

    def _fetched(self, wanted: Mapping[str, str], until: float | None) -> dict[str, Image.Image]:
        """Fetch pictures until the deadline; when the museum answers for none, pause."""
        museum = self._opened()
        begins = monotonic()
        deadline = begins + DEADLINE
        has_time = until is None or until >= deadline
        if until is not None and not has_time:
            deadline = until
        if deadline <= begins:
            return {}
        futures = {
            sha: self._pool.submit(self._fetch, museum, sha, address, deadline)
            for sha, address in wanted.items()
        }
        wait(futures.values(), timeout=deadline - begins)
        begun = {sha: future for sha, future in futures.items() if not future.cancel()}
        troubles = {sha: trouble for sha, future in begun.items() if (trouble := _trouble(future))}
        if troubles:
            is_down = has_time and len(troubles) == len(begun)
            self._report(len(begun), list(troubles.values()), is_down=is_down)
        answers = {sha: future.result() for sha, future in begun.items() if sha not in troubles}
        return {sha: picture for sha, picture in answers.items() if picture is not None}

    def _report(self, asked: int, troubles: Sequence[str], *, is_down: bool) -> None:
        """Tell of requests that were not answered; pause where the museum is down."""
        logger.warning(
            "%d of %d pictures that the store lacks did not come from the museum: %s%s",
            len(troubles), asked, troubles[0],
            f"; none is asked for in the next {PAUSE:g} s" if is_down else "",
        )  # fmt: skip
        if is_down:
            with self._lock:
                self._resumes_at = self._clock() + PAUSE

    def _opened(self) -> "MuseumPictures":
        # Imports httpx and reads certificates: 0.1 s that most engines never need.
        from retrievals_serving.museum_pictures import MuseumPictures

        with self._lock:
            if self._museum is None:
                self._museum = MuseumPictures(
                    own_hosts=self._settings.own_host_names, contact=self._settings.contact
                )
            return self._museum

    def _fetch(
        self, museum: "MuseumPictures", sha: str, address: str, deadline: float
    ) -> Image.Image | None:
        """Fetch one picture and remember what came of it; None when it cannot be used.

        Raises:
            SourceUnavailable: Nothing came of it.
        """
        try:
            picture = museum.fetch(address, deadline)
        except PictureError as error:
            logger.warning("%s: %s; it is not asked for in the next %g s", address, error, PAUSE)
            with self._lock:
                self._refused[sha] = True
            return None
        with self._lock:
            self._kept[sha] = picture
        return picture


def _trouble(future: "Future[Image.Image | None]") -> str | None:
    """Say why the museum did not answer a request; None when it did."""
    if not future.done():
        return "no answer in time"
    error = future.exception()
    return str(error) if isinstance(error, SourceUnavailable) else None


def _bytes_of(picture: Image.Image) -> int:
    return 4 * picture.width * picture.height  # Pillow gives a pixel four
