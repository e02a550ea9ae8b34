"""Who may be at work in a home beside whom.

    build.lock    held by a build, a retry of pictures or a prune: one of them at a time
    stages.lock   shared by all that makes or checks an asset, in whatever process; a prune holds
                  it alone

Who chooses the release that is served holds `promotion.lock`, see `retrievals_serving.promotion`.
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
    return _held(store, "build.lock", others="another build, or a prune,")


def no_stage_at_work(store: Store) -> AbstractContextManager[None]:
    """Keep every stage out of the home; one that begins meanwhile waits.

    Raises:
        BuildError: One is at work.
    """
    return _held(store, "stages.lock", others="a run of Dagster")


def stage_at_work(store: Store) -> AbstractContextManager[None]:
    """Be at work in the home, beside other stages.

    While a prune is, this waits: that takes no longer than to list files, where a run that failed
    would have to be started again.
    """
    return _held(store, "stages.lock", shared=True)


@contextmanager
def _held(
    store: Store, name: str, *, shared: bool = False, others: str | None = None
) -> Iterator[None]:
    """Hold a lock; when it cannot be had, name the `others` who have it, or wait for them."""
    with ExitStack() as held:
        try:
            held.enter_context(store.locked(name, shared=shared))
        except BlockingIOError as error:
            if others is not None:
                raise BuildError(
                    f"{others} is at work in {store.root}; wait for it, or end it."
                ) from error
            logger.info("another process has %s: waiting for it", store.path(name))
            held.enter_context(store.locked(name, shared=shared, wait=True))
        yield
