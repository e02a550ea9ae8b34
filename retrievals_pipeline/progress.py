"""How far a stage is: stages report here, and whoever runs them decides how it is shown.

By default a stage's start and end go to the log. The command line puts progress bars in their
place with `showing`.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar

logger = logging.getLogger(__name__)

Advance = Callable[[int], None]
Display = Callable[[str, int], AbstractContextManager[Advance]]


@contextmanager
def log_progress(stage: str, total: int) -> Iterator[Advance]:
    """Log when `stage` begins and ends."""
    done = 0

    def advance(items: int) -> None:
        nonlocal done
        done += items

    logger.info("%s: %d to do", stage, total)
    yield advance
    logger.info("%s: %d of %d done", stage, done, total)


_display: ContextVar[Display] = ContextVar("display", default=log_progress)


def track(stage: str, total: int) -> AbstractContextManager[Advance]:
    """Follow `stage` over `total` items: the context yields a function to call with items done."""
    return _display.get()(stage, total)


@contextmanager
def showing(display: Display) -> Iterator[None]:
    """Show the progress of the stages that run inside with `display`."""
    token = _display.set(display)
    try:
        yield
    finally:
        _display.reset(token)
