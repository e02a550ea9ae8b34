"""Who may be at work in a home beside whom.

    build.lock    held by a build, a retry of pictures or a prune: one of them at a time
    stages.lock   shared by all that Dagster's daemon and UI make or check, in whatever process; who
                  holds build.lock holds it alone
    images.lock   held by who downloads, whatever pools the instance of Dagster has: a museum is
                  asked at one pace, and a ledger is written by one

So a build needs no place in the pools of Dagster, which a process that was killed keeps: the kernel
lets go of a lock however its process ends.
"""

import fcntl
import logging
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from retrievals_serving.errors import BuildError
from retrievals_serving.store import Store

logger = logging.getLogger(__name__)


def only_build(store: Store) -> AbstractContextManager[None]:
    """Keep other builds out of the home.

    Raises:
        BuildError: One is at work.
    """
    return _held(store, "build.lock", fcntl.LOCK_EX, "another build, or a prune,", waits=False)


def no_stage_at_work(
    store: Store, *, waits: bool = False, stages: str = "a run of Dagster"
) -> AbstractContextManager[None]:
    """Keep every stage out of the home; one that begins meanwhile waits.

    Args:
        store: The home.
        waits: Wait for the stages that are at work.
        stages: What these are called.

    Raises:
        BuildError: One is at work, and this does not wait.
    """
    return _held(store, "stages.lock", fcntl.LOCK_EX, stages, waits=waits)


def stage_at_work(store: Store, *, waits: bool = True) -> AbstractContextManager[None]:
    """Be at work in the home, beside other stages.

    While a build or a prune is, this waits: a run that failed would have to be started again.

    Raises:
        BuildError: One is, and this does not wait.
    """
    return _held(store, "stages.lock", fcntl.LOCK_SH, "a build, or a prune,", waits=waits)


def only_download(store: Store) -> AbstractContextManager[None]:
    """Be the one who downloads into the home; wait for whoever does."""
    return _held(store, "images.lock", fcntl.LOCK_EX, "a run that downloads", waits=True)


@contextmanager
def _held(store: Store, name: str, mode: int, others: str, *, waits: bool) -> Iterator[None]:
    """Hold a lock; where `others` have it, wait for them or raise."""
    path = store.path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as lock:
        try:
            fcntl.flock(lock, mode | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if not waits:
                raise BuildError(
                    f"{others} is at work in {store.root}; wait for it, or end it."
                ) from error
            logger.warning("%s is at work in %s: waiting for it", others, store.root)
            fcntl.flock(lock, mode)
        yield
