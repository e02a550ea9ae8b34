"""Which failures of an asset are worth a retry, and which none can mend."""

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from retrievals_serving.errors import RetrievalsError, SourceUnavailable

# A build of the command line is not retried by Dagster: who sits before it sees what is wrong.
BUILD_TAG = "retrievals/build"

LATER = dg.RetryPolicy(
    max_retries=3, delay=60, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS
)


@contextmanager
def retried_when_unavailable(context: dg.AssetExecutionContext) -> Iterator[None]:
    """Let the asset's retry policy see only what time can mend: a museum that does not answer.

    Raises:
        Failure: Of anything else, by the message of what was raised; no retry follows.
    """
    try:
        yield
    except Exception as error:
        if isinstance(error, SourceUnavailable) and BUILD_TAG not in context.run.tags:
            raise
        name = "" if isinstance(error, RetrievalsError) else f"{type(error).__name__}: "
        raise dg.Failure(f"{name}{error}", allow_retries=False) from error
    except (KeyboardInterrupt, dg.DagsterExecutionInterruptedError) as interruption:
        # Dagster would try again what somebody has just ended.
        raise dg.Failure("interrupted", allow_retries=False) from interruption
