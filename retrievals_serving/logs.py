"""How a server logs to standard error: lines of JSON, or coloured lines where someone reads along.

The modules log with `logging`; structlog renders it, with what is bound to a request.
"""

import logging
import sys
from typing import NamedTuple

import structlog
from structlog.stdlib import ExtraAdder, ProcessorFormatter


class RequestLine(NamedTuple):
    """What a line of log tells of a request, as the `extra` of its record."""

    method: str
    path: str
    status: int
    ms: float
    caller: str


def configure() -> None:
    """Log to standard error, unless the process logs already; of other packages only warnings."""
    handler = logging.StreamHandler()
    handler.setFormatter(formatter(is_terminal=sys.stderr.isatty()))
    logging.basicConfig(handlers=[handler])
    logging.getLogger("retrievals_serving").setLevel(logging.INFO)


def formatter(*, is_terminal: bool) -> logging.Formatter:
    """Return what makes a line of a record: coloured for a terminal, or else JSON."""
    renderers: list[structlog.types.Processor]
    if is_terminal:
        # The default shows the variables of each frame, keys and secrets among them.
        plain = structlog.dev.plain_traceback
        renderers = [structlog.dev.ConsoleRenderer(colors=True, exception_formatter=plain)]
    else:
        renderers = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    return ProcessorFormatter(
        foreign_pre_chain=[
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            ExtraAdder(RequestLine._fields),
            structlog.processors.TimeStamper(fmt="iso", utc=True),
        ],
        processors=[ProcessorFormatter.remove_processors_meta, *renderers],
    )
