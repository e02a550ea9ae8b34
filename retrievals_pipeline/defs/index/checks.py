"""The check of the files that a release is made of, before it is sealed."""

import dagster as dg

from retrievals_pipeline.defs.conditions import WITH_THE_INDEX
from retrievals_pipeline.defs.index.assets import (
    collection_map,
    current_plan,
    faiss_index,
    metadata_db,
)
from retrievals_pipeline.defs.index.plan import is_whole
from retrievals_pipeline.defs.index.verification import check_rows
from retrievals_pipeline.defs.metadata import check_result, explanation
from retrievals_pipeline.defs.resources import EmbedderResource
from retrievals_serving.release import INDEX, MAP, METADATA, Release
from retrievals_serving.settings import Settings


@dg.asset_check(
    asset=metadata_db,
    additional_deps=[faiss_index, collection_map],
    blocking=True,
    automation_condition=WITH_THE_INDEX,
    description=explanation(check_rows),
)
def rows_are_of_one_work(
    settings: dg.ResourceParam[Settings], embedder: EmbedderResource
) -> dg.AssetCheckResult:
    """Compare the files of the present plan with it, and with each other."""
    plan = current_plan(settings, embedder)
    if is_whole(Release(settings.store, plan.release_id)):
        return dg.AssetCheckResult(
            passed=True, description=f"{plan.release_id} is sealed: its rows do not change."
        )
    built = {name: plan.built(settings.store, name) for name in (INDEX, METADATA, MAP)}
    paths = [path for path in built.values() if path]
    if len(paths) < len(built):
        # Of the other assets not all is staged yet; without it no candidate can be sealed.
        lacking = " and ".join(name for name, path in built.items() if not path)
        return dg.AssetCheckResult(passed=True, description=f"not built yet: {lacking}")
    return check_result(check_rows(settings.store, plan, *paths), release=plan.release_id)
