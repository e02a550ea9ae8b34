"""The pictures that a reranker looks at: those of the store, and what it lacks from the museum.

A release can be served before all of its pictures are there, or where there is no room for them.
"""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Self

from cachetools import LRUCache, TTLCache
from PIL import Image

from retrievals_serving.cancelling import Cancelled, InFlight, never
from retrievals_serving.errors import PictureError, SourceUnavailable
from retrievals_serving.http_client import PAUSE, mirrored
from retrievals_serving.settings import Settings
from retrievals_serving.store import Store, picture_name

if TYPE_CHECKING:
    from retrievals_serving.museum_pictures import MuseumPictures

logger = logging.getLogger(__name__)

DEADLINE = 0.5  # seconds, for a request; no search waits longer for its pictures
SHARE = 1 / 3  # of the time that a search has left, which it waits at most
AT_ONCE = 8  # requests, of all searches together
IN_A_ROW = AT_ONCE  # requests without an answer between them: the museum is down
MEMORY = 256 << 20  # bytes: 64 pictures of 1,024 x 1,024 px
STORED = 1 << 17  # pictures that are remembered as stored: 20 MB
LET_BE = 4096  # pictures that are remembered as not to be had


class CandidatePictures:
    """Finds the pictures of candidates. Safe to use from several threads.

    What is fetched is kept in memory. It is not put into the store: that is the pipeline's, and a
    museum may send the same picture in other bytes than those which it is named by.

    A picture that cannot be had is let be for half a minute. So is the museum when eight requests
    in a row had no answer, and at once when it wishes it, for as long as it wishes.
    """

    def __init__(
        self, store: Store, settings: Settings, *, clock: Callable[[], float] = monotonic
    ) -> None:
        """Look into `store`, then at the museum; `clock`, in s, is what a pause is measured by."""
        self._store = store
        self._settings = settings
        self._clock = clock
        self._owners = 1
        self._resumes_at = clock()
        self._unanswered = 0  # requests since the last answer
        self._stored: set[str] = set()
        self._kept: LRUCache[str, Image.Image] = LRUCache(MEMORY, _bytes_of)
        self._let_be: TTLCache[str, bool] = TTLCache(LET_BE, PAUSE, timer=clock)
        self._museum: MuseumPictures | None = None
        self._lock = threading.Lock()  # guards all of the above
        self._in_flight: InFlight[str, Image.Image | None] = InFlight()
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
            until: When the pictures are needed at the latest, on the clock `time.monotonic`, s;
                a third of what is left is waited at most, as they are to be looked at too.
            cancelled: Whether whoever asked has left, and nothing is to be fetched.

        Returns:
            The path of a picture that is in the store; the picture itself, as RGB and no side over
            2,048 px, where it was fetched; else the path where it should have been.
        """
        stored = self._in_store(hashes)
        missing = {
            sha: address
            for sha, address in zip(hashes, addresses, strict=True)
            if sha not in stored
        }
        found = self._remembered(missing)
        wanted = self._wanted({s: a for s, a in missing.items() if s not in found})
        if wanted and not cancelled():
            found |= self._fetched(wanted, until)
        return [found.get(sha) or self._path(sha) for sha in hashes]

    def shared(self) -> Self:
        """Return these for one more owner: they are closed when each owner has closed them."""
        with self._lock:
            self._owners += 1
        return self

    def close(self) -> None:
        """Close the connections, when the requests in flight have ended."""
        with self._lock:
            self._owners -= 1
            if self._owners:
                return
        self._pool.shutdown(cancel_futures=True)
        if self._museum is not None:
            self._museum.close()

    def _in_store(self, hashes: Sequence[str]) -> set[str]:
        """Return which pictures are in the store, where they stay."""
        with self._lock:
            unknown = {sha for sha in hashes if sha not in self._stored}
        seen = {sha for sha in unknown if self._path(sha).exists()}
        with self._lock:
            if len(self._stored) + len(seen) > STORED:
                self._stored.clear()  # another look at each costs less than an order to keep
            self._stored |= seen
        return set(hashes) - unknown | seen

    def _path(self, sha: str) -> Path:
        return self._store.path(picture_name(sha))

    def _remembered(self, missing: Mapping[str, str]) -> dict[str, Image.Image]:
        with self._lock:
            return {sha: self._kept[sha] for sha in missing if sha in self._kept}

    def _wanted(self, missing: Mapping[str, str]) -> dict[str, str]:
        """Return where to ask for what is missing, as far as it is to be asked for at all."""
        with self._lock:
            return {
                sha: mirrored(address, self._settings.iiif_mirror)
                for sha, address in missing.items()
                if address.startswith(("http://", "https://")) and self._may_ask(sha)
            }

    def _may_ask(self, sha: str) -> bool:
        """Tell whether a picture may be asked for now; the lock is held."""
        return sha not in self._let_be and self._clock() >= self._resumes_at

    def _fetched(self, wanted: Mapping[str, str], until: float | None) -> dict[str, Image.Image]:
        """Return what came as long as a search may wait; what comes later serves the next one."""
        patience = DEADLINE if until is None else min(DEADLINE, SHARE * (until - monotonic()))
        if patience <= 0:
            return {}
        museum = self._opened()

        def fetched(sha: str, address: str) -> Image.Image | None:
            return self._in_flight.share(sha, lambda _: self._fetch(museum, sha, address))

        futures = {sha: self._pool.submit(fetched, sha, address) for sha, address in wanted.items()}
        wait(futures.values(), timeout=patience)
        begun = {sha: future for sha, future in futures.items() if not future.cancel()}
        answers = {sha: future.result() for sha, future in begun.items() if future.done()}
        return {sha: picture for sha, picture in answers.items() if picture is not None}

    def _opened(self) -> "MuseumPictures":
        # Imports httpx and reads certificates: 0.1 s that most engines never need.
        from retrievals_serving.museum_pictures import MuseumPictures

        with self._lock:
            if self._museum is None:
                self._museum = MuseumPictures(
                    own_hosts=self._settings.own_host_names, contact=self._settings.contact
                )
            return self._museum

    def _fetch(self, museum: "MuseumPictures", sha: str, address: str) -> Image.Image | None:
        """Return one picture and remember what came of it; None when it cannot be had."""
        with self._lock:
            kept = self._kept.get(sha)
            if kept is not None or not self._may_ask(sha):
                return kept
        try:
            picture = museum.fetch(address, monotonic() + DEADLINE)
        except (PictureError, SourceUnavailable) as error:
            logger.warning("%s: %s; it is not asked for in the next %g s", address, error, PAUSE)
            with self._lock:
                self._let_be[sha] = True
                self._note(error)
            return None
        with self._lock:
            self._unanswered = 0
            self._kept[sha] = picture
        return picture

    def _note(self, error: PictureError | SourceUnavailable) -> None:
        """Pause where the museum is down, or wishes it; the lock is held."""
        if isinstance(error, PictureError):  # which is an answer
            self._unanswered = 0
            return
        self._unanswered += 1
        if not error.wish and self._unanswered < IN_A_ROW:
            return
        pause, now = max(error.wish, PAUSE), self._clock()
        if now >= self._resumes_at:  # else it is one of those that were on their way
            logger.warning("the museum is asked for no picture in the next %g s: %s", pause, error)
        self._resumes_at = max(self._resumes_at, now + pause)


def _bytes_of(picture: Image.Image) -> int:
    return 4 * picture.width * picture.height  # Pillow gives a pixel four
