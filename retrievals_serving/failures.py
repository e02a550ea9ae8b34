"""What fails with one search after another, in the log."""

import logging


class FailureLog:
    """Logs failures: a new one with its traceback, the same again in a line.

    Safe to use from several threads.
    """

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger
        self._last: str | None = None

    def log(self, error: Exception, consequence: str) -> None:
        """Log that `error` has this `consequence`."""
        told = f"{consequence}: {error}"
        is_new, self._last = told != self._last, told
        self._logger.error("%s", told, exc_info=error if is_new else None)
