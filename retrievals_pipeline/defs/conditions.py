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

# A check that failed yesterday still stands: `eager` alone looks at the checks of its own run only.
FOLLOWS = dg.AutomationCondition.eager() & (
    dg.AutomationCondition.all_deps_blocking_checks_passed()
)

# Records that were read again and are the same ones ask for no picture.
FOLLOWS_CONTENT = FOLLOWS.replace(
    "any_deps_updated",
    dg.AutomationCondition.any_deps_match(dg.AutomationCondition.data_version_changed()),
)

# The files of a release are made together, once every shard has come to rest: changed records go
# through all shards, so that the vectors are the last to know of any change.
FOLLOWS_VECTORS = FOLLOWS.replace(
    "any_deps_updated",
    dg.AutomationCondition.any_deps_updated().allow(dg.AssetSelection.assets("image_embeddings")),
)

# A model is judged by its golden vectors, which hang on no other asset; made once, they cost
# nothing with the releases that follow.
_vectors_updated: dg.AutomationCondition[Any] = dg.AutomationCondition.asset_matches(
    "image_embeddings", dg.AutomationCondition.newly_updated()
)
_vectors_in_progress: dg.AutomationCondition[Any] = dg.AutomationCondition.asset_matches(
    "image_embeddings", dg.AutomationCondition.in_progress()
)
WITH_VECTORS = (
    _vectors_updated.since_last_handled()
    & ~_vectors_in_progress
    & ~dg.AutomationCondition.in_progress()
)
