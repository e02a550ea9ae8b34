"""Who may be at work in a home beside whom.

    build.lock    held by a build, a retry of pictures or a prune: one of them at a time
    stages.lock   shared by all that Dagster's daemon and UI make or check, in whatever process; who
                  holds build.lock holds it alone
    images.lock   held by who downloads, whatever pools the instance of Dagster has: a museum is
                  asked at one pace, and a ledger is written by one

So a build needs no place in the pools of Dagster, which a process that was killed keeps: the kernel
lets go of a lock however its process ends. Who chooses the release that is served holds another,
see `retrievals_serving.promotion`.
"""

import logging
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager

from retrievals_serving.errors import BuildError
from retrievals_serving.store import Store

logger = logging.getLogger(__name__)


def only_build(store: Store) -> AbstractContextManager[None]:
    """Keep other builds out of the home.

    Raises:
        BuildError: One is at work.
    """
    return _held(store, "build.lock", "another build, or a prune,", waits=False)


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
    return _held(store, "stages.lock", stages, waits=waits)


def stage_at_work(store: Store, *, waits: bool = True) -> AbstractContextManager[None]:
    """Be at work in the home, beside other stages.

    While a build or a prune is, this waits: a run that failed would have to be started again.

    Raises:
        BuildError: One is, and this does not wait.
    """
    return _held(store, "stages.lock", "a build, or a prune,", waits=waits, shared=True)


def only_download(store: Store) -> AbstractContextManager[None]:
    """Be the one who downloads into the home; wait for whoever does."""
    return _held(store, "images.lock", "a run that downloads", waits=True)


@contextmanager
def _held(
    store: Store, name: str, others: str, *, waits: bool, shared: bool = False
) -> Iterator[None]:
    """Hold a lock; where `others` have it, wait for them or raise."""
    with ExitStack() as held:
        try:
            held.enter_context(store.locked(name, shared=shared))
        except BlockingIOError as error:
            if not waits:
                raise BuildError(
                    f"{others} is at work in {store.root}; wait for it, or end it."
                ) from error
            logger.warning("%s is at work in %s: waiting for it", others, store.root)
            held.enter_context(store.locked(name, shared=shared, wait=True))
        yield
