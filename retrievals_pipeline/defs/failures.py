"""Which failures of an asset are worth a retry: those that time can mend."""

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from retrievals_serving.errors import SourceUnavailable

# A build of the command line is not retried by Dagster: who sits before it sees what is wrong.
BUILD_TAG = "retrievals/build"

# It is no policy of an asset: Dagster would also try again what somebody has just ended.
LATER = dg.RetryPolicy(
    max_retries=3, delay=60, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS
)


@contextmanager
def retried_when_unavailable(
    context: dg.AssetExecutionContext | dg.OpExecutionContext,
) -> Iterator[None]:
    """Have the asset tried again later when its museum does not answer.

    Whatever else is raised, Ctrl-C and a cancelled run with it, passes as it is: no retry follows.

    Raises:
        RetryRequested: Dagster tries again, as `LATER` says, but no sooner than the museum wishes.
    """
    try:
        yield
    except SourceUnavailable as error:
        if BUILD_TAG in context.run.tags:
            raise
        raise dg.RetryRequested(
            max_retries=LATER.max_retries,
            seconds_to_wait=max(error.wish, LATER.calculate_delay(context.retry_number + 1)),
        ) from error
