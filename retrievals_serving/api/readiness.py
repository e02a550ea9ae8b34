"""Makes a server ready to answer, and keeps it so: loads its models, and follows `CURRENT`."""

import logging
import threading
from collections.abc import Callable, Sequence
from time import monotonic

from retrievals_serving.api.answers import Answers
from retrievals_serving.engine import SearchEngine
from retrievals_serving.errors import RetrievalsError
from retrievals_serving.served import ServedReleases

logger = logging.getLogger(__name__)

POLL = 1.0  # seconds between two looks at `CURRENT`
RETRY = 30.0  # seconds after which what failed is tried again


class Readiness:
    """Loads the models, switches to what `CURRENT` names, and answers known queries ahead.

    One thread does what must not happen at once: a release that came while the models load would
    load its own. Known queries have another, so that nothing waits for them.

    Attributes:
        failure: Why queries cannot be embedded; None while the models load, or are there.
        unranked: Why the reranker could not be loaded when that was tried last.
        refusal: Why the release that `CURRENT` names is not served; None where it is.
    """

    def __init__(
        self,
        releases: ServedReleases,
        answers: Answers,
        known: Sequence[str],
        on_ready: Callable[[], None] | None,
    ) -> None:
        """Answer the queries `known` ahead; call `on_ready` as `create_app` says."""
        self.failure: str | None = None
        self.unranked: str | None = None
        self.refusal: str | None = None
        self._releases = releases
        self._answers = answers
        self._known = known
        self._on_ready = on_ready
        self._tried: str | None = None  # what `CURRENT` named when all was tried last
        self._again = 0.0  # when it is tried again, on the clock of `monotonic`
        self._warm: str | None = None  # the release whose searches are warm
        self._ready: tuple[str, bool] | None = None  # what was told: that release, and if reranked
        self._stopping = threading.Event()

    def start(self) -> None:
        """Begin; a stop waits for nothing."""
        threading.Thread(target=self._follow, name="follow", daemon=True).start()

    def close(self) -> None:
        """Let the threads end with what they are at."""
        self._stopping.set()

    def _follow(self) -> None:
        """Look at `CURRENT`, and for what is not ready, until the service is closed."""
        while not self._stopping.is_set():
            try:
                self._look()
            except Exception as error:  # noqa: BLE001 - it must not end the thread
                _log("cannot follow `CURRENT`", error)
            self._stopping.wait(POLL)

    def _look(self) -> None:
        """Do what is to be done, at once where `CURRENT` moved, else every `RETRY` seconds."""
        self._releases.dismiss_removed()
        named = self._releases.named()
        if named == self._tried and monotonic() < self._again:
            return
        if named != self._tried:
            self.failure = self.refusal = None
        self._tried = named
        if named is not None and self._releases.is_behind(named):
            self._switch(named)
        self._make_ready()
        self._again = monotonic() + RETRY

    def _switch(self, named: str) -> None:
        try:
            self._releases.switch(named)
        # What a device does wrong has no common ancestor, and must not read as "starting" for ever.
        except Exception as error:  # noqa: BLE001
            self.refusal = _failed(f"release {named} is not served", error)
        else:
            self.refusal, self._warm = None, named

    def _make_ready(self) -> None:
        """Load what is not loaded; tell what is ready by that."""
        try:
            with self._releases.current() as engine:
                release_id = engine.release.release_id
                if release_id != self._warm:
                    engine.warm_search()
                    self._warm = release_id
                self.failure = None
                if engine.lacks_reranker:
                    self._load_reranker(engine)
                ready = release_id, not engine.lacks_reranker
                if ready == self._ready:
                    return
                engine.warm_words()
                self._ready = ready
            logger.info("ready to answer from release %s", release_id)
            if self._on_ready:
                self._on_ready()
        except Exception as error:  # noqa: BLE001 - as for a switch
            self.failure = _failed("not ready to answer", error)
            return
        # Without the reranker that is set, no answer is kept.
        if self._known and not engine.lacks_reranker:
            threading.Thread(
                target=self._answer_known, args=[engine], name="known", daemon=True
            ).start()

    def _load_reranker(self, engine: SearchEngine) -> None:
        """Load the reranker; without it the answers have the order of the vectors, and say so."""
        try:
            engine.warm_reranker()
        except Exception as error:  # noqa: BLE001 - as for a switch
            self.unranked = _failed("answers are not reranked", error)

    def _answer_known(self, ready: SearchEngine) -> None:
        """Answer the queries that are known to be asked, while the engine `ready` is served."""
        for query in self._known:
            try:
                with self._releases.current() as engine:
                    if engine is not ready or self._stopping.is_set():
                        return
                    self._answers.answer_ahead(engine, query)
            except Exception as error:  # noqa: BLE001 - as for a switch
                _log(f"the known query {query!r:.80} cannot be answered", error)


def _failed(what: str, error: Exception) -> str:
    """Log what failed; return what anyone may be told of it: our own words, of no other error."""
    _log(what, error)
    if isinstance(error, RetrievalsError):
        return str(error)
    return f"{what}: the server's log says why"


def _log(what: str, error: Exception) -> None:
    """Log what failed, with a traceback where nobody foresaw it."""
    if isinstance(error, RetrievalsError):
        logger.error("%s: %s", what, error)
    else:
        logger.error(what, exc_info=error)
