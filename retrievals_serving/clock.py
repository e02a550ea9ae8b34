"""How long an answer took, and which stage of it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.trace import StatusCode

tracer = trace.get_tracer("retrievals")


class Clock:
    """Measures an answer and its stages, in ms; each stage is a span of the trace, if there is one.

    Attributes:
        stages: Time of each stage; 0 of one that did not run.
    """

    def __init__(self) -> None:
        self.stages = {"embed": 0.0, "search": 0.0, "rerank": 0.0, "metadata": 0.0}
        self._started = time.perf_counter()

    def elapsed(self) -> float:
        """Return the time since the clock was made."""
        return 1000 * (time.perf_counter() - self._started)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Measure what is done inside."""
        span = tracer.start_span(name)  # which costs a third of `start_as_current_span`
        # By itself a span would hold the message of an error, which may quote the query.
        with trace.use_span(
            span, end_on_exit=True, record_exception=False, set_status_on_exception=False
        ):
            before = self.elapsed()
            try:
                yield
            except Exception as error:
                span.set_attribute("error.type", type(error).__qualname__)
                span.set_status(StatusCode.ERROR)
                raise
            self.stages[name] = self.elapsed() - before
