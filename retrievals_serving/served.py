"""The engines of one process, which follows `CURRENT`: no request waits for a switch, or is lost.

    releases = ServedReleases(settings)
    with releases.current() as engine:         # of one release, until the block ends
        page = engine.search("a lonely boat")
    releases.switch(releases.named())          # from a thread of its own, whenever `CURRENT` moved

Engines are lent. The one before a switch stays, as pages of older answers come from it, until
others were asked for since or its release was removed. No engine is closed while it is lent.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from retrievals_serving import cursors
from retrievals_serving.engine import SearchEngine
from retrievals_serving.errors import CursorExpired, ReleaseError
from retrievals_serving.release import CURRENT, MANIFEST, Release, current_release_id, open_release
from retrievals_serving.settings import Settings

OTHERS = 2  # engines that are kept open beside the one being served


@dataclass(eq=False)
class Lent:
    """An engine and how many have borrowed it."""

    engine: SearchEngine
    borrowers: int = 0
    is_dismissed: bool = False  # nobody is given it any more

    @property
    def release_id(self) -> str:
        """Id of its release."""
        return self.engine.release.release_id


class ServedReleases:
    """Lends the engine of the release that is served, and those of others that are still kept.

    Safe to use from several threads. The first engine is opened when it is first asked for.
    """

    def __init__(self, settings: Settings, engine: SearchEngine | None = None) -> None:
        """Follow `CURRENT`; with an `engine`, which stays the caller's, lend that one for ever."""
        self._settings = settings
        self._is_fixed = engine is not None
        self._current = None if engine is None else Lent(engine)
        # By release, the one that was asked for last at the end.
        self._others: OrderedDict[str, Lent] = OrderedDict()
        self._is_closed = False
        self._lending = threading.Lock()  # guards all of the above
        self._opening = threading.Lock()  # is held while a request waits for a release to open
        self._verified: set[str] = set()  # releases of which this process has read every byte

    @contextmanager
    def current(self) -> Iterator[SearchEngine]:
        """Lend the engine of the release being served.

        Raises:
            ReleaseError: None is open yet, and there is none, or it cannot be opened.
        """
        if self._current is None:
            with self._opening:
                if self._current is None:
                    release = self._whole(current_release_id(self._settings.store))
                    self._current = Lent(SearchEngine(release, self._settings))
        with self._lending:
            lent = self._current
            lent.borrowers += 1
        with self._returned(lent):
            yield lent.engine

    @contextmanager
    def of_cursor(self, text: str) -> Iterator[SearchEngine]:
        """Lend the engine of the release that the cursor in `text` belongs to.

        It is opened where the release is kept: as that of another replica, which has switched
        already, or of this server before it was started again.

        Raises:
            CursorRefused: It was not signed by this server.
            CursorExpired: Its release is not kept any more.
            ReleaseError: As for `current`.
        """
        if self._is_fixed:
            with self.current() as engine:
                yield engine
            return
        release_id = cursors.verify(text, cursors.secret_of(self._settings)).release
        lent = self._borrow(release_id)
        if lent is None:
            with self._opening:
                lent = self._borrow(release_id) or self._open_other(release_id)
        with self._returned(lent):
            yield lent.engine

    @property
    def is_open(self) -> bool:
        """Whether an engine can be lent without opening one."""
        return self._current is not None

    def named(self) -> str | None:
        """Return the id that `CURRENT` names; None if it does not exist, or is not followed."""
        store = self._settings.store
        return None if self._is_fixed or not store.exists(CURRENT) else current_release_id(store)

    def is_behind(self, named: str) -> bool:
        """Tell whether an engine of another release than `named` is lent."""
        return self._current is not None and self._current.release_id != named

    def dismiss_removed(self) -> None:
        """Let engines go whose release was removed."""
        with self._lending:
            dismissed = [
                self._others.pop(other.release_id)
                for other in list(self._others.values())
                if not other.engine.release.path(MANIFEST).exists()
            ]
        self._dismiss(dismissed)

    def switch(self, release_id: str) -> None:
        """Lend the engine of `release_id` from now on, once it is verified, and searches are warm.

        It has the models of the engine before it. When it cannot be had, that one stays.

        Raises:
            ReleaseError: The release is not whole, or not of the model that is set.
            ModelError: A model that is not loaded yet cannot be.
        """
        with self.current() as engine:
            opened = engine.beside(self._whole(release_id))
        try:
            opened.warm_search()
        except BaseException:
            opened.close()
            raise
        with self._lending:
            before, self._current = self._current, Lent(opened)
            if before is not None:
                self._others[before.release_id] = before
            dismissed = [self._others.pop(release_id)] if release_id in self._others else []
            dismissed += self._too_many()
            if self._is_closed:
                dismissed.append(self._current)
        self._dismiss(dismissed)

    def close(self) -> None:
        """Close every engine that was opened here, when its last borrower has given it back."""
        with self._lending:
            self._is_closed = True
            own = [] if self._is_fixed or self._current is None else [self._current]
            dismissed = own + list(self._others.values())
            self._others.clear()
        self._dismiss(dismissed)

    def _borrow(self, release_id: str) -> Lent | None:
        """Borrow the engine of `release_id` if one is open."""
        with self._lending:
            if self._current is not None and self._current.release_id == release_id:
                lent = self._current
            elif release_id in self._others:
                lent = self._others[release_id]
                self._others.move_to_end(release_id)
            else:
                return None
            lent.borrowers += 1
            return lent

    def _open_other(self, release_id: str) -> Lent:
        """Open the engine of a release that is not served, and borrow it. It needs no model.

        It is read whole once only: whoever has cursors can have it opened again and again.
        """
        try:
            release = self._whole(release_id, again=False)
            lent = Lent(SearchEngine(release, self._settings), borrowers=1)
        except ReleaseError as error:
            raise CursorExpired(
                f"cursor: it belongs to release {release_id}, which cannot be searched any more; "
                "search again."
            ) from error
        with self._lending:
            self._others[release_id] = lent
            dismissed = self._too_many()
        self._dismiss(dismissed)
        return lent

    def _whole(self, release_id: str, *, again: bool = True) -> Release:
        """Return a release whose every byte was verified, before a library reads it.

        Unless it shall be `again`, what this process has verified before is believed.
        """
        release = open_release(self._settings.store, release_id)
        if again or release_id not in self._verified:
            release.require_whole()
            self._verified.add(release_id)
        return release

    def _too_many(self) -> list[Lent]:
        """Take out the engines that were asked for longest ago; the lock is held."""
        return [self._others.popitem(last=False)[1] for _ in range(len(self._others) - OTHERS)]

    @contextmanager
    def _returned(self, lent: Lent) -> Iterator[None]:
        """Give an engine back when the block ends, and close it if it was waited for."""
        try:
            yield
        finally:
            with self._lending:
                lent.borrowers -= 1
                is_over = lent.is_dismissed and lent.borrowers == 0
            if is_over:
                lent.engine.close()

    def _dismiss(self, dismissed: list[Lent]) -> None:
        """Close engines now, or when their last borrowers have given them back."""
        with self._lending:
            for lent in dismissed:
                lent.is_dismissed = True
            idle = [lent for lent in dismissed if lent.borrowers == 0]
        for lent in idle:
            lent.engine.close()
