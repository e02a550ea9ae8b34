"""When automation requests an asset, and how old it may get: rules that the stages name.

Conditions do nothing until the sensor of `automation.py` runs, which evaluates them every so many
seconds. Nothing is requested on its first evaluation: what counts is what changes afterwards.
"""

from datetime import timedelta
from typing import Any

import dagster as dg

# What the weekly revalidation reaches, whether it changes or not; a day's grace.
SEEN_WEEKLY = dg.FreshnessPolicy.time_window(
    fail_window=timedelta(days=9), warn_window=timedelta(days=8)
)

# UTC; an hour after the museum is observed, so that what is made anew by then is not asked twice.
AGAIN = "0 3 * * *"

# What failed and was not made since, as when a museum did not answer, is asked for once a night.
_FAILED = dg.AutomationCondition.execution_failed() & dg.AutomationCondition.cron_tick_passed(AGAIN)
_EAGER = dg.AutomationCondition.eager().replace(
    "any_deps_updated", dg.AutomationCondition.any_deps_updated() | _FAILED
)

# A check that failed yesterday still stands: `eager` alone looks at the checks of its own run only.
FOLLOWS = _EAGER & dg.AutomationCondition.all_deps_blocking_checks_passed()

# Where a shard fails its run ends before the checks of all shards are made, and the good shards go
# on: only a verdict against them holds back what follows. The release has them made again.
_FORBIDDEN = dg.AutomationCondition.any_checks_match(
    dg.AutomationCondition.check_failed(), blocking_only=True
)
FOLLOWS_SHARDS = _EAGER & ~dg.AutomationCondition.any_deps_match(_FORBIDDEN)

# Records that were read again and are the same ones ask for no picture.
FOLLOWS_CONTENT = FOLLOWS.replace(
    "any_deps_updated",
    dg.AutomationCondition.any_deps_match(dg.AutomationCondition.data_version_changed()),
)


def _of(asset: str, condition: dg.AutomationCondition[Any]) -> dg.AutomationCondition[Any]:
    """Return the condition that `condition` holds for `asset`, which need be no dependency."""
    return dg.AutomationCondition.asset_matches(asset, condition)


def _with_vectors() -> dg.AutomationCondition[Any]:
    """Return the condition of all that a release is made of."""
    wanted = _of("image_embeddings", dg.AutomationCondition.newly_updated())
    for asset in (
        "golden_vectors",
        "text_embeddings",
        "faiss_index",
        "metadata_db",
        "collection_map",
    ):
        wanted |= _of(asset, _FAILED)
    condition: dg.AutomationCondition[Any] = (
        wanted.since_last_handled() & ~dg.AutomationCondition.in_progress()
    )
    passed = dg.AutomationCondition.all_checks_match(
        dg.AutomationCondition.check_passed(), blocking_only=True
    )
    for asset, sound in (
        ("artworks", passed),
        ("artwork_images", ~_FORBIDDEN),
        ("image_embeddings", ~_FORBIDDEN),
    ):
        condition &= ~_of(asset, dg.AutomationCondition.in_progress()) & _of(asset, sound)
    return condition


# Index, records, map, golden vectors and texts are one release: they are made together, whichever
# of these assets each hangs on, once all shards have come to rest. Changed records go through all
# shards, so that the vectors are the last to know of any change.
WITH_VECTORS = _with_vectors()

# The blocking checks of pictures, vectors and rows: they are part of the run that makes a release,
# whether the runs of the shards came to them or not. Where any check of a run has a condition of
# its own, Dagster makes those that are requested and those without a condition, and no others: so
# the check of `metadata_db`, which that run makes, has this one too.
WITH_THE_INDEX = _of("faiss_index", WITH_VECTORS)
